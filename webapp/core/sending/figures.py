"""The numbers that an operator watches: mails, broadcasts, how far the pace is behind, senders, workers, the relay. Nothing is written, and
nothing is about one person."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core import broadcasts, ledger, relay
from webapp.core.relay import Health
from webapp.core.rules import pacing
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.limits import SECOND_S, Limits
from webapp.core.rules.pacing import Reading, Use
from webapp.core.sending import workers
from webapp.core.sending.workers import WorkerState
from webapp.core.settings import installation, limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import PaceUse, Sender, Tally

SITE = 0
"""No broadcast has this number; the uses of the ceiling a second are remembered under it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """`pace_lag_s`: for how many seconds a mail could have left and did not, the maximum over the broadcasts. `start_lag_s`: how many
    seconds ago the earliest start was that is due and was not made. `worker_seen_s`: seconds since any worker was last seen, None where
    none ever was. `senders` have a lease in force, `lost_senders` a lease that is over and was not settled; `connections` are the
    connections of `senders` to the relay. `limits` are those for the whole site (0: none)."""

    broadcasts: Mapping[BroadcastState, int]
    deliveries: Mapping[DeliveryState, int]
    pace_lag_s: float
    start_lag_s: float
    senders: int
    lost_senders: int
    connections: int
    workers: Mapping[WorkerState, int]
    worker_seen_s: float | None
    relay: Health
    limits: Limits
    is_held: bool


def read(session: Session, reading: Reading, seen_now: datetime, *, relay_key: str) -> Figures:
    """All figures, at one instant. `seen_now` is the time by the clock of the database, by which workers are seen."""
    now = reading.wall
    states = session.execute(select(Broadcast.state, func.count()).group_by(Broadcast.state))
    deliveries = session.execute(select(Tally.state, func.sum(Tally.count)).group_by(Tally.state))
    open_senders = ledger.open_senders(session)
    alive = [sender for sender in open_senders if sender.expires_at > now]
    known = workers.listing(session, seen_now)
    newest = max((one.worker.seen_at for one in known), default=None)
    health, above = relay.read(session, relay_key), limits.read(session)
    hold = installation.hold_of(session)
    return Figures(
        broadcasts={state: int(count) for state, count in states},
        deliveries={state: int(count) for state, count in deliveries},
        pace_lag_s=0.0 if hold or health.is_waiting else _pace_lag(session, above, reading),
        start_lag_s=0.0 if hold else _start_lag(session, now),
        senders=len(alive),
        lost_senders=len(open_senders) - len(alive),
        connections=sum(sender.connections for sender in alive),
        workers=Counter(one.state for one in known),
        worker_seen_s=None if newest is None else max((seen_now - newest).total_seconds(), 0.0),
        relay=health,
        limits=above,
        is_held=hold is not None,
    )


def _pace_lag(session: Session, above: Limits, reading: Reading) -> float:
    if _ceiling_is_reached(session, above, reading):
        return 0.0
    sending = session.scalars(
        select(Broadcast).where(Broadcast.state == BroadcastState.SENDING, Broadcast.frozen_at.is_not(None))
    )
    return max((_lag(session, broadcast, reading) for broadcast in sending), default=0.0)


def _lag(session: Session, broadcast: Broadcast, reading: Reading) -> float:
    """Seconds for which the pace has let a mail leave, since the last of: the freeze, the last change by a person, and the instant from
    which the next row may be claimed. Without a pace: since the relay last took a mail, if that is later."""
    due = ledger.next_due(session, broadcast.id)
    if due is None or due > reading.wall:
        return 0.0
    assert broadcast.frozen_at is not None
    since = max(broadcast.frozen_at, broadcast.updated_at, due)
    if pacing.is_limited(broadcast.batch_size, broadcast.interval_s):
        claimed = ledger.counts(session, broadcast.id).get(DeliveryState.CLAIMED, 0)
        open_s = _open_for(session, broadcast.id, broadcast.batch_size, broadcast.interval_s, claimed, reading)
    else:
        taken_at = session.scalar(select(func.max(Sender.taken_at)).where(Sender.broadcast_id == broadcast.id))
        open_s = float("inf") if taken_at is None else (reading.wall - taken_at).total_seconds()
    return max(min(open_s, (reading.wall - since).total_seconds()), 0.0)


def _ceiling_is_reached(session: Session, above: Limits, reading: Reading) -> bool:
    """Whether the limits of the whole site let nothing leave now, so that no broadcast is to blame."""
    if above.per_second:
        claimed = session.scalar(select(func.sum(Tally.count)).where(Tally.state == DeliveryState.CLAIMED)) or 0
        if not _open_for(session, SITE, above.per_second, SECOND_S, int(claimed), reading):
            return True
    next_of_the_day = ledger.next_of_the_day(session, above, reading.wall)
    return next_of_the_day is not None and next_of_the_day[0] > reading.wall


def _open_for(
    session: Session, broadcast_id: int, batch_size: int, interval_s: int, claimed: int, reading: Reading
) -> float:
    newest = (
        select(PaceUse)
        .where(PaceUse.broadcast_id == broadcast_id)
        .order_by(PaceUse.id.desc())
        .limit(pacing.needed(batch_size))
    )
    uses = [Use(Reading(use.taken_at, use.boot, use.ticks), use.count) for use in session.scalars(newest)]
    return pacing.open_for(batch_size, interval_s, claimed, uses, reading)


def _start_lag(session: Session, now: datetime) -> float:
    """How many seconds ago the earliest start was that is due and was not made."""
    due = session.scalars(select(Broadcast).where(broadcasts.is_due(now)))
    meant = [broadcasts.begins_at(one) or one.scheduled_at or now for one in due]
    return max(((now - at).total_seconds() for at in meant), default=0.0)
