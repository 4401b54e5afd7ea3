"""Start a broadcast that is due, and freeze its audience."""

from contextlib import ExitStack

from sqlalchemy.orm import Session

from jobs.runtime import inside_app
from webapp.adapters import clock, database, wakeups
from webapp.core import broadcasts, ledger
from webapp.core.cadence import FREEZE_CHUNK_S
from webapp.core.rules.lifecycle import BroadcastState
from webapp.extensions import db

SMALLEST_CHUNK, FIRST_CHUNK, LARGEST_CHUNK = 1_000, 2_000, 10_000
"""Clients looked at in a chunk; in the first while nobody knows yet how long it takes here."""


def next_chunk(chunk: int, took_s: float) -> int:
    """How large the next chunk is to be, when one of this size took so many seconds; at most twice as large."""
    fitting = int(chunk * min(FREEZE_CHUNK_S / max(took_s, 0.001), 2.0))
    return min(max(fitting, SMALLEST_CHUNK), LARGEST_CHUNK)


def start_broadcast(broadcast_id: int, first_chunk: int = FIRST_CHUNK) -> bool:
    """Take a broadcast from scheduled to frozen, as far as it is time. True when it sends and everything is frozen.

    A look starts nothing else: what is paused, or was missed for so long that a person is asked, stays as it is.

    All chunks but the first and the last are written in haste: what a machine that loses its power forgets of them is frozen again.
    """
    with inside_app() as app, ExitStack() as stack, Session(db.engine) as session:
        database.will_write(session)
        now = clock.now()
        broadcasts.start(session, broadcast_id, now, ask_after=app.config["MISSED_START"])
        broadcast = broadcasts.get(session, broadcast_id)
        begins_at = broadcasts.begins_at(broadcast)
        if broadcast.state is BroadcastState.SCHEDULED and begins_at and begins_at > now:
            wakeups.wake(broadcast_id, at=begins_at)
        chunk, began, pause = first_chunk, clock.ticks(), None
        while broadcast.state is BroadcastState.SENDING and not ledger.freeze_chunk(
            session, broadcast_id, clock.now(), chunk=chunk
        ):
            session.commit()
            chunk = next_chunk(chunk, clock.ticks() - began)
            pause = pause or stack.enter_context(database.writing_much(db.engine))
            pause()
            database.will_write(session, hastily=True)
            began = clock.ticks()
        is_sending = broadcast.state is BroadcastState.SENDING
        database.take_time(session)
        session.commit()
        return is_sending
