"""Counting what the ledger moves, in the transaction that moves it."""

from collections.abc import Mapping

from sqlalchemy import Select, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.deliveries import Tally

CONSOLE = 0
"""The sender id under which the console, the freeze and the sweep count."""


def counts(session: Session, broadcast_id: int) -> dict[DeliveryState, int]:
    """How many deliveries of a broadcast are in each state; states without any are left out."""
    rows = session.execute(
        select(Tally.state, func.sum(Tally.count)).where(Tally.broadcast_id == broadcast_id).group_by(Tally.state)
    )
    return {state: int(count) for state, count in rows if count}


def with_rows_in(state: DeliveryState) -> Select[int]:
    """The ids of the broadcasts that have deliveries in a state."""
    return (
        select(Tally.broadcast_id)
        .where(Tally.state == state)
        .group_by(Tally.broadcast_id)
        .having(func.sum(Tally.count) > 0)
    )


def add(session: Session, broadcast_id: int, sender_id: int, changes: Mapping[DeliveryState, int]) -> None:
    """Add to the counts; `changes` may be negative. One sender's row alone may be, too: only the sum over senders has a meaning."""
    rows = [
        {"broadcast_id": broadcast_id, "sender_id": sender_id, "state": state, "count": change}
        for state, change in sorted(changes.items())
        if change
    ]
    if not rows:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Tally).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Tally.broadcast_id, Tally.sender_id, Tally.state],
            set_={"count": Tally.count + statement.excluded.count},
        )
    )
