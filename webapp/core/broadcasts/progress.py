"""How far a broadcast is, as the console shows it: read from the tally, never by counting deliveries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core import broadcasts, ledger
from webapp.core.broadcasts import reported
from webapp.core.broadcasts.timeline import Plan
from webapp.core.rules import pacing
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.limits import DAY_S, Limits
from webapp.core.rules.receivers import Bottleneck
from webapp.core.rules.relay_event import Fact
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery, MinuteCount, PaceUse, Tally

RATE_WINDOW = timedelta(minutes=3)
"""How far back an unlimited broadcast's rate is measured, to guess its end."""

SOON = timedelta(minutes=2)
"""A broadcast that starts within this time is watched already."""


class Group(StrEnum):
    """What a person wants to know of a delivery; each state of the ledger belongs to exactly one."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        return self.value.capitalize()

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]

    @property
    def states(self) -> tuple[DeliveryState, ...]:
        return _STATES[self]


_STATES: dict[Group, tuple[DeliveryState, ...]] = {
    Group.ACCEPTED: (DeliveryState.ACCEPTED,),
    Group.WAITING: (DeliveryState.CLAIMED, DeliveryState.HELD, DeliveryState.PENDING),
    Group.DEFERRED: (DeliveryState.DEFERRED,),
    Group.FAILED: (DeliveryState.FAILED,),
    Group.UNCERTAIN: (DeliveryState.UNCERTAIN,),
    Group.SKIPPED: (DeliveryState.SKIPPED, DeliveryState.SUPPRESSED),
    Group.CANCELLED: (DeliveryState.CANCELLED,),
}
_MEANINGS = {
    Group.ACCEPTED: "The relay took the mail.",
    Group.WAITING: "Not handed to the relay yet.",
    Group.DEFERRED: "Not taken this time; tried again later.",
    Group.FAILED: "Refused for good.",
    Group.UNCERTAIN: "No answer came after the mail was sent; it may or may not have been taken.",
    Group.SKIPPED: "Matched, but gets no mail.",
    Group.CANCELLED: "Not sent, because the rest was cancelled.",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Deliveries per state of the ledger, and how many of them something was reported of since."""

    states: Mapping[DeliveryState, int]
    facts: Mapping[Fact, int] = field(default_factory=dict)

    def of(self, group: Group | Fact) -> int:
        if isinstance(group, Fact):
            return self.facts.get(group, 0)
        return sum(self.states.get(state, 0) for state in group.states)

    @property
    def all(self) -> int:
        """Every client who matched, those who get no mail included."""
        return sum(self.states.values())

    @property
    def mails(self) -> int:
        """Everyone who was to get a mail: M of "N of M"."""
        return self.all - self.of(Group.SKIPPED)

    @property
    def accepted(self) -> int:
        return self.of(Group.ACCEPTED)

    @property
    def waiting(self) -> int:
        return self.of(Group.WAITING)

    @property
    def deferred(self) -> int:
        return self.of(Group.DEFERRED)

    @property
    def failed(self) -> int:
        return self.of(Group.FAILED)

    @property
    def uncertain(self) -> int:
        return self.of(Group.UNCERTAIN)

    @property
    def skipped(self) -> int:
        return self.of(Group.SKIPPED)

    @property
    def cancelled(self) -> int:
        return self.of(Group.CANCELLED)

    @property
    def held(self) -> int:
        return self.states.get(DeliveryState.HELD, 0)

    @property
    def unsent(self) -> int:
        """What a cancel would keep from leaving: waiting and deferred, but not what is at the relay this moment."""
        return self.waiting + self.deferred - self.states.get(DeliveryState.CLAIMED, 0)

    @property
    def tenths(self) -> int:
        """How many whole tenths are settled; for announcements that should be rare."""
        return 10 * (self.mails - self.waiting - self.deferred) // self.mails if self.mails else 0


@dataclass(frozen=True, slots=True)
class Progress:
    """A broadcast's progress at one instant.

    `collecting` while the freeze still writes recipients, or will when it is resumed (`core/ledger/freeze.py` says what holds then).
    `next_batch_at`: when the pace next lets mails leave (None: not
    limited, or nothing waits). `ends_at`: when the last waiting mail leaves, if nothing changes; None when nobody can say.
    `retry_at`: when the next deferred mail is tried again. `plan`: what is to come, for the chart. `held_until`: the
    mails of this day are used up, and about then some may leave again. `ceiling`: so many mails in so many seconds, of all broadcasts
    together, hold this one back more than its own pace. `in_line`: the receiver for whose limit mails wait, the one that takes longest.
    """

    counts: Counts
    collecting: bool
    next_batch_at: datetime | None = None
    ends_at: datetime | None = None
    retry_at: datetime | None = None
    plan: Plan | None = None
    held_until: datetime | None = None
    ceiling: tuple[int, int] | None = None
    in_line: Bottleneck | None = None


def is_live(broadcast: Broadcast, counts: Counts, now: datetime) -> bool:
    """Whether there is something to watch: it sends, is due to begin, or its last mails are still on their way."""
    match broadcast.state:
        case BroadcastState.SENDING:
            return True
        case BroadcastState.SCHEDULED:
            begins_at = broadcasts.begins_at(broadcast)
            return begins_at is None or begins_at <= now + SOON
        case BroadcastState.CANCELLED:
            return counts.waiting + counts.deferred > 0
        case _:
            return counts.states.get(DeliveryState.CLAIMED, 0) > 0


def counts_of(session: Session, broadcast_ids: Iterable[int]) -> dict[int, Counts]:
    """The counts of several broadcasts, in two queries; a broadcast without deliveries has empty counts."""
    ids = list(broadcast_ids)
    found: dict[int, dict[DeliveryState, int]] = defaultdict(dict)
    if ids:
        rows = session.execute(
            select(Tally.broadcast_id, Tally.state, func.sum(Tally.count))
            .where(Tally.broadcast_id.in_(ids))
            .group_by(Tally.broadcast_id, Tally.state)
        )
        for broadcast_id, state, count in rows:
            found[broadcast_id][DeliveryState(state)] = int(count)
    facts = reported.counts_of_many(session, ids) if ids else {}
    return {broadcast_id: Counts(found[broadcast_id], facts.get(broadcast_id, {})) for broadcast_id in ids}


def read(session: Session, broadcast: Broadcast, now: datetime) -> Progress:
    """How far `broadcast` is, and what comes next."""
    counts = counts_of(session, [broadcast.id])[broadcast.id]
    collecting = broadcast.state in (BroadcastState.SENDING, BroadcastState.PAUSED) and broadcast.frozen_at is None
    if broadcast.state != BroadcastState.SENDING or collecting:
        return Progress(counts, collecting)
    retry_at = session.scalar(
        select(func.min(Delivery.due_at)).where(
            Delivery.broadcast_id == broadcast.id, Delivery.state == DeliveryState.DEFERRED
        )
    )
    if not counts.waiting:
        return Progress(counts, collecting, retry_at=retry_at)
    above = limits.read(session)
    return _heeding_line(_of_pace(session, broadcast, counts, above, retry_at, now), session, broadcast, above, now)


def _of_pace(
    session: Session, broadcast: Broadcast, counts: Counts, above: Limits, retry_at: datetime | None, now: datetime
) -> Progress:
    """What comes next by pace and ceilings, while mails wait."""
    opens_at, first = ledger.next_of_the_day(session, above, now) or (now, None)
    held_until = opens_at if opens_at > now else None
    ceiling = above.ceiling(counts.waiting, broadcast.batch_size, broadcast.interval_s)
    if ceiling is None or ceiling[1] != DAY_S or held_until is not None:
        first = None
    if pacing.is_limited(broadcast.batch_size, broadcast.interval_s):
        next_at = _next_batch(session, broadcast, counts.states.get(DeliveryState.CLAIMED, 0), now)
        next_at = max(next_at, opens_at)
        pace = ceiling or (broadcast.batch_size, broadcast.interval_s)
        plan = Plan(counts.waiting, next_at, *pace, first)
        return Progress(counts, False, next_at, plan.ends_at, retry_at, plan, held_until, ceiling)
    measured = _measured_plan(session, broadcast, counts.waiting, now)
    allowed = Plan(counts.waiting, opens_at, *ceiling, first) if ceiling else None
    if allowed and not (measured and measured.ends_at >= allowed.ends_at):
        return Progress(counts, False, None, allowed.ends_at, retry_at, allowed, held_until, ceiling)
    ends_at = measured.ends_at if measured else None
    return Progress(counts, False, None, ends_at, retry_at, measured, held_until)


def _heeding_line(found: Progress, session: Session, broadcast: Broadcast, above: Limits, now: datetime) -> Progress:
    """The same with what waits for the limit of a receiver. The counts of lines are read from an index, and only while there are lines."""
    if not above.receivers:
        return found
    waiting = ledger.in_lines(session, broadcast.id)
    if not waiting:
        return found
    lines = [
        Bottleneck(one, waiting[one.id], one.takes_s(waiting[one.id])) for one in above.receivers if one.id in waiting
    ]
    slowest = max(lines, key=lambda one: (one.takes_s, one.mails), default=None)
    if slowest is None:
        return found
    ends_at = now + timedelta(seconds=slowest.takes_s) if slowest.takes_s else found.ends_at
    is_later = ends_at is not None and (found.ends_at is None or ends_at > found.ends_at)
    return replace(found, in_line=slowest, ends_at=ends_at if is_later else found.ends_at)


def _next_batch(session: Session, broadcast: Broadcast, claimed: int, now: datetime) -> datetime:
    """When the pace next lets a mail leave, by the wall clock: now, or when a mail of the last interval is an interval old. While the
    mails at the relay hold all places nobody knows; they are taken to be settled soon."""
    interval = timedelta(seconds=broadcast.interval_s)
    uses = session.execute(
        select(PaceUse.taken_at, PaceUse.count)
        .where(PaceUse.broadcast_id == broadcast.id, PaceUse.taken_at > now - interval)
        .order_by(PaceUse.taken_at)
    ).all()
    held = claimed + sum(count for _taken_at, count in uses)
    if held < broadcast.batch_size:
        return now
    for taken_at, count in uses:
        held -= count
        if held < broadcast.batch_size:
            return min(taken_at, now) + interval
    return now + interval


def _measured_plan(session: Session, broadcast: Broadcast, waiting: int, now: datetime) -> Plan | None:
    """What is to come without a pace, at the rate of the last minutes; None while nothing was measured."""
    assert broadcast.started_at is not None
    since = max(now - RATE_WINDOW, broadcast.started_at)
    rows = session.execute(
        select(func.sum(MinuteCount.accepted + MinuteCount.other), func.min(MinuteCount.minute)).where(
            MinuteCount.broadcast_id == broadcast.id, MinuteCount.minute > since - timedelta(minutes=1)
        )
    ).one()
    seconds = (now - max(since, rows[1])).total_seconds() if rows[1] else 0
    if not rows[0] or seconds <= 0:
        return None
    return Plan(waiting, now, 1, seconds / int(rows[0]), first=0)
