"""Relays that report what became of mails: who they are, and what they said. Nothing of it is believed here; `rules/relay_events` has
looked at each call before."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid, NotFound
from webapp.core.guarded import change
from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.rules.relay_events import passwords, reading
from webapp.core.rules.relay_events.matching import MatchingHeader, matching_header
from webapp.core.rules.relay_events.providers import MAKERS, KeyKind, Provider, checked_key
from webapp.core.rules.relay_events.reading import Refused
from webapp.core.tables.deliveries import MinuteCount
from webapp.core.tables.event_sources import Became, EventSource, ReceivedEvent

OLD_SECRET_LASTS = timedelta(hours=24)
"""An address that was changed is still answered for so long, so that none of the relay's calls is lost while it is changed there."""

KEPT = timedelta(days=30)
"""So long the raw text of an event is kept that nobody heeds, or that is of no mail of ours."""

REPEATS_KNOWN = timedelta(days=3)
"""So long a recorded event is remembered here: longer than a signed call is believed. Later the fact itself tells a repeat."""

SILENT_FOR = timedelta(days=3)
"""A source that has reported nothing for so long, while mails went out, has probably been forgotten at the relay."""

LONGEST_WHY = 200


class EventFate(Protocol):
    """What was made of an event where it is recorded: of which delivery it is, if any; `is_new` is False where it was recorded before."""

    @property
    def is_new(self) -> bool: ...
    @property
    def delivery_id(self) -> int | None: ...


Record = Callable[[Session, RelayEvent, datetime], EventFate]
"""Records an event of a mail."""


@dataclass(frozen=True, slots=True)
class KnownSource:
    """The source whose address was called, and the key that proves its calls at that address."""

    id: int
    provider: Provider
    key: str


@dataclass(frozen=True, slots=True)
class Given:
    """What is shown once, to be entered at the relay: the secret part of the address, and the password where it signs nothing."""

    source_id: int
    secret: str
    password: str = ""


@dataclass(frozen=True, slots=True)
class TakenEvents:
    """What a call brought: events by what became of them, and how many of them were known."""

    recorded: int = 0
    no_mail: int = 0
    ignored: int = 0
    repeats: int = 0


def add(session: Session, provider: Provider, key: str, now: datetime) -> Given:
    """A new source, with its secret. `key` may be empty where the relay shows it only once it knows the address; until it is entered no
    call is believed. Raises Invalid."""
    is_ours = MAKERS[provider].key is KeyKind.PASSWORD
    if MAKERS[provider].key is KeyKind.TOPIC and not key.strip():
        raise Invalid("Enter the ARN of the topic: only its subscription is confirmed.", "key")
    secret, password = _secret(), _secret() if is_ours else ""
    kept = passwords.kept(password) if is_ours else checked_key(provider, key) if key.strip() else ""
    source = EventSource(
        provider=provider,
        secret_hash=passwords.kept(secret),
        key=kept,
        adds_header=provider.gives_own_message_id,
        made_at=now,
    )
    session.add(source)
    session.flush()
    return Given(source.id, secret, password)


def get(session: Session, source_id: int) -> EventSource:
    """The source. Raises NotFound."""
    source = session.get(EventSource, source_id, populate_existing=True)
    if source is None:
        raise NotFound("This source does not exist any more.")
    return source


def change_key(session: Session, source_id: int, key: str) -> None:
    """Believe calls made with another key from now on. Raises Invalid; NotFound."""
    source = get(session, source_id)
    source.key = checked_key(source.provider, key)


def new_address(session: Session, source_id: int, now: datetime) -> Given:
    """A new secret, and a new password where there is one; those before count for OLD_SECRET_LASTS, too. Raises NotFound."""
    source = get(session, source_id)
    is_ours = MAKERS[source.provider].key is KeyKind.PASSWORD
    source.old_secret_hash, source.old_until = source.secret_hash, now + OLD_SECRET_LASTS
    source.old_key = source.key if is_ours else None
    secret, password = _secret(), _secret() if is_ours else ""
    source.secret_hash = passwords.kept(secret)
    if is_ours:
        source.key = passwords.kept(password)
    session.flush()
    return Given(source.id, secret, password)


def switch(session: Session, source_id: int, *, on: bool) -> None:
    """Answer its calls, or none of them, as if it were not there. Raises NotFound."""
    get(session, source_id).is_on = on


def add_header(session: Session, source_id: int, *, on: bool) -> None:
    """Have mails bear the header by which this relay names them, or not. Raises NotFound."""
    get(session, source_id).adds_header = on


def headers_of_mails(session: Session) -> tuple[MatchingHeader, ...]:
    """The headers by which the relays that are switched on name mails, each once."""
    wanted = select(EventSource.provider).where(EventSource.is_on, EventSource.adds_header).distinct()
    return tuple(matching_header(provider) for provider in sorted(session.scalars(wanted)))


def remove(session: Session, source_id: int) -> None:
    """Forget it, and what it reported, but for the facts about mails. Removing what is not there changes nothing."""
    session.execute(delete(EventSource).where(EventSource.id == source_id))


def listing(session: Session) -> list[EventSource]:
    """All sources, the oldest first."""
    return list(session.scalars(select(EventSource).order_by(EventSource.id)))


def called(session: Session, provider: Provider, secret: str, now: datetime) -> KnownSource | None:
    """The source that is called at this address; None where there is none, or it is switched off.

    It is looked up by a hash, of which whoever guesses at secrets can steer nothing: how long the look takes tells them nothing.
    """
    hashed = passwords.kept(secret)
    is_old = (EventSource.old_secret_hash == hashed) & (EventSource.old_until > now)
    found = session.scalar(
        select(EventSource).where(
            EventSource.provider == provider, EventSource.is_on, or_(EventSource.secret_hash == hashed, is_old)
        )
    )
    if found is None:
        return None
    key = found.key if found.secret_hash == hashed or found.old_key is None else found.old_key
    return KnownSource(found.id, found.provider, key)


def take(
    session: Session, known: KnownSource, events: Iterable[RelayEvent], now: datetime, record: Record
) -> TakenEvents:
    """Keep what a believed call reports, once. Raises Refused where a signature comes again with another report, NotFound when the source
    was removed meanwhile. The caller commits, and only then answers."""
    counts = dict.fromkeys(("recorded", "no_mail", "ignored", "repeats"), 0)
    source = session.get(EventSource, known.id, populate_existing=True, with_for_update=True)  # one call at a time
    if source is None:
        raise NotFound("This source does not exist any more.")
    for event in events:
        counts[_take_one(session, known, event, now, record) or "repeats"] += 1
    taken = TakenEvents(**counts)
    source.seen_at = now
    source.events += taken.recorded + taken.no_mail + taken.ignored
    source.repeats += taken.repeats
    session.flush()
    return taken


def _take_one(session: Session, known: KnownSource, event: RelayEvent, now: datetime, record: Record) -> Became | None:
    """What became of it; None for a repeat."""
    digest = reading.digest_of(event.raw)
    same = (ReceivedEvent.source_id == known.id) & (ReceivedEvent.event_key == event.event_key)
    before = session.scalar(select(ReceivedEvent.digest).where(same))
    if before is not None:
        if known.provider is Provider.MAILGUN and before != digest:  # its signature fits any report
            raise Refused("Its token came before, with another report: somebody may be misusing it.", is_final=True)
        return None
    became, delivery_id = Became.IGNORED, None
    if event.kind is not EventKind.OTHER:
        fate = record(session, event, now)
        if not fate.is_new:
            return None
        delivery_id = fate.delivery_id
        became = Became.NO_MAIL if delivery_id is None else Became.RECORDED
    received = ReceivedEvent(
        source_id=known.id,
        event_key=event.event_key,
        kind=event.kind,
        became=became,
        words=event.words,
        delivery_id=delivery_id,
        received_at=now,
        digest=digest,
        raw=None if became is Became.RECORDED else event.raw,
    )
    session.add(received)
    session.flush()
    return became


def was_refused(session: Session, source_id: int, why: str, now: datetime) -> None:
    """Count a call that was not believed, so that a key which does not fit can be seen."""
    statement = update(EventSource).where(EventSource.id == source_id)
    values = {"refusals": EventSource.refusals + 1, "refused_at": now, "refused_why": why[:LONGEST_WHY]}
    change(session, statement.values(values))


def was_subscribed(session: Session, source_id: int, now: datetime, *, ended: bool = False) -> None:
    """Amazon's subscription was confirmed, or has ended."""
    values = {"ended_at": now} if ended else {"confirmed_at": now, "ended_at": None}
    change(session, update(EventSource).where(EventSource.id == source_id).values({"seen_at": now, **values}))


def latest(session: Session, most: int, source_id: int | None = None) -> list[tuple[ReceivedEvent, EventSource]]:
    """The last events, of all sources or of one, the newest first."""
    joined = select(ReceivedEvent, EventSource).join(EventSource, EventSource.id == ReceivedEvent.source_id)
    if source_id is not None:
        joined = joined.where(EventSource.id == source_id)
    return [(event, source) for event, source in session.execute(joined.order_by(ReceivedEvent.id.desc()).limit(most))]


def unheard(session: Session, source: EventSource, now: datetime) -> int:
    """How many mails went out since the source was last heard, if that is longer ago than SILENT_FOR; else 0."""
    since = source.seen_at or source.made_at
    if not source.is_on or since > now - SILENT_FOR:
        return 0
    return session.scalar(select(func.sum(MinuteCount.accepted)).where(MinuteCount.minute > since)) or 0


def forget_old(session: Session, now: datetime, most: int) -> int:
    """Remove what was kept for long enough, so many events at most, and return how many that were. The caller commits."""
    is_over = (ReceivedEvent.became == Became.RECORDED) & (ReceivedEvent.received_at < now - REPEATS_KNOWN)
    old = select(ReceivedEvent.id).where((ReceivedEvent.received_at < now - KEPT) | is_over)
    first = old.order_by(ReceivedEvent.received_at).limit(most)
    return change(session, delete(ReceivedEvent).where(ReceivedEvent.id.in_(first)))


def _secret() -> str:
    return secrets.token_urlsafe(32)
