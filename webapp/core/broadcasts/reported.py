"""What was reported of a broadcast's mails after the relay took them, as people read it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp.core.rules import reasons
from webapp.core.rules.relay_event import EventKind, Fact
from webapp.core.tables.deliveries import CLIENTS, Delivery, delivery_id
from webapp.core.tables.events import DeliveryEvent, EventCount


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a mail. `words` say what happened ("bounced after 3 min: no such mailbox"), `said` is the reporter's own."""

    delivery_id: int
    kind: EventKind
    at: datetime
    source: str
    words: str
    said: str

    @property
    def title(self) -> str:
        """Its words, for a line of their own."""
        return self.words[:1].upper() + self.words[1:]

    @property
    def is_bad(self) -> bool:
        return self.kind in (EventKind.BOUNCED, EventKind.SOFT_BOUNCED, EventKind.COMPLAINED)


def counts_of(session: Session, broadcast_id: int) -> dict[Fact, int]:
    """Of how many of its deliveries each fact is known; facts without any are left out."""
    return counts_of_many(session, [broadcast_id]).get(broadcast_id, {})


def counts_of_many(session: Session, broadcast_ids: Collection[int]) -> Mapping[int, dict[Fact, int]]:
    """The same of several broadcasts."""
    found: dict[int, dict[Fact, int]] = defaultdict(dict)
    rows = session.execute(
        select(EventCount.broadcast_id, EventCount.fact, func.sum(EventCount.count))
        .where(EventCount.broadcast_id.in_(broadcast_ids))
        .group_by(EventCount.broadcast_id, EventCount.fact)
    )
    for broadcast_id, fact, count in rows:
        found[broadcast_id][fact] = int(count)
    return found


def facts_of(session: Session, delivery_ids: Collection[int]) -> Mapping[int, Sequence[Report]]:
    """The facts that are known of deliveries: what came back or was complained about first, then what was delivered."""
    if not delivery_ids:
        return {}
    return _reports(session, DeliveryEvent.delivery_id.in_(delivery_ids), DeliveryEvent.fact.is_not(None))


def of_delivery(session: Session, delivery: int) -> Sequence[Report]:
    """Everything that was reported of a delivery, in its order."""
    return sorted(_reports(session, DeliveryEvent.delivery_id == delivery).get(delivery, ()), key=lambda one: one.at)


_ORDER = (EventKind.COMPLAINED, EventKind.BOUNCED, EventKind.SOFT_BOUNCED, EventKind.DELIVERED)


def _reports(session: Session, *conditions: ColumnElement[bool]) -> dict[int, list[Report]]:
    found: dict[int, list[Report]] = defaultdict(list)
    rows = session.execute(
        select(Delivery.id, DeliveryEvent, Delivery.changed_at, Delivery.stamped_at, Delivery.state)
        .join(Delivery, Delivery.id == DeliveryEvent.delivery_id)
        .where(*conditions)
    )
    for delivery, event, changed_at, stamped_at, state in rows:
        since = reasons.taken_at(state, changed_at, stamped_at)
        words = reasons.reported(event.kind, event.status, event.words, event.at - since if since else None)
        said = f"{event.status} {event.words}".strip() if event.status not in event.words else event.words
        found[delivery].append(Report(delivery, event.kind, event.at, event.source, words, said))
    for reports in found.values():
        reports.sort(key=lambda one: _ORDER.index(one.kind) if one.kind in _ORDER else len(_ORDER))
    return found


def of_broadcast(broadcast_id: int, fact: Fact) -> tuple[ColumnElement[bool], ...]:
    """Conditions on rows of `DeliveryEvent`: those of a broadcast's deliveries that a fact is known of."""
    first, last = delivery_id(broadcast_id, 0), delivery_id(broadcast_id, CLIENTS - 1)
    return DeliveryEvent.fact == fact, DeliveryEvent.delivery_id.between(first, last)
