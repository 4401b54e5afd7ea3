"""When a broadcast is worth looking at again."""

from sqlalchemy.orm import Session

from webapp.core import relay
from webapp.core.cadence import BUSY_S
from webapp.core.ledger import ceiling, lines, pace
from webapp.core.ledger.waiting import next_due
from webapp.core.rules import pacing
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.limits import Limits
from webapp.core.rules.pacing import Reading
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast


def next_look(session: Session, broadcast: Broadcast, reading: Reading, *, relay_key: str = "") -> float | None:
    """Seconds until a mail of the broadcast may leave, as rows, pace, ceilings and the relay's health have it now; 0.0 for at once, None
    when there is no mail to wait for."""
    if broadcast.state is not BroadcastState.SENDING or broadcast.frozen_at is None:
        return None
    due = next_due(session, broadcast.id)
    above = limits.read(session)
    wait = _line_wait(session, broadcast.id, above, reading)
    if due is not None:
        due_in = max((due - reading.wall).total_seconds(), 0.0)
        wait = due_in if wait is None else min(due_in, wait)
    if wait is None:
        return None
    if pacing.is_limited(broadcast.batch_size, broadcast.interval_s):
        opened = pace.openings(
            session, broadcast.id, broadcast.batch_size, broadcast.interval_s, reading, lead=float("inf")
        )
        wait = max(wait, opened[0].delay if opened else BUSY_S)
    if above.has_ceiling:
        opens_in = ceiling.wait(session, above, reading)
        wait = max(wait, BUSY_S if opens_in is None else opens_in)
    health = relay.read(session, relay_key)
    if health.is_waiting:
        wait = max(wait, health.next_try_in(reading.wall))
    return wait


def _line_wait(session: Session, broadcast_id: int, above: Limits, reading: Reading) -> float | None:
    """Seconds until a row may leave that stands in a line; None where none does. Nothing holds back those whose limit is no more."""
    standing = lines.standing_in(session, broadcast_id)
    known = {limit.id: limit for limit in above.receivers}
    waits = [lines.wait(session, known[one], reading) if one in known else 0.0 for one in standing]
    return min((BUSY_S if one is None else one for one in waits), default=None)
