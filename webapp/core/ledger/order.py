"""The order in which the rows of a broadcast are claimed: by falling `due_at`. A row that was told to come again at a time is the first one
then. Rows that were never tried follow, and behind them the rows that were refused for what may be the relay's fault.

Rows whose recipient's domain has a limit of its own stand apart, in the line of that limit: `due_at` says in which, by an instant that no
time reaches. So nothing that is due looks at them, and the index that finds what is due finds the rows of a line as well.
"""

from datetime import UTC, datetime, timedelta

LONG_DUE = timedelta(days=1)
"""New rows are due this long before the start: a wall clock that is set back by hours holds nobody up."""


def untried(started_at: datetime) -> datetime:
    """When rows that were never tried are due; no other row has this instant."""
    return started_at - LONG_DUE


def behind(started_at: datetime) -> datetime:
    """When rows that go behind all others are due."""
    return started_at - 2 * LONG_DUE


LINES = datetime(9000, 1, 1, tzinfo=UTC)
"""Instants from here on stand for lines."""


def line(receiver: int) -> datetime:
    """The `due_at` of the rows that stand in the line of a limit with this id."""
    return LINES + timedelta(seconds=receiver)


def receiver_of(due_at: datetime | None) -> int | None:
    """The id of the limit in whose line a row stands; None for one that stands in none."""
    return round((due_at - LINES).total_seconds()) if due_at is not None and due_at >= LINES else None
