"""The pace (N mails every S seconds), the back-off of retries, and the forecast of the end.

The rule of the pace: in *any* S seconds at most N mails leave, over all senders, restarts and pauses together. A mail leaves somewhere
between its claim and the instant the relay's last word on it is in. So a mail takes one of N places at its claim, keeps it while it is
claimed, and for S seconds from the instant it was settled. Proof: of the mails that leave within some S seconds, look at the one
claimed last. Each other one was still claimed at that moment, or had been settled less than S before the last one left; so
all of them held a place at once, and there are N. Where "settled" is recorded later than it was, mails leave later, never too many.

A mail may be claimed a little before its place is free, with the delay until then: the proof only needs that it leaves afterwards. So
neither the claim nor its commit costs any of the pace.

Time is told by `Reading`s, in two ways at once: by the wall clock, which may be stepped by an hour, and by the ticks since the
machine's boot, which cannot, but mean nothing on another machine. `age` uses the ticks where it can.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

GUARD_S = 0.002
"""Added to the interval: covers the resolution of timers and clocks on both sides of the wire."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clocks: the wall clock, and seconds since the boot that `boot` identifies."""

    wall: datetime
    boot: str
    ticks: float

    def earlier(self, seconds: float) -> "Reading":
        """What the same clocks showed `seconds` before."""
        return Reading(self.wall - timedelta(seconds=seconds), self.boot, self.ticks - seconds)


@dataclass(frozen=True, slots=True)
class Use:
    """`count` mails were settled at the latest at `at`."""

    at: Reading
    count: int


@dataclass(frozen=True, slots=True)
class Opening:
    """`count` mails may leave when `delay` seconds have passed."""

    delay: float
    count: int


def is_limited(batch_size: int, interval_s: int) -> bool:
    """False for "as fast as the relay takes them"."""
    return batch_size > 0 and interval_s > 0


def possible_walls(now: Reading, anchors: Iterable[Reading]) -> tuple[datetime, ...]:
    """What the wall clock shows now, and what it would show had it not been stepped since one of the `anchors` (earlier readings)."""
    steady = {
        round((anchor.wall - now.wall).total_seconds() + now.ticks - anchor.ticks, 1)
        for anchor in anchors
        if anchor.boot == now.boot
    }
    return (now.wall, *(now.wall + timedelta(seconds=step) for step in sorted(steady) if abs(step) > 0.1))


def age(then: Reading, now: Reading, walls: Sequence[datetime]) -> float:
    """Seconds from `then` to `now`, not more than have really passed as far as the clocks of this boot can tell.

    Readings of one boot are compared by ticks: exact, whatever was done to the wall clock. Otherwise the wall clocks have to do,
    all the `possible_walls`: of what they say the least that is not negative is taken. A reading from the future counts as of now.
    """
    if then.boot == now.boot and now.ticks >= then.ticks:
        return now.ticks - then.ticks
    return min((seconds for wall in walls if (seconds := (wall - then.wall).total_seconds()) >= 0), default=0.0)


def openings(
    batch_size: int,
    interval_s: int,
    claimed: int,
    uses: Sequence[Use],
    now: Reading,
    *,
    lead: float = 0.0,
) -> list[Opening]:
    """When mails may leave, as far as places are free now or get free within `lead` seconds; in order of time.

    `claimed` is how many mails of the broadcast are claimed at present, by anybody; `uses` what was settled, of the last `needed`
    mails. Only for a limited pace.
    """
    walls = possible_walls(now, [use.at for use in uses])
    waits = sorted((interval_s + GUARD_S - age(use.at, now, walls), use.count) for use in uses)
    young = [(wait, count) for wait, count in waits if wait > 0]
    free = batch_size - claimed - sum(count for _wait, count in young)
    found = [Opening(0.0, free)] if free > 0 else []
    for wait, count in young:
        if wait > lead:
            break
        gained = max(free + count, 0) - max(free, 0)
        free += count
        if gained:
            found.append(Opening(wait, gained))
    return found


def open_for(batch_size: int, interval_s: int, claimed: int, uses: Sequence[Use], now: Reading) -> float:
    """For how many seconds a mail could have left and did not; 0.0 while the pace lets none leave, infinite where fewer than N have left at
    all. The arguments are those of `openings`."""
    free = batch_size - claimed
    if free <= 0:
        return 0.0
    walls = possible_walls(now, [use.at for use in uses])
    for since, count in sorted((age(use.at, now, walls), use.count) for use in uses):
        free -= count
        if free <= 0:
            return max(since - interval_s - GUARD_S, 0.0)
    return float("inf")


def needed(batch_size: int) -> int:
    """Of how many of the last mails the uses must be known. Only the last N can matter; twice as many, because two senders may record
    theirs in another order than they were settled."""
    return 2 * batch_size


def resolution(interval_s: int) -> float:
    """How exactly settling is remembered, seconds: mails settled within it share one use, dated at its end."""
    return max(interval_s / 200, 0.005)


def forecast(count: int, batch_size: int, interval_s: int, start: datetime) -> datetime | None:
    """When the last of `count` mails leaves, if the first leave at `start` and the relay is no hindrance; None without a limit."""
    if not is_limited(batch_size, interval_s):
        return None
    batches = max(-(-count // batch_size), 1)
    return start + timedelta(seconds=(batches - 1) * interval_s)


@dataclass(frozen=True, slots=True)
class Retries:
    """How long after the nth attempt the next follows, in minutes (the last holds for all further ones), each varied by up to
    `spread`; a delivery older than `give_up_after` is given up."""

    minutes: tuple[float, ...] = (1, 5, 15, 30, 60, 120, 240)
    spread: float = 0.2
    give_up_after: timedelta = timedelta(hours=72)

    def wait(self, attempts: int, chance: float) -> timedelta:
        """The pause after so many attempts (from 1). `chance` in [0, 1) places it within the spread."""
        minutes = self.minutes[min(max(attempts, 1), len(self.minutes)) - 1]
        return timedelta(minutes=minutes * (1 + self.spread * (2 * chance - 1)))

    def is_hopeless(self, first_claimed_at: datetime, now: datetime) -> bool:
        return now - first_claimed_at >= self.give_up_after

    def are_used_up(self, attempts: int) -> bool:
        """Whether so many attempts are all that the pauses foresee, as far as `give_up_after` leaves time for them. Time alone tells that
        only while nothing else stood still: a broadcast may have been paused for days."""
        foreseen, minutes = 1, 0.0
        for pause in self.minutes:
            minutes += pause
            if timedelta(minutes=minutes) >= self.give_up_after:
                break
            foreseen += 1
        return attempts >= foreseen
