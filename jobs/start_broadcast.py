"""Start a broadcast that is due, and freeze its audience."""

from sqlalchemy.orm import Session

from jobs.surroundings import inside_app
from webapp.adapters import clock, database, wakeups
from webapp.core import broadcasts, ledger
from webapp.core.rules.lifecycle import BroadcastState
from webapp.extensions import db


def start_broadcast(broadcast_id: int) -> bool:
    """Take a broadcast from scheduled to frozen, as far as it is time. True when it sends and everything is frozen."""
    with inside_app(), Session(db.engine) as session:
        database.will_write(session)
        broadcasts.start(session, broadcast_id, clock.now())
        broadcast = broadcasts.get(session, broadcast_id)
        if broadcast.state is BroadcastState.SCHEDULED:
            wakeups.wake(broadcast_id, at=broadcast.starts_at)
        while broadcast.state is BroadcastState.SENDING and not ledger.freeze_chunk(session, broadcast_id, clock.now()):
            session.commit()
            database.will_write(session)
        is_sending = broadcast.state is BroadcastState.SENDING
        session.commit()
        return is_sending
