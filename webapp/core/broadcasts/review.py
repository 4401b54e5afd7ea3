"""Is a draft ready to go? What is missing blocks it, what is odd wants a tick, the rest is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.audience import AudienceCount
from webapp.core.broadcasts import already_sent, concerns
from webapp.core.broadcasts.already_sent import Overlap
from webapp.core.broadcasts.purposes import undecided
from webapp.core.broadcasts.starting import passed_start
from webapp.core.content import preflight, problems
from webapp.core.content.completeness import Missing, missing, unlisted_sender
from webapp.core.content.fields import sources
from webapp.core.content.preflight import largest
from webapp.core.content.previews import DraftPreview
from webapp.core.content.tag_catalogue.gaps import gaps
from webapp.core.errors import DomainError
from webapp.core.rules import tags
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.preflight import Family, Finding, Severity, size
from webapp.core.rules.tags import TagProblem
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.preflight import PreflightTick


@dataclass(frozen=True, slots=True)
class Review:
    """With anything in `blocking` the broadcast cannot be confirmed, nor with any of `warnings` that is not in `ticks`, the ticks by what
    they were given for; `hints` are for the person to weigh; `checked` says in sentences what was looked at and is as it should be.
    `already` are the earlier mass mails behind findings, by their fingerprints."""

    count: AudienceCount
    blocking: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    checked: tuple[str, ...] = ()
    hints: tuple[Finding, ...] = ()
    ticks: Mapping[str, PreflightTick] = field(default_factory=dict)
    already: Mapping[str, Overlap] = field(default_factory=dict)

    @property
    def unticked(self) -> frozenset[str]:
        """The fingerprints of the warnings that nobody has ticked."""
        return frozenset(one.fingerprint for one in self.warnings) - self.ticks.keys()

    @property
    def groups(self) -> list[tuple[Family, list[Finding]]]:
        """Warnings and hints by their families, warnings first."""
        found = {family: [one for one in (*self.warnings, *self.hints) if one.family is family] for family in Family}
        return [(family, those) for family, those in found.items() if those]


@dataclass(frozen=True, slots=True)
class SeenMail:
    """The draft as its first recipient gets it, and the console's address as recipients reach it."""

    preview: DraftPreview
    public_url: str


def review(session: Session, broadcast: Broadcast, now: datetime, seen: SeenMail | None = None) -> Review:
    """Look at a draft as a whole, recipients counted. Without `seen` what only the finished mail shows is left out."""
    selected = audience.select_terms(session, audience.audience_of(broadcast))
    count = selected.sum
    found_problems = problems.of_message(broadcast)
    lacks = missing(broadcast)
    blocking = [
        *_of_purpose(broadcast),
        *concerns.nobody(count),
        *(_of_content(one) for one in lacks),
        *(_of_problem(broadcast, one) for one in found_problems if one.blocking),
    ]
    checked = []
    if unlisted := unlisted_sender(session, broadcast):
        blocking.append(_of_content(unlisted))
    elif broadcast.from_address:
        checked.append("The sender is one of the list.")
    if passed := passed_start(broadcast, now):
        blocking.append(Finding(passed.message, "schedule"))
    said = [_of_problem(broadcast, one) for one in found_problems if not one.blocking]
    if not any(one.blocking for one in found_problems):
        chosen = audience.audience_of(broadcast)
        found = gaps(session, chosen, broadcast.content, now.date(), from_address=broadcast.from_address)
        blanks = concerns.of_gaps(found)
        said += blanks
        if not lacks:
            checked += _of_tags(broadcast, are_filled=not blanks)
    of_message = _of_message(session, broadcast, now, seen)
    said += of_message
    overlaps = already_sent.find(session, broadcast, count)
    already = concerns.already(overlaps, count.will_receive, now)
    said += [
        *concerns.everybody(broadcast, count),
        *(finding for _, finding in already),
        *concerns.of_pace(session, broadcast, count.will_receive, now),
        *concerns.of_marketing(session, broadcast),
        *concerns.of_domain(session, broadcast, count.will_receive),
        *concerns.of_clocks(session, broadcast, selected, now),
    ]
    checked += [*_of_declining(broadcast), *_of_recipients(count)]
    if seen and seen.preview.mail:
        checked += _of_looked_for([*said])
    return Review(
        count,
        tuple(replace(one, severity=Severity.ERROR) for one in blocking),
        tuple(one for one in said if one.severity is Severity.WARNING),
        tuple(checked),
        tuple(one for one in said if one.severity is Severity.HINT),
        preflight.kept(session, broadcast.id),
        {finding.fingerprint: overlap for overlap, finding in already},
    )


def _of_message(session: Session, broadcast: Broadcast, now: datetime, seen: SeenMail | None) -> list[Finding]:
    """What is said of the message; of its size by the largest mail of all."""
    mail = seen.preview.mail if seen else None
    found = preflight.of_content(broadcast.content, mail)
    if seen is None or mail is None:
        return found
    try:
        most = largest.largest(session, broadcast, mail, now, seen.public_url)
    except DomainError as error:
        return [
            *found,
            Finding(f"A mail of this audience cannot be made: {error}", "content", "html", rule="size.none"),
        ]
    is_marketing = broadcast.purpose is Purpose.MARKETING
    return [*found, *size.of_mail(most.octets, most.whom, is_marketing=is_marketing)]


def _of_looked_for(found: list[Finding]) -> list[str]:
    rules = {one.rule.partition(".")[0] for one in found}
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
    if missing(broadcast) or any(problem.blocking for problem in problems.of_tags(broadcast)):
        todo.add("content")
        if not broadcast.audience_filter and not broadcast.content.subject:
            todo |= {"audience", "schedule"}
    is_new = broadcast.state == BroadcastState.DRAFT and not broadcast.schedule_seen
    if passed_start(broadcast, now) or is_new:
        todo.add("schedule")
    if todo or broadcast.state == BroadcastState.DRAFT:
        todo.add("review")
    return frozenset(todo)


def _of_content(lacking: Missing) -> Finding:
    return Finding(lacking.message, "content", lacking.field)


def _of_problem(broadcast: Broadcast, problem: TagProblem) -> Finding:
    where = problems.place(problem, sources(broadcast.content)[problem.field])
    return Finding(f"{where}: {problem.message}", "content", problem.field, rule="problem")
