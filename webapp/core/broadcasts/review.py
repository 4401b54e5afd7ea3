"""Is a draft ready to go? What is missing blocks it, what is odd is said."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.audience import AudienceCount
from webapp.core.content.tag_catalogue.gaps import Gap, gaps
from webapp.core.rules import schedule, tags
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.message.preflight import preflight
from webapp.core.rules.tags import TagProblem
from webapp.core.settings import from_addresses, limits
from webapp.core.tables.broadcasts import Broadcast

LONG = timedelta(hours=24)
"""A broadcast that takes longer than this is worth a word."""

FIELDS = {"subject": "Subject", "html": "Text", "text": "Plain text part"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend or to know: a whole sentence, and the step (`room`) and place on its page where it is mended."""

    message: str
    room: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """With anything in `blocking` the broadcast cannot be confirmed; `warnings` are for the person to weigh; `checked` says in sentences
    what was looked at and is as it should be."""

    count: AudienceCount
    blocking: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    checked: tuple[str, ...] = ()


def review(session: Session, broadcast: Broadcast, now: datetime) -> Review:
    """Look at a draft as a whole, recipients counted."""
    count = audience.count(session, audience.audience_of(broadcast), now.date())
    problems = content_problems(broadcast)
    blocking = [
        *_nobody(count),
        *_incomplete(broadcast),
        *(_of_tag(problem) for problem in problems if problem.blocking),
    ]
    is_listed = from_addresses.is_listed(session, broadcast.from_address)
    if broadcast.from_address and not is_listed:
        words = f"{broadcast.from_address} is not in the list of senders. Choose one that is."
        blocking.append(Finding(words, "content", "from_address"))
    if start_has_passed(broadcast, now):
        blocking.append(Finding("The chosen start has passed.", "schedule"))
    warnings = [_of_tag(problem) for problem in problems if not problem.blocking]
    checked = ["The sender is one of the list."] if is_listed else []
    if not any(problem.blocking for problem in problems):
        chosen = audience.audience_of(broadcast)
        found = gaps(session, chosen, broadcast.content, now.date(), from_address=broadcast.from_address)
        blanks = [_of_gap(gap) for gap in found if gap.blank]
        warnings += blanks
        if not _incomplete(broadcast):
            checked += _of_tags(broadcast, are_filled=not blanks)
    ends = limits.read(session).forecast(count.will_receive, broadcast.batch_size, broadcast.interval_s, now)
    if ends and ends - now > LONG:
        takes = schedule.duration(round((ends - now).total_seconds()))
        warnings.append(Finding(f"At this pace it takes {takes}.", "schedule"))
    checked += _of_recipients(count)
    return Review(count, tuple(blocking), tuple(warnings), tuple(checked))


def _of_tags(broadcast: Broadcast, *, are_filled: bool) -> list[str]:
    content = broadcast.content
    names = {name for part in (content.subject, content.html, content.text or "") for name in tags.used(part)}
    if not names:
        return ["Subject and text have no tags: everybody gets the same."]
    known = "The one tag is" if len(names) == 1 else f"All {len(names)} tags are"
    return [f"{known} known{', with something to say for every recipient' if are_filled else ''}."]


def _of_recipients(count: AudienceCount) -> list[str]:
    if not count.will_receive:
        return []
    left = ((count.suppressed, "suppressed"), (count.no_usable_address, "without a usable address"))
    words = " and ".join(f"{number:,} {why}" for number, why in left if number)
    return [
        "No address gets it twice.",
        f"Left out: {words}." if words else "Nobody is suppressed or without an address.",
    ]


def tag_problems(broadcast: Broadcast) -> list[TagProblem]:
    """What is wrong with the tags of subject, text and plain text part, in this order."""
    content = broadcast.content
    parts = (("subject", content.subject), ("html", content.html), ("text", content.text or ""))
    return [problem for field, source in parts for problem in tags.check(source, broadcast.message_type, field=field)]


def content_problems(broadcast: Broadcast) -> list[TagProblem]:
    """What is wrong with the tags, and then what of the content cannot work in a mail or goes from it: links, pictures, tags of other
    systems."""
    content = broadcast.content
    return [*tag_problems(broadcast), *preflight(content.subject, content.html, content.text)]


def unfinished_steps(broadcast: Broadcast, now: datetime) -> frozenset[str]:
    """The steps (audience, content, schedule, review) in which something is still to be done, judged without counting anybody."""
    missing = set()
    if _incomplete(broadcast) or any(problem.blocking for problem in tag_problems(broadcast)):
        missing.add("content")
        if not broadcast.audience_filter and not broadcast.content.subject:
            missing |= {"audience", "schedule"}
    is_new = broadcast.state == BroadcastState.DRAFT and not broadcast.schedule_seen
    if start_has_passed(broadcast, now) or is_new:
        missing.add("schedule")
    if missing or broadcast.state == BroadcastState.DRAFT:
        missing.add("review")
    return frozenset(missing)


def start_has_passed(broadcast: Broadcast, now: datetime) -> bool:
    """Whether the chosen start lies before the present minute."""
    return broadcast.starts_at is not None and broadcast.starts_at + timedelta(minutes=1) <= now


def _nobody(count: AudienceCount) -> list[Finding]:
    if count.will_receive:
        return []
    if not count.matching + count.added:
        return [Finding("No client matches the filter.", "audience")]
    return [
        Finding(
            "Nobody would get it: everybody who matches is left out, suppressed or without a usable address.",
            "audience",
        )
    ]


def _incomplete(broadcast: Broadcast) -> list[Finding]:
    content, found = broadcast.content, []
    if not broadcast.from_address:
        found.append(Finding("No sender is chosen.", "content", "from_address"))
    if not content.subject.strip():
        found.append(Finding("The subject is empty.", "content", "subject"))
    if not content.html.strip() and not (content.text or "").strip():
        found.append(Finding("The mail has no text.", "content", "html"))
    return found


def _of_gap(gap: Gap) -> Finding:
    about = "" if gap.exact else "about "
    people = f"{gap.blank:,} {'recipient' if gap.blank == 1 else 'recipients'}"
    return Finding(f"{gap.name} is empty for {about}{people}, and nothing stands in for it.", "content", "tag-gaps")


def _of_tag(problem: TagProblem) -> Finding:
    where = FIELDS.get(problem.field, problem.field)
    line = f", line {problem.line}" if problem.field != "subject" else ""
    return Finding(f"{where}{line}: {problem.message}", "content", problem.field)
