"""Settings for `rq worker` (RQ_CONFIG=tests.faults.stepping_worker): those of `jobs.worker`, with a wall clock that the tests can step.

Every place at which the program or RQ reads the wall clock adds the seconds in a file; the clock of the database, too, because it would
be the same machine's. The clocks that tick steadily are left alone, as a step leaves them.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import rq.scheduler

from jobs.worker import QUEUES, REDIS_URL, SENTINEL
from webapp.adapters import clock, wakeups
from webapp.core.ledger.on_postgresql import OnPostgresql
from webapp.core.ledger.rows import ClaimedNow
from webapp.core.rules.pacing import Reading

__all__ = ["QUEUES", "REDIS_URL", "SENTINEL"]

STEP = "TEST_STEP"
"""The variable that names the file."""

PATH = Path(os.environ[STEP])


def step() -> timedelta:
    """How far the wall clock is ahead now."""
    return timedelta(seconds=float(PATH.read_text()))


class Stepped(datetime):
    """`datetime` with the stepped clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) + step()


def claimed_now(path: OnPostgresql, broadcast_id: int, reading: Reading) -> ClaimedNow:
    shown, claimed = of_database(path, broadcast_id, reading)
    return ClaimedNow(replace(shown, wall=shown.wall + step()), claimed)


of_database = OnPostgresql.claimed_now
OnPostgresql.claimed_now = claimed_now
clock.now = lambda: datetime.now(UTC) + step()
wakeups.datetime = Stepped  # type: ignore[misc]
rq.scheduler.current_timestamp = lambda: int(Stepped.now(UTC).timestamp())
