"""A broadcast's mails over time for the chart: what left, and what is planned, in buckets of equal length."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, cast, extract, func, select
from sqlalchemy.orm import Session

from webapp.core.rules.relay_event import Fact
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import MinuteCount
from webapp.core.tables.events import EventCount

MOST_BARS = 60
STEPS_S = tuple(60 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))
"""Lengths a bucket may have, so that its bounds fall on times people say. Longer ones are whole days."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket. `accepted` and `other` (deferred, failed, uncertain …) were counted, `planned` is still to come. Of those accepted then,
    `bounced` came back later and `complained` were complained about."""

    starts_at: datetime
    accepted: int = 0
    other: int = 0
    planned: int = 0
    bounced: int = 0
    complained: int = 0

    @property
    def returned(self) -> int:
        """The part of those accepted that bounced or was complained about."""
        return min(self.bounced + self.complained, self.accepted)

    @property
    def stayed(self) -> int:
        return self.accepted - self.returned

    @property
    def total(self) -> int:
        return self.accepted + self.other + self.planned


@dataclass(frozen=True, slots=True)
class Plan:
    """What is still to come: `count` mails from `starts_at`, `batch_size` every `interval_s` seconds (may be a fraction), the first time
    only `first` where that is given."""

    count: int
    starts_at: datetime
    batch_size: int
    interval_s: float
    first: int | None = None

    @property
    def ends_at(self) -> datetime:
        """When the last of them leave."""
        later = max(self.count - self.before(1), 0)
        return self.starts_at + timedelta(seconds=-(-later // self.batch_size) * self.interval_s)

    def before(self, batches: int) -> int:
        """How many are gone after so many times."""
        first = self.batch_size if self.first is None else self.first
        return min(self.count, first + (batches - 1) * self.batch_size) if batches else 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """Bars of `bucket_s` seconds each. `pace` is how many mails the pace allows in a bucket (None: no limit); `now_at` is
    where the present lies among the bars (2.5 = in the middle of the third), None when nothing is to come."""

    bucket_s: int
    bars: Sequence[Bar]
    pace: float | None
    now_at: float | None

    @property
    def highest(self) -> int:
        """The largest value any bar or the pace reaches; at least 1."""
        return max([1, *(bar.total for bar in self.bars), round(self.pace or 0)])

    @property
    def scale(self) -> Sequence[int]:
        """Values for the axis: 0 and up to four more in round steps, the last of them no lower than `highest`."""
        for step in _round_steps():
            if step * 4 >= self.highest:
                return range(0, step * -(-self.highest // step) + 1, step)
        raise AssertionError("round steps never end")

    @property
    def marks(self) -> Sequence[int]:
        """The bars that get a time on the axis: every n-th, five to eight of them."""
        step = max(1, -(-len(self.bars) // 8))
        return range(0, len(self.bars), step)

    @property
    def accepted(self) -> int:
        return sum(bar.accepted for bar in self.bars)

    @property
    def other(self) -> int:
        return sum(bar.other for bar in self.bars)

    @property
    def planned(self) -> int:
        return sum(bar.planned for bar in self.bars)

    @property
    def bounced(self) -> int:
        return sum(bar.bounced for bar in self.bars)

    @property
    def complained(self) -> int:
        return sum(bar.complained for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Axis:
    """Where the bars of a chart stand: `size` buckets of `bucket_s` seconds each, the first from `starts_at` (a whole second) on."""

    starts_at: datetime
    bucket_s: int
    size: int

    def start_of(self, place: int) -> datetime:
        return self.starts_at + timedelta(seconds=place * self.bucket_s)


def timeline(session: Session, broadcast: Broadcast, now: datetime, zone: str, plan: Plan | None) -> Timeline | None:
    """The chart of a broadcast that has begun; None before its first mail and without a plan. The database adds the minutes up: one
    row a bar is read, however long the broadcast takes."""
    pace = (broadcast.batch_size, broadcast.interval_s)
    first, last = session.execute(
        select(func.min(MinuteCount.minute), func.max(MinuteCount.minute)).where(
            MinuteCount.broadcast_id == broadcast.id
        )
    ).one()
    counted = (first, last) if first and last else None
    axis = axis_for(counted, ZoneInfo(zone), pace=pace, plan=plan)
    if axis is None:
        return None
    counts = _counts(session, broadcast.id, axis) if counted else {}
    facts = _facts(session, broadcast.id, axis) if counted else {}
    return arrange(axis, counts, now, pace=pace, plan=plan, facts=facts)


def axis_for(
    counted: tuple[datetime, datetime] | None, zone: ZoneInfo, *, pace: tuple[int, int], plan: Plan | None = None
) -> Axis | None:
    """At most `MOST_BARS` buckets that are aligned to the clocks of `zone`; None where there is nothing to show.

    `counted` are the first and the last minute that has a count. With a plan the bars reach from the first mail to the planned
    end, without one to the last minute that has a count.
    """
    planned = _to_come(plan)
    moments = [*(counted or ()), *((planned.starts_at, planned.ends_at) if planned else ())]
    if not moments:
        return None
    first, last = min(moments), max(moments)
    bucket = _bucket(first, last, pace[1] if _is_limited(pace) else 0)
    start = _floor(first, bucket, zone)
    return Axis(start, bucket, int((last - start).total_seconds() // bucket) + 1)


def arrange(
    axis: Axis,
    counts: Mapping[int, tuple[int, int]],
    now: datetime,
    *,
    pace: tuple[int, int],
    plan: Plan | None = None,
    facts: Mapping[int, Mapping[Fact, int]] | None = None,
) -> Timeline:
    """The chart on its axis. `counts` are accepted and other outcomes by the place of their bar, `facts` what was reported of those; a bar
    without any may be missing."""
    planned = _to_come(plan)
    bars = []
    for place in range(axis.size):
        start, end = axis.start_of(place), axis.start_of(place + 1)
        accepted, other = counts.get(place, (0, 0))
        of_these = facts.get(place, {}) if facts else {}
        bounced, complained = of_these.get(Fact.BOUNCED, 0), of_these.get(Fact.COMPLAINED, 0)
        to_come = _planned_between(planned, start, end) if planned else 0
        bars.append(Bar(start, accepted, other, to_come, bounced, complained))
    now_at = (now - axis.starts_at).total_seconds() / axis.bucket_s if planned else None
    return Timeline(
        bucket_s=axis.bucket_s,
        bars=bars,
        pace=pace[0] * axis.bucket_s / pace[1] if _is_limited(pace) else None,
        now_at=now_at if now_at is not None and 0 <= now_at <= axis.size else None,
    )


def _counts(session: Session, broadcast_id: int, axis: Axis) -> dict[int, tuple[int, int]]:
    """Accepted and other outcomes of a broadcast by the place of their bar on the axis."""
    seconds = cast(extract("epoch", MinuteCount.minute), BigInteger) - int(axis.starts_at.timestamp())
    place = (seconds // axis.bucket_s).label("place")
    rows = session.execute(
        select(place, func.sum(MinuteCount.accepted), func.sum(MinuteCount.other))
        .where(MinuteCount.broadcast_id == broadcast_id)
        .group_by(place)
    )
    # A minute that was counted between the two questions belongs to the next chart.
    return {int(at): (int(accepted), int(other)) for at, accepted, other in rows if 0 <= at < axis.size}


def _facts(session: Session, broadcast_id: int, axis: Axis) -> dict[int, dict[Fact, int]]:
    """What was reported of a broadcast's mails, by the place of the bar in which they were accepted; the first and the last bar take
    what lies beside the axis."""
    rows = session.execute(
        select(EventCount.minute, EventCount.fact, EventCount.count).where(
            EventCount.broadcast_id == broadcast_id, EventCount.fact != Fact.DELIVERED
        )
    )
    found: dict[int, dict[Fact, int]] = {}
    for minute, fact, number in rows:
        place = int((minute - axis.starts_at).total_seconds() // axis.bucket_s)
        bar = found.setdefault(min(max(place, 0), axis.size - 1), {})
        bar[fact] = bar.get(fact, 0) + number
    return found


def _to_come(plan: Plan | None) -> Plan | None:
    return plan if plan and plan.count > 0 else None


def _is_limited(pace: tuple[int, int]) -> bool:
    batch_size, interval_s = pace
    return batch_size > 0 and interval_s > 0


def _round_steps() -> Iterator[int]:
    for power in count():
        for digit in (1, 2, 5):
            yield digit * 10**power


def _bucket(first: datetime, last: datetime, interval_s: int) -> int:
    """The shortest bucket that keeps the chart readable; never shorter than the interval, or an even pace would look ragged."""
    span = (last - first).total_seconds()
    for step in STEPS_S:
        if step >= interval_s and span / step < MOST_BARS - 1:
            return step
    return 86400 * max(1, -(-int(span) // (86400 * (MOST_BARS - 1))), -(-interval_s // 86400))


def _floor(moment: datetime, bucket: int, zone: ZoneInfo) -> datetime:
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    seconds = moment.timestamp() + offset.total_seconds()
    return datetime.fromtimestamp(seconds - seconds % bucket - offset.total_seconds(), UTC)


def _planned_between(plan: Plan, start: datetime, end: datetime) -> int:
    """How many mails of the plan leave in [start, end)."""
    return _planned_before(plan, end) - _planned_before(plan, start)


def _planned_before(plan: Plan, moment: datetime) -> int:
    elapsed = (moment - plan.starts_at).total_seconds()
    if elapsed <= 0:
        return 0
    # A batch that leaves exactly at `moment` is not before it.
    batches = -(-elapsed // plan.interval_s)
    return plan.before(int(batches))
