"""Is a draft ready to go? What is missing blocks it, what is odd is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.audience import AudienceCount
from webapp.core.broadcasts import languages
from webapp.core.broadcasts.purposes import undecided
from webapp.core.broadcasts.starting import passed_start
from webapp.core.consent import settings as consent
from webapp.core.content import own_file_gaps, problems
from webapp.core.content.completeness import Missing, missing, unlisted_sender
from webapp.core.content.fields import sources
from webapp.core.content.languages import content_of, languages_of
from webapp.core.content.tag_catalogue.gaps import Gap, gaps
from webapp.core.domains import checks
from webapp.core.media import own_files
from webapp.core.rules import schedule, tags
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.message.parts import mailbox_or_blank
from webapp.core.rules.tags import TagProblem
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.media import WithoutOwnFile

MANY = 500
"""Above so many mails it matters how receivers see the sender's domain."""

LONG = timedelta(hours=24)
"""A broadcast that takes longer than this is worth a word."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend or to know: a whole sentence, the step (`room`) and place on its page where it is mended, and the language of the
    text it is about, "" for the main one."""

    message: str
    room: str
    place: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """With anything in `blocking` the broadcast cannot be confirmed; `warnings` are for the person to weigh; `checked` says in sentences
    what was looked at and is as it should be. `to` is how many go to each receiver that has a limit, by the id of that."""

    count: AudienceCount
    blocking: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    checked: tuple[str, ...] = ()
    to: Mapping[int, int] = field(default_factory=dict)


def review(session: Session, broadcast: Broadcast, now: datetime) -> Review:
    """Look at a draft as a whole, recipients counted."""
    selected = audience.select_terms(session, audience.audience_of(broadcast))
    count = selected.sum
    found_problems = problems.of_message(broadcast)
    lacks = missing(broadcast)
    blocking = [
        *_of_purpose(broadcast),
        *_nobody(count),
        *(_of_content(one) for one in lacks),
        *(_of_problem(broadcast, one) for one in found_problems if one.blocking),
        *_of_other_texts(broadcast),
    ]
    if gap := languages.undecided_gap(session, broadcast):
        blocking.append(Finding(gap.message, "content", "languages"))
    checked = []
    if unlisted := unlisted_sender(session, broadcast):
        blocking.append(_of_content(unlisted))
    elif broadcast.from_address:
        checked.append("The sender is one of the list.")
    if passed := passed_start(broadcast, now):
        blocking.append(Finding(passed.message, "schedule"))
    warnings = [_of_problem(broadcast, one) for one in found_problems if not one.blocking]
    if not any(one.blocking for one in found_problems):
        chosen = audience.audience_of(broadcast)
        blanks = []
        for language in languages_of(broadcast):
            text = content_of(broadcast, language)
            found = gaps(session, chosen, text, now.date(), from_address=broadcast.from_address, text=language)
            blanks += [_of_gap(gap, language) for gap in found if gap.blank]
        warnings += blanks
        if not lacks:
            checked += _of_tags(broadcast, are_filled=not blanks)
    above, size, seconds = limits.read(session), broadcast.batch_size, broadcast.interval_s
    to = audience.to_receivers(session, selected, above.receivers)
    ends = above.forecast(count.will_receive, size, seconds, now, to)
    if ends and ends - now > LONG:
        takes = schedule.duration(round((ends - now).total_seconds()))
        held = above.held_up_by(count.will_receive, size, seconds, to)
        why = f"Under the limit for {held.limit.name}" if held else "At this pace"
        warnings.append(Finding(f"{why} it takes {takes}.", "schedule"))
    warnings += _of_marketing(session, broadcast)
    warnings += _without_file(session, broadcast, now)
    warnings += of_domain(session, broadcast, count.will_receive)
    checked += _of_recipients(count)
    return Review(count, tuple(blocking), tuple(warnings), tuple(checked), to)


def _without_file(session: Session, broadcast: Broadcast, now: datetime) -> list[Finding]:
    """That some recipients have no file of their own, where each is to get one."""
    rule = own_files.summed(session, broadcast.content.id)
    lacking = own_file_gaps.count(session, broadcast, broadcast.content, now.date()) if rule else 0
    if rule is None or not lacking:
        return []
    people = f"{lacking:,} {'recipient has' if lacking == 1 else 'recipients have'} no file of their own"
    gets = "get the mail without one" if rule.when_missing is WithoutOwnFile.SEND else "get no mail"
    return [Finding(f"{people}, and {'gets' + gets[3:] if lacking == 1 else gets}.", "content", "attachments")]


def _of_other_texts(broadcast: Broadcast) -> list[Finding]:
    """What keeps the texts in other languages from becoming mails, beside what they lack."""
    return [
        _of_problem(broadcast, one, language)
        for language in broadcast.other_languages.split()
        for one in problems.of_tags(broadcast, language)
        if one.blocking
    ]


def of_domain(session: Session, broadcast: Broadcast, recipients: int) -> list[Finding]:
    """What is said of the sender's domain when many are to get the mail."""
    if recipients <= MANY:
        return []
    sender = checks.of_sender(session, mailbox_or_blank(broadcast.from_address)[1])
    return [Finding(words, "domains") for words in checks.concerns(sender)]


def _of_marketing(session: Session, broadcast: Broadcast) -> list[Finding]:
    """That marketing must name where its sender is to be found, as the law of most countries asks."""
    if broadcast.purpose is not Purpose.MARKETING or consent.read(session).postal_address.strip():
        return []
    words = (
        "Marketing has to name the postal address of its sender, and none is set. It stands at the foot of each mail."
    )
    return [Finding(words, "consent")]


def _of_purpose(broadcast: Broadcast) -> list[Finding]:
    lacking = undecided(broadcast)
    return [Finding(lacking.message, "purpose")] if lacking else []


def _of_tags(broadcast: Broadcast, *, are_filled: bool) -> list[str]:
    names = {name for source in sources(broadcast.content).values() for name in tags.used(source)}
    if not names:
        return ["Subject and text have no tags: everybody gets the same."]
    known = "The one tag is" if len(names) == 1 else f"All {len(names)} tags are"
    return [f"{known} known{', with something to say for every recipient' if are_filled else ''}."]


def _of_recipients(count: AudienceCount) -> list[str]:
    if not count.will_receive:
        return []
    left = (
        (count.opted_out, "who declined it"),
        (count.suppressed, "suppressed"),
        (count.no_usable_address, "without a usable address"),
        (count.without_text, "without a text in their language"),
    )
    *most, last = [f"{number:,} {why}" for number, why in left if number] or [""]
    words = f"{', '.join(most)} and {last}" if most else last
    return [
        "No address gets it twice.",
        f"Left out: {words}." if words else "Nobody declined it, is suppressed or without an address.",
    ]


def unfinished_steps(broadcast: Broadcast, now: datetime) -> frozenset[str]:
    """The steps (audience, content, schedule, review) in which something is still to be done, judged without counting anybody."""
    todo = set()
    if undecided(broadcast) and broadcast.state == BroadcastState.DRAFT:
        todo.add("audience")
    texts = (problems.of_tags(broadcast, language) for language in languages_of(broadcast))
    if missing(broadcast) or any(problem.blocking for found in texts for problem in found):
        todo.add("content")
        if not broadcast.audience_filter and not broadcast.content.subject:
            todo |= {"audience", "schedule"}
    is_new = broadcast.state == BroadcastState.DRAFT and not broadcast.schedule_seen
    if passed_start(broadcast, now) or is_new:
        todo.add("schedule")
    if todo or broadcast.state == BroadcastState.DRAFT:
        todo.add("review")
    return frozenset(todo)


def _nobody(count: AudienceCount) -> list[Finding]:
    if count.will_receive:
        return []
    if not count.matching + count.added:
        return [Finding("No client matches the filter.", "audience")]
    return [
        Finding(
            "Nobody would get it: everybody who matches is left out, declined it, is suppressed or without a usable address.",
            "audience",
        )
    ]


def _of_gap(gap: Gap, language: str) -> Finding:
    about = "" if gap.exact else "about "
    people = f"{gap.blank:,} {'recipient' if gap.blank == 1 else 'recipients'}"
    words = f"{_in(language)}{gap.name} is empty for {about}{people}, and nothing stands in for it."
    return Finding(words, "content", "tag-gaps", language)


def _of_content(lacking: Missing) -> Finding:
    return Finding(lacking.message, "content", lacking.field, lacking.language)


def _of_problem(broadcast: Broadcast, problem: TagProblem, language: str = "") -> Finding:
    where = problems.place(problem, sources(content_of(broadcast, language))[problem.field])
    return Finding(f"{_in(language)}{where}: {problem.message}", "content", problem.field, language)


def _in(language: str) -> str:
    """Before what is said of a text in another language than the main one."""
    return f"{audience.language_name(language)}, " if language else ""
