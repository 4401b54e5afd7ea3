"""The connections that may carry mails to one receiver at a time, shared by all sending processes."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.cadence import LEASE_S
from webapp.core.ledger.hot_path import hot
from webapp.core.ledger.leases import Lease
from webapp.core.rules.limits import connections_for
from webapp.core.rules.receivers import ReceiverLimit
from webapp.core.tables.deliveries import ReceiverShare, Sender


def share_receiver(
    session: Session, lease: Lease, limit: ReceiverLimit, *, wants: bool, holding: int, now: datetime
) -> int:
    """How many connections the lease's process may use at a time for mails to the receiver: its share among those who want some, as far as
    others have let go. `wants`: it has such mails to send. `holding` is how many it may still use of an earlier, larger share. A process
    does not count once its lease has been over for so long that it has let go by its own clock.
    """
    hot(session).lock_limits()
    is_there = or_(Sender.suspected_at.is_(None), Sender.suspected_at > now - timedelta(seconds=LEASE_S))
    others = (
        select(func.count(), func.coalesce(func.sum(ReceiverShare.connections), 0))
        .join(Sender, Sender.id == ReceiverShare.sender_id)
        .where(ReceiverShare.receiver_id == limit.id, Sender.ended_at.is_(None), Sender.id != lease.sender_id, is_there)
    )
    count, held = session.execute(others).one()
    mine = connections_for(limit.connections, limit.connections if wants else 0, count + 1, int(held))
    if not wants and not holding:
        session.execute(
            delete(ReceiverShare).where(
                ReceiverShare.receiver_id == limit.id, ReceiverShare.sender_id == lease.sender_id
            )
        )
        return mine
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values = {"connections": max(mine, holding)}
    row = dialect.insert(ReceiverShare).values(receiver_id=limit.id, sender_id=lease.sender_id, **values)
    keys = [ReceiverShare.receiver_id, ReceiverShare.sender_id]
    session.execute(row.on_conflict_do_update(index_elements=keys, set_=values))
    return mine


def leave_receivers(session: Session, lease: Lease) -> None:
    """The lease's process uses no connections any more; nor do those that have ended in another way."""
    ended = select(Sender.id).where(Sender.ended_at.is_not(None))
    session.execute(
        delete(ReceiverShare)
        .where(or_(ReceiverShare.sender_id == lease.sender_id, ReceiverShare.sender_id.in_(ended)))
        .execution_options(synchronize_session=False)
    )
