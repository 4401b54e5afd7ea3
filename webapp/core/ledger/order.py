"""In which order the rows of a broadcast are claimed: by falling `due_at`, so that who was told to come again at a time comes first then,
before those who were never tried, and behind them come those who were refused for what may be the relay's fault."""

from datetime import datetime, timedelta

LONG_DUE = timedelta(days=1)
"""So long before the start new rows are due: a wall clock that is set back by hours holds nobody up."""


def untried(started_at: datetime) -> datetime:
    """When rows that were never tried are due; no others are due then."""
    return started_at - LONG_DUE


def behind(started_at: datetime) -> datetime:
    """When rows are due that go behind all others."""
    return started_at - 2 * LONG_DUE
