"""What is to be said of a draft beside its message: who gets it, from whom, and when."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.audience import AudienceCount, Selected
from webapp.core.broadcasts.already_sent import Overlap
from webapp.core.consent import settings as consent
from webapp.core.domains import checks
from webapp.core.rules import schedule
from webapp.core.rules.consent import Purpose
from webapp.core.rules.message.parts import mailbox_or_blank
from webapp.core.rules.preflight import Family, Finding, Severity, night
from webapp.core.rules.sender_domains.findings import DomainStanding, DomainTopic
from webapp.core.rules.statuses import MessageType
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast

MANY = 500
"""Above so many mails it matters how receivers see the sender's domain."""

CROWD = 100
"""From so many recipients on it is worth a tick that they are everybody."""

LONG = timedelta(hours=24)
"""A broadcast that takes longer than this is worth a word."""

LATELY = timedelta(days=7)
"""The same text so soon again is asked about."""


def nobody(count: AudienceCount) -> list[Finding]:
    if count.will_receive:
        return []
    if not count.matching + count.added:
        return [Finding("No client matches the filter.", "audience", family=Family.RECIPIENTS)]
    words = "Nobody would get it: everybody who matches is left out, declined it, is suppressed or without a usable address."
    return [Finding(words, "audience", family=Family.RECIPIENTS)]


def everybody(broadcast: Broadcast, count: AudienceCount) -> list[Finding]:
    """That no choice was made among the clients, where they are many."""
    chosen = audience.audience_of(broadcast).filter
    if chosen.message_type is not MessageType.GENERAL or chosen.to_dict() or count.will_receive < CROWD:
        return []
    return [
        Finding(
            f"It goes to everybody: nothing is chosen in the audience, so all {count.will_receive:,} get it.",
            "audience",
            why="That is right for some mails. For the others it is the costliest slip there is.",
            family=Family.RECIPIENTS,
            rule="audience.everybody",
            about=("everybody",),
        )
    ]


def already(found: Iterable[Overlap], count: int, now: datetime) -> list[tuple[Overlap, Finding]]:
    """Each earlier mass mail that a draft for `count` recipients repeats, with what is to be said of it."""
    return [(one, _already(one, count, now)) for one in found]


def _already(one: Overlap, count: int, now: datetime) -> Finding:
    lately = one.is_scheduled or one.to_come or (one.at is not None and one.at > now - LATELY)
    what = "this text" if one.same_text else "the mail that this is a copy of"
    return Finding(
        f"{one.got + one.to_come:,} of these {count:,} got {what}, or are about to.",
        "audience",
        family=Family.RECIPIENTS,
        severity=Severity.WARNING if one.same_text and lately else Severity.HINT,
        rule="already_sent",
        about=(one.broadcast_id, int(one.same_text)),
    )


def of_domain(session: Session, broadcast: Broadcast, recipients: int) -> list[Finding]:
    """What is said of the sender's domain: when many are to get the mail all that large receivers want; else that it has no DMARC."""
    sender = checks.of_sender(session, mailbox_or_blank(broadcast.from_address)[1])
    family, why = Family.SENDING, "Settings, Domains shows what to write into DNS."
    if recipients > MANY:
        return [Finding(words, "domains", "", why, family, rule="domain") for words in checks.concerns(sender)]
    missing = (one for one in sender.findings if one.topic is DomainTopic.DMARC)
    if recipients and any(one.standing is DomainStanding.MISSING for one in missing):
        words = f"{sender.name} has no DMARC record."
        return [Finding(words, "domains", "", why, family, Severity.HINT, "domain.dmarc")]
    return []


def of_marketing(session: Session, broadcast: Broadcast) -> list[Finding]:
    """That marketing must name where its sender is to be found, as the law of most countries asks."""
    if broadcast.purpose is not Purpose.MARKETING or consent.read(session).postal_address.strip():
        return []
    words = (
        "Marketing has to name the postal address of its sender, and none is set. It stands at the foot of each mail."
    )
    return [Finding(words, "consent", family=Family.SENDING, rule="marketing.address")]


def of_pace(
    session: Session, broadcast: Broadcast, recipients: int, to: Mapping[int, int], now: datetime
) -> Iterator[Finding]:
    """That it takes long until the last one has it. `to` is how many go to each receiver that has a limit, by the id of that."""
    above, size, seconds = limits.read(session), broadcast.batch_size, broadcast.interval_s
    ends = above.forecast(recipients, size, seconds, now, to)
    if ends and ends - now > LONG:
        takes = schedule.duration(round((ends - now).total_seconds()))
        held = above.held_up_by(recipients, size, seconds, to)
        words = f"{f'Under the limit for {held.limit.name}' if held else 'At this pace'} it takes {takes}."
        yield Finding(words, "schedule", family=Family.SENDING, rule="pace.long")


def of_clocks(session: Session, broadcast: Broadcast, selected: Selected, now: datetime) -> list[Finding]:
    """What time it is where the recipients live, when it starts."""
    start = max(broadcast.starts_at or now, now)
    is_marketing = broadcast.purpose is Purpose.MARKETING
    return night.of_start(audience.by_country(session, selected), start, is_marketing=is_marketing)
