"""Leases: which process may move which rows, and until when. The database decides that, not the queue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.cadence import LEASE_S, RENEW_S
from webapp.core.ledger.hot_path import hot
from webapp.core.rules.limits import connections_for
from webapp.core.rules.pacing import Reading
from webapp.core.tables.deliveries import Sender


@dataclass(frozen=True, slots=True)
class Lease:
    sender_id: int
    broadcast_id: int
    epoch: int


class LeaseLost(Exception):
    """The sender's rows were taken over: it must change nothing any more. The transaction is to be rolled back."""


def open_lease(
    session: Session, broadcast_id: int, *, host: str, pid: int, journal: str, reading: Reading, machine: str = ""
) -> Lease:
    """A lease for a new sending process. `journal` names the file that it will write, `machine` is the id of that file's folder, and
    `host` is what people call the machine."""
    sender = Sender(
        broadcast_id=broadcast_id,
        epoch=1,
        host=host[:200],
        machine=machine,
        boot=reading.boot,
        pid=pid,
        journal=journal,
        started_at=reading.wall,
        expires_at=reading.wall + timedelta(seconds=LEASE_S),
    )
    session.add(sender)
    session.flush()
    return Lease(sender.id, broadcast_id, sender.epoch)


def renew(session: Session, lease: Lease, now: datetime) -> None:
    """Prolong the lease from `now`. Raises LeaseLost."""
    if not hot(session).renew(lease.sender_id, lease.epoch, now + timedelta(seconds=LEASE_S)):
        raise LeaseLost(f"sender {lease.sender_id} of broadcast {lease.broadcast_id}")


def end_lease(session: Session, lease: Lease, now: datetime) -> None:
    """Give the lease back, with no row left under it. Raises LeaseLost."""
    if not _end(session, lease, now, epoch=lease.epoch):
        raise LeaseLost(f"sender {lease.sender_id} of broadcast {lease.broadcast_id}")


def take_over(session: Session, lease: Lease, expires_at: datetime, now: datetime) -> Lease | None:
    """End another process's lease under a new epoch, in which its rows may be settled. None when somebody else was faster, or when that
    process itself has renewed the lease, which was to end at `expires_at` when its journal was read."""
    epoch = lease.epoch + 1
    is_over = _end(session, lease, now, Sender.expires_at == expires_at, epoch=epoch)
    return Lease(lease.sender_id, lease.broadcast_id, epoch) if is_over else None


def _end(session: Session, lease: Lease, now: datetime, *conditions: ColumnElement[bool], epoch: int) -> bool:
    ended = (
        update(Sender)
        .where(Sender.id == lease.sender_id, Sender.epoch == lease.epoch, Sender.ended_at.is_(None), *conditions)
        .values(epoch=epoch, ended_at=now)
    )
    return guarded.change_one(session, ended)


def open_senders(session: Session, broadcast_id: int | None = None) -> list[Sender]:
    """Senders whose lease was not ended, alive or not."""
    query = select(Sender).where(Sender.ended_at.is_(None)).order_by(Sender.id)
    if broadcast_id is not None:
        query = query.where(Sender.broadcast_id == broadcast_id)
    return list(session.scalars(query))


def share_connections(
    session: Session, lease: Lease, limit: int, *, wanted: int, holding: int, now: datetime
) -> tuple[int, bool]:
    """How many connections to the relay the lease's process may hold, of the `limit` for all processes together: its share, as far as
    others have let go; and whether another process goes without. `wanted` is how many it would like, `holding` how many it may still hold
    of an earlier, larger share. A process does not count once its lease has been over for so long that it has let go by its own clock. Not
    for a limit of 0.
    """
    hot(session).lock_limits()
    is_there = or_(Sender.suspected_at.is_(None), Sender.suspected_at > now - timedelta(seconds=LEASE_S))
    is_new = Sender.started_at > now - timedelta(seconds=2 * RENEW_S)  # and may just not have asked yet
    has_none = and_(Sender.connections == 0, Sender.expires_at > now, not_(is_new))
    others = select(
        func.count(),
        func.coalesce(func.sum(Sender.connections), 0),
        func.coalesce(func.sum(case((has_none, 1), else_=0)), 0),
    ).where(Sender.ended_at.is_(None), Sender.id != lease.sender_id, is_there)
    count, held, without = session.execute(others).one()
    mine = connections_for(limit, wanted, count + 1, int(held))
    session.execute(
        update(Sender)
        .where(Sender.id == lease.sender_id)
        .values(connections=max(mine, holding))
        .execution_options(synchronize_session=False)
    )
    return mine, without > 0


def note_use(session: Session, lease: Lease, *, holding: int, taken_at: datetime | None) -> None:
    """Write down how many connections the lease's process holds, and when the relay last took a mail from it."""
    session.execute(
        update(Sender)
        .where(Sender.id == lease.sender_id)
        .values(connections=holding, taken_at=taken_at)
        .execution_options(synchronize_session=False)
    )


class Others(NamedTuple):
    """All other processes: how many connections they hold, when the relay last took a mail from one of them, and how many of them serve
    the same broadcast."""

    connections: int
    taken_at: datetime | None
    beside: int


def others(session: Session, lease: Lease, now: datetime) -> Others:
    """The other processes whose leases are in force."""
    held, taken_at, beside = session.execute(
        select(
            func.coalesce(func.sum(Sender.connections), 0),
            func.max(Sender.taken_at),
            func.coalesce(func.sum(case((Sender.broadcast_id == lease.broadcast_id, 1), else_=0)), 0),
        ).where(Sender.ended_at.is_(None), Sender.id != lease.sender_id, Sender.expires_at > now)
    ).one()
    return Others(int(held), taken_at, int(beside))


def in_force(session: Session, broadcast_id: int | None, now: datetime) -> int:
    """How many leases of a broadcast, or of all broadcasts (None), have not run out."""
    query = select(func.count()).where(Sender.ended_at.is_(None), Sender.expires_at > now)
    if broadcast_id is not None:
        query = query.where(Sender.broadcast_id == broadcast_id)
    return session.scalar(query) or 0
