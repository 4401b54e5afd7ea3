"""Freeze: turn a broadcast's audience into deliveries, in chunks that hold the database's lock only shortly."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, exists, func, insert, literal, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from webapp.core import audience
from webapp.core.ledger import tally
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState, SkipReason
from webapp.core.tables.base import EnumText, UtcDateTime
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client
from webapp.core.tables.deliveries import Delivery, Tally

CHUNK = 20_000
"""Client ids looked at in one transaction."""

LONG_DUE = timedelta(days=1)
"""So long before the start new rows are due: a wall clock that is set back by hours holds nobody up."""


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
    """The rows of a chunk: first those who get it, by rising id, then all others with the reason.

    That nobody gets a second mail at one address is decided by the database, which refuses the second row with it; so it holds too
    when clients change between two chunks, and nobody has to be looked up. Whoever is changed between the two statements, from one who
    gets no mail to one who would, is left out, as if the change had come a moment later.
    """
    assert broadcast.started_at is not None
    chosen = audience.recipients(
        audience.audience_of(broadcast),
        broadcast.started_at.date(),
        after=after,
        upto=upto,
        compares_addresses=False,
    ).subquery("r")
    common: dict[str, ColumnElement] = {
        "broadcast_id": literal(broadcast.id),
        "attempts": literal(0),
        "changed_at": literal(now, UtcDateTime),
    }
    wanted = common | {
        "address_key": chosen.c.address_key,
        "state": literal(DeliveryState.PENDING, EnumText(DeliveryState)),
        "due_at": literal(broadcast.started_at - LONG_DUE, UtcDateTime),
    }
    skipped = common | {
        "address_key": null(),
        "state": literal(DeliveryState.SKIPPED, EnumText(DeliveryState)),
        "reason": func.coalesce(
            chosen.c.skip_reason, literal(SkipReason.SAME_ADDRESS, EnumText(SkipReason)), type_=EnumText(SkipReason)
        ),
    }
    row, holder = aliased(Delivery, name="d"), aliased(Delivery, name="h")
    is_there = exists().where(
        row.broadcast_id == broadcast.id,
        row.client_id == chosen.c.client_id,
        row.client_id > after,
        row.client_id <= upto,
    )
    # A scalar query, which PostgreSQL asks row by row, of the few that are left; for EXISTS it might read all the deliveries.
    who_has_the_address = (
        select(holder.id)
        .where(holder.broadcast_id == broadcast.id, holder.address_key == chosen.c.address_key)
        .scalar_subquery()
    )
    gets_none = or_(chosen.c.skip_reason.is_not(None), who_has_the_address.is_not(None))
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    unless_refused = {"index_elements": [Delivery.broadcast_id, Delivery.address_key]}
    first = _rows(dialect.insert(Delivery), chosen, wanted, chosen.c.skip_reason.is_(None))
    second = _rows(insert(Delivery), chosen, skipped, and_(~is_there, gets_none))
    inserts = {DeliveryState.PENDING: first.on_conflict_do_nothing(**unless_refused), DeliveryState.SKIPPED: second}
    counts = {
        state: session.execute(statement, execution_options={"preserve_rowcount": True}).rowcount  # type: ignore[attr-defined]
        for state, statement in inserts.items()
    }
    tally.add(session, broadcast.id, tally.CONSOLE, counts)


def _rows(statement: Any, chosen: Subquery, columns: dict[str, ColumnElement], condition: ColumnElement[bool]) -> Any:
    """The INSERT of those of `chosen` for whom the condition holds."""
    kept = ("client_id", "address", "service_id", "addon_assignment_id")
    columns = {name: chosen.c[name] for name in kept} | columns
    rows = select(*columns.values()).where(condition).order_by(chosen.c.client_id)
    return statement.from_select(list(columns), rows, include_defaults=False)
