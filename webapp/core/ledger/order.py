"""The order in which the rows of a broadcast are claimed: by falling `due_at`. A row that was told to come again at a time is the first one
then. Rows that were never tried follow, and behind them the rows that were refused for what may be the relay's fault."""

from datetime import datetime, timedelta

LONG_DUE = timedelta(days=1)
"""New rows are due this long before the start: a wall clock that is set back by hours holds nobody up."""


def untried(started_at: datetime) -> datetime:
    """When rows that were never tried are due; no other row has this instant."""
    return started_at - LONG_DUE


def behind(started_at: datetime) -> datetime:
    """When rows that go behind all others are due."""
    return started_at - 2 * LONG_DUE
