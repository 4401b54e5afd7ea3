"""Freeze: turn a broadcast's audience into deliveries, in chunks that hold the database's lock only shortly."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Insert, Subquery, and_, case, false, func, insert, literal, null, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.ledger import tally
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState, SkipReason
from webapp.core.tables.base import EnumText, UtcDateTime
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client
from webapp.core.tables.deliveries import Delivery, Tally

CHUNK = 20_000
"""Client ids looked at in one transaction."""


def freeze_chunk(session: Session, broadcast_id: int, now: datetime, *, chunk: int = CHUNK) -> bool:
    """Freeze the next clients of a broadcast that is sending; True when its freeze is complete. Commit after each call.

    Two workers may call it at once: each chunk is taken by one. The holding whose data the tags take is chosen as of the day the
    broadcast started, in every chunk. Nothing may be claimed before the freeze is complete.
    """
    broadcast = session.get_one(Broadcast, broadcast_id)
    session.refresh(broadcast, with_for_update={"key_share": True})
    if broadcast.frozen_at is not None:
        return True
    if broadcast.state is not BroadcastState.SENDING:
        return False
    after = broadcast.freeze_cursor
    upto, last = _bounds(session, after, chunk)
    if upto > after:
        _insert(session, broadcast, after, upto, now)
        _count(session, broadcast_id, after, upto)
    columns: dict[str, object] = {"freeze_cursor": upto}
    if last:
        frozen = select(func.coalesce(func.sum(Tally.count), 0)).where(Tally.broadcast_id == broadcast_id)
        columns |= {"frozen_at": now, "frozen_count": session.scalar(frozen)}
    session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast_id)
        .values(**columns)
        .execution_options(synchronize_session=False)
    )
    session.refresh(broadcast)
    return last


def _bounds(session: Session, after: int, chunk: int) -> tuple[int, bool]:
    """The last client id of the chunk, and whether it is the last of all."""
    ids = select(Client.id).where(Client.id > after).order_by(Client.id).offset(chunk - 1).limit(2)
    found = session.scalars(ids).all()
    if found:
        return found[0], len(found) == 1
    return session.scalar(select(func.max(Client.id))) or after, True


def _insert(session: Session, broadcast: Broadcast, after: int, upto: int, now: datetime) -> None:
    """The rows of a chunk. Clients may change between two chunks; against the rows already frozen, nobody gets a second mail at one
    address: the database refuses, and then those who clash are looked up and skipped."""
    assert broadcast.started_at is not None
    chosen = audience.recipients(
        audience.audience_of(broadcast), broadcast.started_at.date(), after=after, upto=upto
    ).subquery("r")
    try:
        with session.begin_nested():
            session.execute(_rows(chosen, broadcast.id, now, ()))
    except IntegrityError:
        clashes = select(chosen.c.client_id).join(
            Delivery, and_(Delivery.broadcast_id == broadcast.id, Delivery.address_key == chosen.c.address_key)
        )
        session.execute(_rows(chosen, broadcast.id, now, session.scalars(clashes).all()))


def _rows(chosen: Subquery, broadcast_id: int, now: datetime, clashes: Collection[int]) -> Insert:
    clash = chosen.c.client_id.in_(clashes) if clashes else false()
    reason = case(
        (chosen.c.skip_reason.is_not(None), chosen.c.skip_reason),
        (clash, literal(SkipReason.SAME_ADDRESS, EnumText(SkipReason))),
    )
    skipped = or_(chosen.c.skip_reason.is_not(None), clash)
    state = case(
        (skipped, literal(DeliveryState.SKIPPED, EnumText(DeliveryState))),
        else_=literal(DeliveryState.PENDING, EnumText(DeliveryState)),
    )
    rows = select(
        literal(broadcast_id),
        chosen.c.client_id,
        chosen.c.address,
        case((skipped, null()), else_=chosen.c.address_key),
        chosen.c.service_id,
        chosen.c.addon_assignment_id,
        state,
        reason,
        case((skipped, null()), else_=literal(now, UtcDateTime)),
        literal(0),
        literal(now, UtcDateTime),
    ).order_by(chosen.c.client_id)
    columns = ["broadcast_id", "client_id", "address", "address_key", "service_id", "addon_assignment_id"]
    columns += ["state", "reason", "due_at", "attempts", "changed_at"]
    return insert(Delivery).from_select(columns, rows, include_defaults=False)


def _count(session: Session, broadcast_id: int, after: int, upto: int) -> None:
    rows = (
        select(Delivery.state, func.count())
        .where(Delivery.broadcast_id == broadcast_id, Delivery.client_id > after, Delivery.client_id <= upto)
        .group_by(Delivery.state)
    )
    tally.add(session, broadcast_id, tally.CONSOLE, {row[0]: row[1] for row in session.execute(rows)})
