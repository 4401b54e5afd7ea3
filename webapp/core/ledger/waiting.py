"""Rows that wait: make those pending whose time has come, release or cancel them, and tell when the next one is due."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.ledger import order, tally
from webapp.core.rules.lifecycle import WAITING, DeliveryState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery, delivery_id

MOVED_AT_ONCE = 5_000
"""Rows moved in one transaction."""

SOME = 150
"""So many recipients are looked at, at either end."""

COMES_BACK = (DeliveryState.DEFERRED, DeliveryState.HELD, DeliveryState.UNCERTAIN)
"""States in which a row that has a `due_at` goes back to pending then; an uncertain one has it only under the policy *retry*."""


def promote(session: Session, broadcast_id: int, now: datetime, *, limit: int = 500) -> int:
    """Make rows pending again whose time has come; rows that were held for what may be the relay's fault go behind all others. Returns how
    many rows moved."""
    moved = 0
    for state in COMES_BACK:
        values: dict[str, object] = {}
        if state is DeliveryState.HELD:
            started_at = session.scalar(select(Broadcast.started_at).where(Broadcast.id == broadcast_id))
            values["due_at"] = order.behind(started_at or now)
        moved += _move(session, broadcast_id, state, DeliveryState.PENDING, now, limit, due=now, values=values)
    return moved


def postpone(session: Session, ids: Collection[int], due_at: datetime) -> None:
    """Make pending rows wait until an instant."""
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state == DeliveryState.PENDING)
        .values(due_at=due_at)
        .execution_options(synchronize_session=False)
    )


def spread(session: Session, broadcast_id: int) -> int:
    """How many domains a broadcast's recipients have, as far as SOME of them at either end tell."""
    mine = (Delivery.id > delivery_id(broadcast_id, 0), Delivery.id < delivery_id(broadcast_id + 1, 0))
    found: set[str] = set()
    for end in (Delivery.id.asc(), Delivery.id.desc()):
        addresses = session.scalars(select(Delivery.address).where(*mine).order_by(end).limit(SOME))
        found |= {address.rpartition("@")[2].lower() for address in addresses if address}
    return len(found)


def has_much(session: Session, broadcast_id: int, count: int) -> bool:
    """Whether at least so many mails are pending."""
    return tally.counts(session, broadcast_id).get(DeliveryState.PENDING, 0) >= count


def release_held(session: Session, broadcast_id: int, now: datetime, *, limit: int = MOVED_AT_ONCE) -> int:
    """Make rows that were held because of the relay due at once: somebody has resumed the broadcast."""
    rows = (
        select(Delivery.id)
        .where(Delivery.broadcast_id == broadcast_id, Delivery.state == DeliveryState.HELD, Delivery.due_at > now)
        .limit(limit)
    )
    return _update(session, rows, {"due_at": now})


def cancel_waiting(session: Session, broadcast_id: int, now: datetime, *, limit: int = MOVED_AT_ONCE) -> int:
    """Cancel rows of a cancelled broadcast that nobody has in hand. Returns how many; commit and call again until it is 0."""
    return sum(_move(session, broadcast_id, state, DeliveryState.CANCELLED, now, limit) for state in sorted(WAITING))


def next_due(session: Session, broadcast_id: int) -> datetime | None:
    """When the next waiting row may be claimed, by its own `due_at`; in the past when one may be claimed now, None when none waits. Rows
    that stand in a line are not meant."""
    moments = [
        session.scalar(
            select(func.min(Delivery.due_at)).where(
                Delivery.broadcast_id == broadcast_id, Delivery.state == state, Delivery.due_at.is_not(None)
            )
        )
        for state in (DeliveryState.PENDING, *COMES_BACK)
    ]
    return min((moment for moment in moments if moment is not None and moment < order.LINES), default=None)


def _move(
    session: Session,
    broadcast_id: int,
    source: DeliveryState,
    target: DeliveryState,
    now: datetime,
    limit: int,
    *,
    due: datetime | None = None,
    values: Mapping[str, object] = MappingProxyType({}),
) -> int:
    rows = select(Delivery.id).where(Delivery.broadcast_id == broadcast_id, Delivery.state == source).limit(limit)
    if due is not None:
        rows = rows.where(Delivery.due_at <= due)
    moved = _update(session, rows, {"state": target, "changed_at": now, **values}, source)
    if moved:
        tally.add(session, broadcast_id, tally.CONSOLE, {source: -moved, target: moved})
    return moved


def _update(
    session: Session,
    rows: Select[int],
    values: Mapping[str, object],
    source: DeliveryState = DeliveryState.HELD,
) -> int:
    ids = session.scalars(rows).all()
    if not ids:
        return 0
    moved = update(Delivery).where(Delivery.id.in_(ids), Delivery.state == source).values(**values)
    return guarded.change(session, moved)
