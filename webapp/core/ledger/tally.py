"""Counting what the ledger moves, in the transaction that moves it."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.cadence import TALLY_KEPT
from webapp.core.ledger.hot_path import hot
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.deliveries import MinuteCount, Sender, Tally

CONSOLE = 0
"""The console, the freeze and the sweep count under this sender id; the counts of senders that ended long ago move to it."""

FOLDED = 500
"""Senders whose counts are folded at a time."""


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
    """Add to the counts; `changes` may be negative. The count of one sender may be, too: only the sum over senders has a meaning."""
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


def foldable(session: Session, now: datetime) -> dict[int, list[int]]:
    """By broadcast the senders that ended long ago and still have counts of their own; a part of them at a time."""
    query = (
        select(Tally.broadcast_id, Tally.sender_id)
        .join(Sender, Sender.id == Tally.sender_id)
        .where(Sender.ended_at < now - TALLY_KEPT)
        .distinct()
        .limit(FOLDED)
    )
    found: dict[int, list[int]] = {}
    for broadcast_id, sender_id in session.execute(query):
        found.setdefault(broadcast_id, []).append(sender_id)
    return found


def fold(session: Session, broadcast_id: int, sender_ids: Collection[int]) -> None:
    """Add the counts of these ended senders to those of the console, and delete their rows. No sum changes. A paced broadcast has a sender
    for each of its batches, and the time to add all of them up must not grow with their number."""
    mine = select(Sender.id).where(Sender.id.in_(sender_ids)).order_by(Sender.id)
    ids = session.scalars(mine.with_for_update(skip_locked=True)).all()  # somebody else may be at it
    of_states: Counter[DeliveryState] = Counter()
    for state, count in session.execute(
        delete(Tally)
        .where(Tally.broadcast_id == broadcast_id, Tally.sender_id.in_(ids))
        .returning(Tally.state, Tally.count)
    ).all():
        of_states[state] += count
    accepted: Counter[datetime] = Counter()
    other: Counter[datetime] = Counter()
    for row in session.execute(
        delete(MinuteCount)
        .where(MinuteCount.broadcast_id == broadcast_id, MinuteCount.sender_id.in_(ids))
        .returning(MinuteCount.minute, MinuteCount.accepted, MinuteCount.other)
    ).all():
        accepted[row.minute] += row.accepted
        other[row.minute] += row.other
    add(session, broadcast_id, CONSOLE, of_states)
    path = hot(session)
    for minute in sorted(accepted):
        path.count_minute(broadcast_id, CONSOLE, minute, accepted[minute], other[minute])
