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
        broadcast = broadcasts.get(session, broadcast_id)
        if broadcast.state is BroadcastState.SCHEDULED and not broadcasts.start(session, broadcast_id, clock.now()):
            session.commit()
            if broadcast.state is BroadcastState.SCHEDULED:
                wakeups.wake(broadcast_id, at=broadcast.starts_at)
            return False
        session.commit()
        while broadcast.state is BroadcastState.SENDING and broadcast.frozen_at is None:
            database.will_write(session)
            ledger.freeze_chunk(session, broadcast_id, clock.now())
            session.commit()
        return broadcast.state is BroadcastState.SENDING
