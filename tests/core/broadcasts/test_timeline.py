"""The chart's buckets: nothing is lost or counted twice, and the bounds fall on times people say."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from tests import factories
from webapp.core.broadcasts import timeline
from webapp.core.broadcasts.timeline import MOST_BARS, Plan, Timeline
from webapp.core.tables.deliveries import MinuteCount

START = datetime(2026, 11, 23, 9, 3, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def minutes(*counts: int) -> dict[datetime, tuple[int, int]]:
    return {START + timedelta(minutes=place): (count, 0) for place, count in enumerate(counts)}


def arrange(counts, now, zone, *, pace, plan=None) -> Timeline | None:
    """The chart of counts per minute, each put into its bar one by one."""
    axis = timeline.axis_for((min(counts), max(counts)) if counts else None, zone, pace=pace, plan=plan)
    if axis is None:
        return None
    sums: dict[int, tuple[int, int]] = {}
    for minute, (accepted, other) in counts.items():
        place = (minute - axis.starts_at) // timedelta(seconds=axis.bucket_s)
        before = sums.get(place, (0, 0))
        sums[place] = (before[0] + accepted, before[1] + other)
    return timeline.arrange(axis, sums, now, pace=pace, plan=plan)


def test_there_is_no_chart_before_the_first_mail():
    assert arrange({}, START, UTC_ZONE, pace=(25, 30)) is None
    assert arrange({}, START, UTC_ZONE, pace=(25, 30), plan=Plan(0, START, 25, 30)) is None


def test_a_short_broadcast_has_a_bar_a_minute_and_none_after_its_end():
    chart = arrange(minutes(50, 50, 25), START + timedelta(minutes=3), UTC_ZONE, pace=(25, 30))
    assert chart is not None and chart.bucket_s == 60 and chart.pace == 50
    assert [bar.accepted for bar in chart.bars] == [50, 50, 25]


def test_accepted_and_other_outcomes_are_kept_apart():
    chart = arrange({START: (40, 10)}, START, UTC_ZONE, pace=(25, 30))
    assert chart is not None and (chart.bars[0].accepted, chart.bars[0].other, chart.bars[0].total) == (40, 10, 50)


def test_the_plan_puts_every_batch_into_the_minute_in_which_it_leaves():
    chart = arrange({}, START, UTC_ZONE, pace=(25, 30), plan=Plan(110, START, 25, 30))
    assert chart is not None and [bar.planned for bar in chart.bars] == [50, 50, 10]


def test_a_bucket_is_never_shorter_than_the_interval_so_that_an_even_pace_looks_even():
    chart = arrange({}, START, UTC_ZONE, pace=(100, 600), plan=Plan(1000, START, 100, 600))
    assert chart is not None and chart.bucket_s == 600 and chart.pace == 100
    assert [bar.planned for bar in chart.bars][:10] == [100] * 10


def test_without_a_pace_there_is_no_line_for_it():
    chart = arrange(minutes(5000), START, UTC_ZONE, pace=(0, 30), plan=Plan(10_000, START, 1, 0.01))
    assert chart is not None and chart.pace is None
    assert [bar.planned for bar in chart.bars][:2] == [6000, 4000]


def test_the_present_lies_where_it_belongs_and_is_not_shown_when_nothing_is_to_come():
    now = START + timedelta(seconds=90)
    chart = arrange(minutes(50), now, UTC_ZONE, pace=(25, 30), plan=Plan(50, now, 25, 30))
    assert chart is not None and chart.now_at == 1.5
    chart = arrange(minutes(50), now, UTC_ZONE, pace=(25, 30))
    assert chart is not None and chart.now_at is None


@pytest.mark.parametrize(("zone", "minute"), [("Europe/Berlin", 0), ("Asia/Kathmandu", 15), ("America/St_Johns", 30)])
def test_hours_begin_when_clocks_of_the_viewer_show_a_full_hour(zone, minute):
    counts = {START + timedelta(hours=hour): (1, 0) for hour in range(40)}
    chart = arrange(counts, START, ZoneInfo(zone), pace=(25, 30))
    assert chart is not None and chart.bucket_s == 3600
    assert {bar.starts_at.astimezone(ZoneInfo(zone)).minute for bar in chart.bars} == {0}
    assert {bar.starts_at.minute for bar in chart.bars} == {minute}


@given(
    st.dictionaries(st.integers(0, 60 * 24 * 40), st.tuples(st.integers(0, 500), st.integers(0, 50)), max_size=40),
    st.integers(0, 50_000),
    st.integers(1, 3000),
    st.integers(1, 90_000),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_every_mail_sent_or_planned_is_in_exactly_one_bar(counts, to_come, batch, interval, zone):
    sent = {START + timedelta(minutes=minute): pair for minute, pair in counts.items()}
    begins = START + timedelta(days=41, seconds=7)
    chart = arrange(sent, begins, ZoneInfo(zone), pace=(batch, interval), plan=Plan(to_come, begins, batch, interval))
    if chart is None:
        assert not counts and not to_come
        return
    assert chart.accepted == sum(accepted for accepted, _other in counts.values())
    assert chart.other == sum(other for _accepted, other in counts.values())
    assert chart.planned == to_come
    assert len(chart.bars) <= MOST_BARS + 1
    assert chart.scale[0] == 0 and chart.scale[-1] >= chart.highest and 2 <= len(chart.scale) <= 5


def test_a_plan_may_begin_with_what_is_left_of_a_day():
    plan = Plan(2_500, START, 1000, 86_400, first=400)
    assert [plan.before(batches) for batches in range(5)] == [0, 400, 1400, 2400, 2500]
    assert plan.ends_at == START + timedelta(days=3)
    chart = arrange({}, START, UTC_ZONE, pace=(0, 0), plan=plan)
    assert chart is not None and [bar.planned for bar in chart.bars if bar.planned] == [400, 1000, 1000, 100]


def count(session, broadcast, counts, sender_id=1):
    for minute, (accepted, other) in counts.items():
        session.add(
            MinuteCount(broadcast_id=broadcast.id, sender_id=sender_id, minute=minute, accepted=accepted, other=other)
        )
    session.flush()


@pytest.mark.parametrize("step_min", [1, 7, 61, 24 * 60])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])
@pytest.mark.parametrize("interval_s", [30, 7200])
def test_the_database_puts_every_minute_into_the_bar_it_belongs_to(session, step_min, zone, interval_s):
    broadcast, other = (factories.broadcast(session, batch_size=25, interval_s=interval_s) for _ in range(2))
    # Back over the night in which the clocks of Berlin were changed.
    sent = {START - timedelta(days=40) + timedelta(minutes=step_min * place): (place, place % 3) for place in range(50)}
    count(session, broadcast, sent)
    count(session, broadcast, sent, sender_id=2)
    count(session, other, sent)
    twice = {minute: (2 * accepted, 2 * rest) for minute, (accepted, rest) in sent.items()}
    begins = max(sent) + timedelta(seconds=77, microseconds=5)
    for plan in (None, Plan(1000, begins, 25, interval_s)):
        wanted = arrange(twice, begins, ZoneInfo(zone), pace=(25, interval_s), plan=plan)
        assert timeline.timeline(session, broadcast, begins, zone, plan) == wanted


def test_a_broadcast_of_weeks_is_charted_from_one_row_a_bar(sqlite_session):
    broadcast = factories.broadcast(sqlite_session, batch_size=25, interval_s=60)
    count(sqlite_session, broadcast, {START + timedelta(minutes=place): (25, 1) for place in range(14 * 24 * 60)})
    rows = []

    def look(connection, cursor, statement, parameters, context, executemany):
        rows.extend(cursor.connection.execute(statement, parameters).fetchall())

    event.listen(sqlite_session.get_bind(), "before_cursor_execute", look)
    plan = Plan(100, START + timedelta(days=14), 25, 60)
    chart = timeline.timeline(sqlite_session, broadcast, START + timedelta(days=14), "UTC", plan)
    event.remove(sqlite_session.get_bind(), "before_cursor_execute", look)
    assert chart is not None and (chart.accepted, chart.other) == (14 * 24 * 60 * 25, 14 * 24 * 60)
    assert 0 < len(rows) <= MOST_BARS + 2
