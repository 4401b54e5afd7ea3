"""Which workers there are. Each writes that it lives and what it does; without a worker nothing is sent, and people are told.

Every `now` here is the clock of the database (`adapters/database.now`), so that hosts whose clocks differ agree on who was seen when.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.core.cadence import FORGOTTEN_AFTER, MISSED_AFTER
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.workers import KnownWorker

START = "RQ_CONFIG=jobs.worker rq worker"
"""The command that starts a worker."""

WAITS = "waits"
"""What a worker writes that has nothing to do."""

WAITING_TO_BE_SENT = (BroadcastState.SCHEDULED, BroadcastState.SENDING)


@dataclass(frozen=True)
class Identity:
    """A worker process, from its start to its end; `id` tells it from all others, also from a later one with the same pid."""

    id: str
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]


@dataclass(frozen=True)
class NoWorker:
    """There is no worker. `since` is when the last one was seen; None when there never was one."""

    since: datetime | None


class WorkerState(StrEnum):
    """How a worker is, as people read it."""

    WAITING = "waiting"
    WORKING = "working"
    GONE = "gone"
    ENDED = "ended"


@dataclass(frozen=True)
class Listed:
    """A worker and how it is."""

    worker: KnownWorker
    state: WorkerState


def seen(session: Session, who: Identity, doing: str, now: datetime) -> None:
    """A worker lives, and does this. Deletes workers that have been gone for a day. Only a living one does, so the last stays known."""
    row = session.get(KnownWorker, who.id)
    if row is None:
        row = KnownWorker(
            id=who.id, host=who.host[:255], pid=who.pid, version=who.version, queues=list(who.queues), started_at=now
        )
        session.add(row)
    row.doing, row.seen_at, row.ended_at = doing[:200], now, None
    session.flush()
    session.execute(delete(KnownWorker).where(KnownWorker.seen_at < now - FORGOTTEN_AFTER))


def ended(session: Session, worker_id: str, now: datetime) -> None:
    """A worker ends as it should."""
    row = session.get(KnownWorker, worker_id)
    if row is not None:
        row.seen_at = row.ended_at = now
        row.doing = WAITS
        session.flush()


def listing(session: Session, now: datetime) -> list[Listed]:
    """All known workers: first those that live, then the others, the one seen last first."""
    rows = session.scalars(select(KnownWorker).execution_options(populate_existing=True)).all()
    listed = [Listed(row, _state(row, now)) for row in rows]
    gone = (WorkerState.GONE, WorkerState.ENDED)
    return sorted(
        listed,
        key=lambda one: (
            one.state in gone,
            -one.worker.seen_at.timestamp() if one.state in gone else 0,
            one.worker.host,
            one.worker.started_at,
            one.worker.id,
        ),
    )


def missing_since(session: Session, now: datetime) -> NoWorker | None:
    """None while there is a worker, that is one seen within MISSED_AFTER; also one that has ended, because it may just be starting anew."""
    times = session.scalars(select(KnownWorker.seen_at)).all()
    return None if any(_is_recent(at, now) for at in times) else NoWorker(max(times, default=None))


def is_anything_waiting(session: Session) -> bool:
    """Whether a broadcast is scheduled or sending, so that a worker is wanted."""
    return session.scalar(select(Broadcast.id).where(Broadcast.state.in_(WAITING_TO_BE_SENT)).limit(1)) is not None


def _is_recent(seen_at: datetime, now: datetime) -> bool:
    """An instant in the future is recent within the same limit only: a clock that was set back leaves such instants behind."""
    return abs(now - seen_at) < MISSED_AFTER


def _state(row: KnownWorker, now: datetime) -> WorkerState:
    if row.ended_at is not None:
        return WorkerState.ENDED
    if not _is_recent(row.seen_at, now):
        return WorkerState.GONE
    return WorkerState.WAITING if row.doing == WAITS else WorkerState.WORKING
