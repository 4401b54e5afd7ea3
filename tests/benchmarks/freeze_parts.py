"""Where the time of a freeze goes: its rows written once more, as a freeze writes them, into tables that have ever more of what the ledger
has. What the whole freeze takes beyond the last of them is finding out who gets the mail, and who does not and why.
"""

import time
from typing import NamedTuple

from flask import Flask
from sqlalchemy import CheckConstraint, MetaData, Select, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.adapters import database
from webapp.core.sending.beginning import LARGEST_CHUNK
from webapp.core.tables.deliveries import Delivery, delivery_id
from webapp.extensions import db

ADDRESSES, STATES = "uq_delivery_broadcast_id_address_key", "ix_delivery_state"


class Step(NamedTuple):
    """What a table has, in words; whether its constraints, and which indexes; and whether a second row with an address is left out
    by the statement, as in a freeze, where others are refused."""

    words: str
    is_checked: bool = True
    indexes: tuple[str, ...] = (STATES, ADDRESSES)
    leaves_out: bool = False


STEPS = (
    Step("the rows alone, with their primary key", is_checked=False, indexes=()),
    Step("and the constraints that each is checked against", indexes=()),
    Step("and the index by state, from which senders claim", indexes=(STATES,)),
    Step("and the one by address, which lets nobody get two mails"),
    Step("and whoever has an address that is there is left out", leaves_out=True),
)


def show(app: Flask, broadcast_id: int, kind: str, whole_s: float) -> None:
    """Print what each step takes, for a broadcast that is frozen in `whole_s` seconds and has not begun to be sent."""
    print(f"  freeze, {kind}: seconds, each step with all above it")
    with app.app_context():
        for step in STEPS:
            print(f"    {_written(broadcast_id, step):6.2f}  {step.words}")
    print(f"    {whole_s:6.2f}  the whole freeze: and who is among the recipients, and why not", flush=True)


def _table(step: Step) -> Table:
    """The ledger's table under another name, without the rest."""
    table = Delivery.__table__.to_metadata(MetaData(), name="freeze_parts")  # type: ignore[attr-defined]
    for index in [index for index in table.indexes if index.name not in step.indexes]:
        table.indexes.remove(index)
    for index in table.indexes:
        index.name = f"freeze_parts_{index.name}"
    table.primary_key.name = f"freeze_parts_{table.primary_key.name}"
    if not step.is_checked:
        table.constraints -= {one for one in table.constraints if isinstance(one, CheckConstraint)}
    return table


def _written(broadcast_id: int, step: Step) -> float:
    """Seconds to write a broadcast's rows into such a table, chunk by chunk, in haste but for the end."""
    table = _table(step)
    table.create(db.engine)
    try:
        columns = Delivery.__table__.c
        first, last = delivery_id(broadcast_id, 0), delivery_id(broadcast_id + 1, 0)
        with Session(db.engine) as session:
            last = session.scalar(select(func.max(columns.id)).where(columns.id.between(first, last))) or first
        began = time.perf_counter()
        with database.writing_much(db.engine) as pause, Session(db.engine) as session:
            for after in range(first, last, LARGEST_CHUNK):
                chunk = select(*columns).where(columns.id > after, columns.id <= after + LARGEST_CHUNK)
                _copy(session, table, chunk.order_by(columns.id), step)
                if after + LARGEST_CHUNK > last:
                    database.take_time(session)
                session.commit()
                pause()
        return time.perf_counter() - began
    finally:
        table.drop(db.engine)


def _copy(session: Session, table: Table, rows: Select, step: Step) -> None:
    database.will_write(session, hastily=True)
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    statement = statement.from_select(rows.selected_columns.keys(), rows, include_defaults=False)
    if step.leaves_out:
        statement = statement.on_conflict_do_nothing(index_elements=[table.c.broadcast_id, table.c.address_key])
    session.execute(statement)
