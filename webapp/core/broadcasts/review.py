"""Is a draft ready to go? What is missing blocks it, what is odd wants a tick, the rest is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.audience import AudienceCount
from webapp.core.broadcasts import already_sent, concerns, languages, text_concerns
from webapp.core.broadcasts.already_sent import Overlap
from webapp.core.broadcasts.purposes import undecided
from webapp.core.broadcasts.starting import passed_start
from webapp.core.broadcasts.text_concerns import SeenMails
from webapp.core.content import preflight, problems
from webapp.core.content.completeness import Missing, missing, unlisted_sender
from webapp.core.content.fields import sources
from webapp.core.content.languages import content_of, languages_of
from webapp.core.rules import tags
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.preflight import Family, Finding, Severity
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.preflight import PreflightTick


@dataclass(frozen=True, slots=True)
class Review:
    """With anything in `blocking` the broadcast cannot be confirmed, nor with any of `warnings` that is not in `ticks`, the ticks by what
    they were given for; `hints` are for the person to weigh; `checked` says in sentences what was looked at and is as it should be.
    `already` are the earlier mass mails behind findings, by their fingerprints. `to` is how many go to each receiver that has a limit, by
    the id of that."""

    count: AudienceCount
    blocking: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    checked: tuple[str, ...] = ()
    hints: tuple[Finding, ...] = ()
    ticks: Mapping[str, PreflightTick] = field(default_factory=dict)
    already: Mapping[str, Overlap] = field(default_factory=dict)
    to: Mapping[int, int] = field(default_factory=dict)

    @property
    def unticked(self) -> frozenset[str]:
        """The fingerprints of the warnings that nobody has ticked."""
        return frozenset(one.fingerprint for one in self.warnings) - self.ticks.keys()

    @property
    def groups(self) -> list[tuple[Family, list[Finding]]]:
        """Warnings and hints by their families, warnings first."""
        found = {family: [one for one in (*self.warnings, *self.hints) if one.family is family] for family in Family}
        return [(family, those) for family, those in found.items() if those]


def review(session: Session, broadcast: Broadcast, now: datetime, seen: SeenMails | None = None) -> Review:
    """Look at a draft as a whole, recipients counted. Without `seen` what only the finished mails show is left out."""
    selected = audience.select_terms(session, audience.audience_of(broadcast))
    count = selected.sum
    to = audience.to_receivers(session, selected, limits.receivers(session))
    lacks = missing(broadcast)
    stopping = text_concerns.blocking(broadcast)
    blocking = [
        *_of_purpose(broadcast),
        *concerns.nobody(count),
        *(_of_content(broadcast, one) for one in lacks),
        *stopping,
        *_of_gap(session, broadcast),
        *_of_sender(session, broadcast),
        *_of_start(broadcast, now),
    ]
    said = text_concerns.of_texts(session, broadcast, now, seen)
    overlaps = already_sent.find(session, broadcast, count)
    already = concerns.already(overlaps, count.will_receive, now)
    said += [
        *text_concerns.without_text(session, broadcast),
        *concerns.everybody(broadcast, count),
        *(finding for _, finding in already),
        *concerns.of_pace(session, broadcast, count.will_receive, to, now),
        *concerns.of_marketing(session, broadcast),
        *concerns.of_domain(session, broadcast, count.will_receive),
        *concerns.of_clocks(session, broadcast, selected, now),
    ]
    checked = _of_listed_sender(broadcast, blocking)
    if not lacks and not stopping:
        checked += _of_tags(broadcast, are_filled=not any(one.rule == "gap" for one in said))
    checked += [*_of_declining(broadcast), *_of_recipients(count)]
    if seen and all(one.mail for one in seen.previews.values()):
        checked += _of_looked_for(said)
    return Review(
        count,
        tuple(replace(one, severity=Severity.ERROR) for one in blocking),
        tuple(one for one in said if one.severity is Severity.WARNING),
        tuple(checked),
        tuple(one for one in said if one.severity is Severity.HINT),
        preflight.kept(session, broadcast.id),
        {finding.fingerprint: overlap for overlap, finding in already},
        to,
    )


def _of_gap(session: Session, broadcast: Broadcast) -> list[Finding]:
    gap = languages.undecided_gap(session, broadcast)
    return [Finding(gap.message, "content", "languages", family=Family.RECIPIENTS)] if gap else []


def _of_sender(session: Session, broadcast: Broadcast) -> list[Finding]:
    unlisted = unlisted_sender(session, broadcast)
    return [_of_content(broadcast, unlisted)] if unlisted else []


def _of_listed_sender(broadcast: Broadcast, blocking: list[Finding]) -> list[str]:
    is_listed = broadcast.from_address and not any(one.place == "from_address" for one in blocking)
    return ["The sender is one of the list."] if is_listed else []


def _of_start(broadcast: Broadcast, now: datetime) -> list[Finding]:
    passed = passed_start(broadcast, now)
    return [Finding(passed.message, "schedule", family=Family.SENDING)] if passed else []


def _of_looked_for(found: list[Finding]) -> list[str]:
    rules = {one.rule.partition(".")[0] for one in found}
    if "problem" in rules:  # a link or a picture that cannot work is told so
        rules |= {"links", "pictures"}
    well = [label for name, label in preflight.LOOKED_FOR.items() if name not in rules]
    return [f"Nothing to say about {', '.join(well)}."] if well else []


def _of_declining(broadcast: Broadcast) -> list[str]:
    if broadcast.purpose is Purpose.MARKETING:
        return ["Each mail gets its own link to decline it, at its foot and for the button of mail programs."]
    return []


def _of_purpose(broadcast: Broadcast) -> list[Finding]:
    lacking = undecided(broadcast)
    return [Finding(lacking.message, "purpose", family=Family.RECIPIENTS)] if lacking else []


def _of_tags(broadcast: Broadcast, *, are_filled: bool) -> list[str]:
    texts = (sources(content_of(broadcast, language)) for language in languages_of(broadcast))
    names = {name for text in texts for source in text.values() for name in tags.used(source)}
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


def _of_content(broadcast: Broadcast, lacking: Missing) -> Finding:
    finding = Finding(lacking.message, "content", lacking.field, language=lacking.language)
    is_of_main = not lacking.language and lacking.field != "from_address"
    return text_concerns.in_its_language(broadcast, finding) if is_of_main else finding
