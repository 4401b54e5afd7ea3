"""How a broadcast begins: it is started when it is due, and its audience is frozen in chunks, between which others may write."""

import logging
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from webapp.core import broadcasts, ledger
from webapp.core.cadence import FREEZE_CHUNK_S
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.sending.runtime import Runtime

SMALLEST_CHUNK, FIRST_CHUNK, LARGEST_CHUNK = 1_000, 2_000, 10_000
"""Clients in a chunk. FIRST_CHUNK is for the first one, when nobody knows yet how long a chunk takes here."""

log = logging.getLogger(__name__)


class Begun(NamedTuple):
    """`is_ready`: the broadcast sends, and all of it is frozen. `begins_at`: its start, if that is still to come."""

    is_ready: bool
    begins_at: datetime | None = None


def next_chunk(chunk: int, took_s: float) -> int:
    """The size of the next chunk, when `chunk` clients took `took_s` seconds; at most twice as many."""
    fitting = int(chunk * min(FREEZE_CHUNK_S / max(took_s, 0.001), 2.0))
    return min(max(fitting, SMALLEST_CHUNK), LARGEST_CHUNK)


def begin(runtime: Runtime, broadcast_id: int, *, ask_after: timedelta | None, first_chunk: int = FIRST_CHUNK) -> Begun:
    """Take a broadcast from scheduled to frozen, if it is time. The first chunk has `first_chunk` clients.

    It starts nothing else: a broadcast that is paused, or that missed its start by more than `ask_after` so that a person is asked, stays
    as it is. When the process is asked to end, it ends after the chunk it is at, and the next look goes on from there.

    All chunks but the first and the last are written in haste: if the machine loses its power, the next look freezes lost chunks again.
    """
    with ExitStack() as stack, Session(runtime.engine) as session:
        runtime.prepare(session)
        now = runtime.reading().wall
        broadcasts.start(session, broadcast_id, now, ask_after=ask_after)
        broadcast = broadcasts.get(session, broadcast_id)
        begins_at = broadcasts.begins_at(broadcast) if broadcast.state is BroadcastState.SCHEDULED else None
        freezing = broadcast.state is BroadcastState.SENDING and broadcast.frozen_at is None
        began_at = runtime.ticks()
        if freezing:
            about = {"event": "freeze_begun", "broadcast": broadcast_id}
            log.info("broadcast %s: the freeze begins", broadcast_id, extra=about)
        chunk, began, in_haste = first_chunk, began_at, None
        while broadcast.state is BroadcastState.SENDING and not ledger.freeze_chunk(
            session, broadcast_id, runtime.reading().wall, chunk=chunk
        ):
            if runtime.must_stop():
                break
            session.commit()
            chunk = next_chunk(chunk, runtime.ticks() - began)
            in_haste = in_haste or stack.enter_context(runtime.in_haste())
            in_haste(session)
            began = runtime.ticks()
        state, count = broadcast.state, broadcast.frozen_count
        is_ready = state is BroadcastState.SENDING and broadcast.frozen_at is not None
        runtime.take_time(session)
        session.commit()
    if freezing:
        _tell_end(broadcast_id, state, count, runtime.ticks() - began_at)
    return Begun(is_ready, begins_at if begins_at is not None and begins_at > now else None)


def _tell_end(broadcast_id: int, state: BroadcastState, count: int | None, took_s: float) -> None:
    """Log how the freeze ended. After a pause, a cancel, or the end of this process there is no number yet."""
    is_done = count is not None
    event = "freeze_done" if is_done else "freeze_stopped"
    about: dict[str, object] = {"event": event, "broadcast": broadcast_id, "state": state.value}
    about |= {"frozen": count, "took_s": round(took_s, 2)}
    words = "broadcast %s: frozen, %s deliveries in %.2f s" if is_done else "broadcast %s: the freeze stops: %s, %.2f s"
    log.info(words, broadcast_id, count if is_done else state, took_s, extra=about)
