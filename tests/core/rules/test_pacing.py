"""The pace: in any S seconds at most N mails leave, whatever the clocks and the relay do. Simulated, with time in a variable."""

import heapq
import itertools
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine import NOW, Clocks
from webapp.core.rules.pacing import (
    GUARD_S,
    Reading,
    Retries,
    Use,
    age,
    forecast,
    is_limited,
    needed,
    open_for,
    openings,
    possible_walls,
    resolution,
)

AHEAD = 0.2


def reading(ticks: float, *, wall: float | None = None, boot: str = "a") -> Reading:
    return Reading(NOW + timedelta(seconds=ticks if wall is None else wall), boot, ticks)


class Sender:
    """A sender that claims as much as it may, `carry` seconds a mail, and the times at which its mails reached the relay."""

    def __init__(self, batch: int, interval: int, boot: str = "a") -> None:
        self.batch, self.interval, self.boot = batch, interval, boot
        self.clock, self.step = 0.0, 0.0
        self.uses: list[Use] = []
        self.under_way: list[float] = []
        self.left: list[float] = []

    def reading(self) -> Reading:
        return reading(self.clock, wall=self.clock + self.step, boot=self.boot)

    def run(self, until: float, carry: itertools.cycle, *, lead: float = AHEAD) -> None:
        while self.clock < until:
            self._settle()
            recent = self.uses[-needed(self.batch) :]
            opened = openings(self.batch, self.interval, len(self.under_way), recent, self.reading(), lead=float("inf"))
            for opening in opened:
                if opening.delay > lead:
                    break
                for _ in range(opening.count):
                    leaves = self.clock + opening.delay + next(carry)
                    self.left.append(leaves)
                    heapq.heappush(self.under_way, leaves)
            later = [self.clock + opening.delay for opening in opened if opening.delay > lead]
            self.clock = min([*self.under_way[:1], *(moment - lead + 1e-6 for moment in later[:1]), until])

    def _settle(self) -> None:
        done = 0
        while self.under_way and self.under_way[0] <= self.clock:
            heapq.heappop(self.under_way)
            done += 1
        if done:
            self.uses.append(Use(self.reading(), done))


def opened(*arguments, lead: float) -> list[tuple[float, int]]:
    """Openings, delays without the guard and to the millisecond."""
    found = openings(*arguments, lead=lead)
    return [(round(one.delay - GUARD_S, 3) if one.delay else 0.0, one.count) for one in found]


def most_in_any(times: list[float], seconds: float) -> int:
    times = sorted(times)
    return max(sum(1 for other in times if moment <= other <= moment + seconds) for moment in times)


@settings(max_examples=60, deadline=None)
@given(
    batch=st.integers(1, 12),
    interval=st.integers(1, 30),
    carries=st.lists(st.floats(0.001, 8.0), min_size=1, max_size=30),
    steps=st.lists(st.sampled_from([0.0, 3600.0, -3600.0, 1.0, -0.5]), max_size=6),
)
def test_in_no_window_more_mails_leave_than_allowed(
    batch: int, interval: int, carries: list[float], steps: list[float]
):
    sender = Sender(batch, interval)
    carry = itertools.cycle(carries)
    for number, step in enumerate([0.0, *steps], 1):
        sender.step += step
        sender.run(number * interval * 2.5, carry)
    assert most_in_any(sender.left, interval) <= batch


@settings(max_examples=30, deadline=None)
@given(batch=st.sampled_from([1, 2, 25, 100]), interval=st.sampled_from([1, 2, 5, 30]))
def test_nearly_all_of_the_pace_is_used_when_the_relay_is_quick(batch: int, interval: int):
    sender = Sender(batch, interval)
    sender.run(interval * 20.5, itertools.cycle([0.01]))
    assert len(sender.left) >= 0.95 * batch * 21


def test_a_slow_relay_costs_only_what_its_mails_take():
    sender = Sender(10, 60)
    sender.run(60 * 10, itertools.cycle([1.0, 2.0, 3.0]))
    assert len(sender.left) >= 0.95 * 100


def test_a_claimed_mail_holds_its_place_for_as_long_as_it_is_claimed():
    assert opened(3, 10, 3, [], reading(0.0), lead=float("inf")) == []
    assert opened(3, 10, 1, [Use(reading(0.0), 2)], reading(5.0), lead=float("inf")) == [(5, 2)]


def test_free_places_are_open_now_and_others_as_uses_grow_old():
    uses = [Use(reading(1.0), 2), Use(reading(4.0), 1)]
    assert opened(4, 10, 0, uses, reading(5.0), lead=7) == [(0, 1), (6, 2)]
    assert opened(4, 10, 0, uses, reading(5.0), lead=5) == [(0, 1)]


def test_more_uses_than_places_open_none_until_enough_are_old():
    uses = [Use(reading(1.0), 3), Use(reading(2.0), 3)]
    assert opened(2, 10, 0, uses, reading(3.0), lead=float("inf")) == [(9, 2)]


def test_a_place_has_been_open_since_the_youngest_of_the_last_mails_grew_old_enough():
    uses = [Use(reading(100), 1), Use(reading(90), 2), Use(reading(10), 5)]
    assert open_for(4, 20, 0, uses, reading(115)) == 85 - GUARD_S, (
        "since mails of ten were old enough, three of four places are taken"
    )
    assert open_for(3, 20, 0, uses, reading(115)) == 5 - GUARD_S
    assert open_for(3, 20, 1, uses, reading(115)) == 5 - GUARD_S
    assert open_for(3, 20, 3, uses, reading(115)) == 0.0, "mails on their way hold all places"
    assert open_for(3, 20, 0, uses, reading(105)) == 0.0
    assert open_for(9, 20, 0, uses, reading(105)) == float("inf"), "fewer have left than may"


@given(
    st.integers(1, 6),
    st.integers(1, 30),
    st.integers(0, 6),
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 4)), max_size=8),
)
def test_a_place_is_open_exactly_while_mails_may_leave(
    batch: int, interval: int, claimed: int, left: list[tuple[int, int]]
):
    uses = [Use(reading(at), count) for at, count in sorted(left, reverse=True)]
    now = reading(100.5)
    seconds = open_for(batch, interval, claimed, uses, now)
    assert (seconds > 0) == (opened(batch, interval, claimed, uses, now, lead=0) != [])


def test_ticks_tell_the_age_on_one_machine_whatever_the_wall_clock_says():
    clocks = Clocks()
    then = clocks.reading()
    clocks.pass_(2)
    for step in (3600, -7200, 3600):
        clocks.step(step)
        assert age(then, clocks.reading(), [clocks.wall]) == 2


def test_on_another_machine_a_wall_clock_that_leapt_forward_makes_nothing_older():
    foreign = Use(reading(0.0, wall=10.0, boot="b"), 1)
    mine = Use(reading(500.0, wall=9.0), 1)
    now = reading(502.0, wall=11.0 + 3600)
    walls = possible_walls(now, [foreign.at, mine.at])
    assert age(foreign.at, now, walls) == 1.0


def test_a_reading_from_the_future_counts_as_of_now():
    foreign = reading(0.0, wall=3600.0, boot="b")
    now = reading(5.0, wall=10.0)
    assert age(foreign, now, possible_walls(now, [])) == 0.0


def test_a_machine_that_restarted_is_read_by_the_wall_clock():
    before = reading(90_000.0, wall=0.0)
    now = reading(20.0, wall=60.0)
    assert age(before, now, possible_walls(now, [before])) == 60.0


def test_the_forecast_counts_whole_batches():
    assert forecast(1234, 25, 30, NOW) == NOW + timedelta(seconds=49 * 30)
    assert forecast(25, 25, 30, NOW) == NOW
    assert forecast(26, 25, 30, NOW) == NOW + timedelta(seconds=30)
    assert forecast(26, 0, 30, NOW) is None and forecast(26, 5, 0, NOW) is None


def test_zero_on_either_side_is_no_limit():
    assert [is_limited(*pace) for pace in ((0, 30), (25, 0), (1, 1))] == [False, False, True]


def test_settling_is_remembered_to_a_small_part_of_the_interval():
    assert resolution(1) == 0.005 and resolution(30) == 0.15 and resolution(3600) == 18


def test_retries_wait_longer_and_longer_and_then_the_same():
    minutes = [Retries().wait(attempt, 0.5) / timedelta(minutes=1) for attempt in range(1, 10)]
    assert minutes == [1, 5, 15, 30, 60, 120, 240, 240, 240]


def test_retries_spread_by_a_fifth_at_most():
    waits = [Retries().wait(3, chance) / timedelta(minutes=1) for chance in (0.0, 0.25, 0.999999)]
    assert [round(wait, 1) for wait in waits] == [12.0, 13.5, 18.0]


def test_after_three_days_a_retry_is_hopeless():
    assert not Retries().is_hopeless(NOW, NOW + timedelta(hours=71, minutes=59))
    assert Retries().is_hopeless(NOW, NOW + timedelta(hours=72))


def test_retries_are_used_up_after_every_pause_that_there_is_time_for():
    assert [Retries().are_used_up(attempts) for attempts in (1, 7, 8, 30)] == [False, False, True, True]
    short = Retries(minutes=(30, 60, 120), give_up_after=timedelta(hours=2))
    assert [short.are_used_up(attempts) for attempts in (1, 2, 3)] == [False, False, True]
    assert Retries(minutes=(600,), give_up_after=timedelta(hours=1)).are_used_up(1)
