"""Freeze: turn a broadcast's audience into deliveries, in chunks that hold the database's lock only shortly.

At every instant, and for every reader, rows and tally agree state by state. Before the start there are no rows. While recipients are
collected (`started_at` is set, `frozen_at` is not) there are rows and no number yet: `frozen_count` is NULL. Each chunk adds rows and none
takes any away, and all are pending or skipped, since nothing is claimed before the freeze is complete. A pause in between leaves the rows
as they are, and a resume goes on from `freeze_cursor`; a cancel turns the waiting rows into cancelled ones, and the broadcast never gets a
number. The last chunk sets `frozen_at` and `frozen_count` in the transaction of its rows: from then on the states of all rows add up to
that number, for good.
"""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from webapp.core import audience, guarded
from webapp.core.audience import Audience
from webapp.core.ledger import order, tally
from webapp.core.media import own_files
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState, SkipReason
from webapp.core.tables.base import EnumText, UtcDateTime
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client
from webapp.core.tables.deliveries import Delivery, Tally, delivery_id

CLIENTS_AT_ONCE = 20_000
"""Client ids looked at in one transaction."""

Columns = dict[str, ColumnElement[Any]]

_ROW = Delivery.__table__


def freeze_chunk(session: Session, broadcast_id: int, now: datetime, *, chunk: int = CLIENTS_AT_ONCE) -> bool:
    """Freeze the next clients of a broadcast that is sending; True when its freeze is complete. Commit after each call.

    Two workers may call it at once: one of them takes each chunk. Every chunk chooses the holding whose data the tags take as of the day
    on which the broadcast started. Nothing may be claimed before the freeze is complete.
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
    """The rows of a chunk: first those who get it, by rising id, then all others of the audience with the reason.

    The database decides that nobody gets a second mail at one address: it refuses the second row with it. So that holds when clients
    change between two chunks, too, and nobody has to be looked up. Both kinds of rows are of one moment: on PostgreSQL one statement
    writes them, and on SQLite nobody else can write.
    """
    assert broadcast.started_at is not None
    who = audience.audience_of(broadcast)
    if not audience.has_picks(session, broadcast.id):  # and only drafts get any
        who = replace(who, broadcast_id=None)
    dialect = session.get_bind().dialect.name
    content_id = own_files.skips_without(session, broadcast.content.id)
    statements = _statements(dialect, broadcast.id, who, broadcast.started_at, content_id)
    bound = {"after": after, "upto": upto, "now": now}
    if dialect == "sqlite":
        counting = {"preserve_rowcount": True}
        written, left = (
            guarded.counted(session.execute(statement, bound, execution_options=counting)) for statement in statements
        )
    else:
        written, left = session.execute(statements[0], bound).one()
    tally.add(session, broadcast.id, tally.CONSOLE, {DeliveryState.PENDING: written, DeliveryState.SKIPPED: left})


@lru_cache(maxsize=16)
def _statements(
    dialect: str, broadcast_id: int, who: Audience, started_at: datetime, needs_file_of: int | None
) -> tuple[Any, ...]:
    """The statements of each chunk, made once: it takes longer to put them together than to freeze a thousand clients. Their parameters
    are `after`, `upto` and `now`. `needs_file_of` is the content of which nobody gets a mail without a file of their own."""
    query = audience.recipients(
        who,
        started_at.date(),
        after=bindparam("after", type_=BigInteger),
        upto=bindparam("upto", type_=BigInteger),
        compares_addresses=False,
    )
    if needs_file_of is not None:
        query = _with_file(query, needs_file_of)
    query = query.add_columns(delivery_id(broadcast_id, query.selected_columns.client_id).label("id"))
    common: Columns = {
        "broadcast_id": literal(broadcast_id),
        "attempts": literal(0),
        "changed_at": bindparam("now", type_=UtcDateTime),
    }
    pending = common | {
        "state": literal(DeliveryState.PENDING, EnumText(DeliveryState)),
        "due_at": literal(order.untried(started_at), UtcDateTime),
    }
    skipped = common | {"address_key": null(), "state": literal(DeliveryState.SKIPPED, EnumText(DeliveryState))}
    make = _on_sqlite if dialect == "sqlite" else _on_postgresql
    return make(query, pending, skipped)


def _with_file(query: Select[Any], content_id: int) -> Select[Any]:
    """The same recipients, those without a file of their own with that as the reason why they get nothing, if there is no other."""
    found, client = query.order_by(None).subquery("w"), aliased(Client, name="n")
    no_file = literal(SkipReason.NO_FILE, EnumText(SkipReason))
    lacks = case((own_files.has_one(content_id, client.number), null()), else_=no_file)
    reason = func.coalesce(found.c.skip_reason, lacks, type_=EnumText(SkipReason)).label("skip_reason")
    others = [column for column in found.c if column.name != "skip_reason"]
    return select(*others, reason).join(client, client.id == found.c.client_id).order_by(found.c.client_id)


def _on_postgresql(query: Select[Any], pending: Columns, skipped: Columns) -> tuple[Any, ...]:
    """One statement that tells how many get it, and how many do not. It looks up in a table in memory who is not among those written. The
    planner has no other choice: it knows nothing yet about a broadcast that is being frozen, and would search its rows in the wrong way.
    """
    chosen = query.cte("r")
    written = _written(postgresql, chosen, pending).returning(_ROW.c.client_id).cte("written")
    left = _left(chosen, skipped, chosen.c.client_id.not_in(select(written.c.client_id)))
    parts = (written, left.returning(literal(1).label("one")).cte("left_out"))
    return (select(*(select(func.count()).select_from(part).scalar_subquery() for part in parts)),)


def _on_sqlite(query: Select[Any], pending: Columns, skipped: Columns) -> tuple[Any, ...]:
    """Two statements: one writes those who get it, the other those who do not."""
    row = aliased(Delivery, name="d")
    # A join, because SQLite begins each EXISTS anew; inside the query, before it finds out the reason of everybody.
    others = query.outerjoin(row, row.id == query.selected_columns.id).where(row.id.is_(None))
    return _written(sqlite, query.subquery("r"), pending), _left(others.subquery("r"), skipped, true())


def _written(dialect: Any, chosen: FromClause, columns: Columns) -> Any:
    """The INSERT of those who get it, unless somebody has their address."""
    columns = columns | {"address_key": chosen.c.address_key}
    statement = _rows(dialect.insert(_ROW), chosen, columns, chosen.c.skip_reason.is_(None))
    return statement.on_conflict_do_nothing(index_elements=[_ROW.c.broadcast_id, _ROW.c.address_key])


def _left(chosen: FromClause, columns: Columns, condition: ColumnElement[bool]) -> Any:
    """The INSERT of those who do not get it; whoever has no other reason shares an address with somebody who gets it."""
    same = literal(SkipReason.SAME_ADDRESS, EnumText(SkipReason))
    reason = func.coalesce(chosen.c.skip_reason, same, type_=EnumText(SkipReason))
    return _rows(insert(_ROW), chosen, columns | {"reason": reason}, condition)


def _rows(statement: Any, chosen: FromClause, columns: Columns, condition: ColumnElement[bool]) -> Any:
    """The INSERT of those of `chosen` for whom the condition holds."""
    kept = ("id", "client_id", "address", "service_id", "addon_assignment_id", "language")
    columns = {name: chosen.c[name] for name in kept if name in chosen.c} | columns
    rows = select(*columns.values()).where(condition).order_by(chosen.c.client_id)
    return statement.from_select(list(columns), rows, include_defaults=False)
