"""An event becomes a row, once, and what follows from it: the address is suppressed, a row in doubt is decided, a broadcast is paused.

The outcome of a delivery stays what it is: that the relay took the mail, and that it came back later, are two facts.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core import broadcasts, ledger
from webapp.core.consent import suppressions
from webapp.core.events import brake, matching
from webapp.core.rules.addresses import Address, usable
from webapp.core.rules.bounces.codes import in_plain_words
from webapp.core.rules.consent import SuppressionKind, SuppressionScope
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.relay_event import (
    FACTS,
    LARGEST_RAW,
    LONGEST_KEY,
    LONGEST_STATUS,
    LONGEST_WORDS,
    SHOWS_TAKEN,
    EventKind,
    Fact,
    RelayEvent,
)
from webapp.core.tables.consent import ConsentSettings
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.events import DeliveryEvent, EventCount


class Recorded(NamedTuple):
    """What was made of an event. `is_new` False: it was known already, and nothing followed. `is_suppressed`: because of it, its address is
    not mailed any more. `kind` is that of the event."""

    is_new: bool
    delivery_id: int | None = None
    is_suppressed: bool = False
    kind: EventKind | None = None


def record(session: Session, event: RelayEvent, now: datetime) -> Recorded:
    """Remember an event and do what follows from it. The same event again changes nothing. The caller commits, and must not say to
    whoever reported it that it was taken before that."""
    delivery = matching.find(session, event)
    address_key = delivery.address_key if delivery else _key(event.address)
    fact = _insert(session, event, delivery, address_key, now)
    if fact is _KNOWN:
        return Recorded(False, delivery.id if delivery else None)
    if delivery is not None:
        _decide_doubt(session, delivery, event, now)
        if isinstance(fact, Fact):
            _count(session, delivery, fact)
    is_suppressed = False
    if address_key is not None and (delivery is not None or event.is_authentic):
        is_suppressed = _suppress(session, address_key, event, delivery, now)
    if delivery is not None and fact in (Fact.BOUNCED, Fact.COMPLAINED):
        brake.look(session, delivery.broadcast_id, now)
    return Recorded(True, delivery.id if delivery else None, is_suppressed, event.kind)


_KNOWN = object()


def _insert(
    session: Session, event: RelayEvent, delivery: Delivery | None, address_key: str | None, now: datetime
) -> object:
    """The fact that the event is the first to tell of its delivery, None where it tells none or was not the first, `_KNOWN` where the
    event itself was known."""
    at = min(event.at or now, now)
    if delivery is not None and delivery.stamped_at is not None:
        at = max(at, delivery.stamped_at)
    values = {
        "delivery_id": delivery.id if delivery else None,
        "kind": event.kind,
        "at": at,
        "received_at": now,
        "source": event.source,
        "event_key": _storable(event.event_key, LONGEST_KEY),
        "status": _storable(event.status, LONGEST_STATUS),
        "words": _storable(event.words, LONGEST_WORDS),
        "address_key": address_key,
        "raw": event.raw[:LARGEST_RAW] or None,
    }
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    fact = FACTS.get(event.kind) if delivery else None
    # Either of the two unique keys may refuse it: with the fact, and then without.
    for one in (fact, None) if fact else (None,):
        made = dialect.insert(DeliveryEvent).values(fact=one, **values).on_conflict_do_nothing()
        if session.scalar(made.returning(DeliveryEvent.id)) is not None:
            return one
    return _KNOWN


def _key(address: str) -> str | None:
    found = usable(address) if address else None
    return found.key if isinstance(found, Address) else None


def _storable(text: str, most: int) -> str:
    """The text without what no database takes: NUL, and halves of characters."""
    return text[:most].replace("\0", "").encode("utf-8", "replace").decode()


def _decide_doubt(session: Session, delivery: Delivery, event: RelayEvent, now: datetime) -> None:
    """A report about a mail shows that the relay took it, where nobody knew."""
    if event.kind in SHOWS_TAKEN and delivery.state is DeliveryState.UNCERTAIN:
        if ledger.resolve_uncertain(session, delivery.broadcast_id, [delivery.id], "reported", now):
            broadcasts.finish_if_done(session, delivery.broadcast_id, now)
        session.refresh(delivery)


def _count(session: Session, delivery: Delivery, fact: Fact) -> None:
    taken_at = delivery.changed_at if delivery.state is DeliveryState.ACCEPTED else delivery.stamped_at
    minute = (taken_at or delivery.changed_at).replace(second=0, microsecond=0)
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    made = dialect.insert(EventCount).values(broadcast_id=delivery.broadcast_id, fact=fact, minute=minute, count=1)
    key = [EventCount.broadcast_id, EventCount.fact, EventCount.minute]
    session.execute(made.on_conflict_do_update(index_elements=key, set_={"count": EventCount.count + 1}))


def _suppress(session: Session, address_key: str, event: RelayEvent, delivery: Delivery | None, now: datetime) -> bool:
    scope = SuppressionScope.EVERYTHING
    match event.kind:
        case EventKind.COMPLAINED:
            kind, reason = SuppressionKind.COMPLAINED, "complained about a mail"
        case EventKind.BOUNCED:
            kind, reason = SuppressionKind.BOUNCED, in_plain_words(event.status) or "came back for good"
        case EventKind.SOFT_BOUNCED if again := _too_often(session, address_key, now):
            kind, reason = SuppressionKind.BOUNCED, again
        case EventKind.UNSUBSCRIBED:
            kind, scope, reason = SuppressionKind.UNSUBSCRIBED, SuppressionScope.MARKETING, "declined at the relay"
        case _:
            return False
    evidence = _storable(f"{event.status} {event.words}".strip(), LONGEST_WORDS)
    return suppressions.suppress(
        session,
        address_key,
        kind,
        now,
        scope=scope,
        reason=reason,
        source=event.source,
        evidence=evidence,
        delivery_id=delivery.id if delivery else None,
    )


def _too_often(session: Session, address_key: str, now: datetime) -> str | None:
    """Why an address is suppressed that came back for a while too often; None where it did not. Each mail counts once."""
    most, days = session.execute(select(ConsentSettings.soft_bounces, ConsentSettings.soft_bounce_days)).one()
    if most < 1:
        return None
    times = session.scalar(
        select(func.count(func.distinct(func.coalesce(DeliveryEvent.delivery_id, -DeliveryEvent.id)))).where(
            DeliveryEvent.address_key == address_key,
            DeliveryEvent.kind == EventKind.SOFT_BOUNCED,
            DeliveryEvent.received_at > now - timedelta(days=days),
        )
    )
    return f"came back {times} times in {days} days" if times is not None and times >= most else None
