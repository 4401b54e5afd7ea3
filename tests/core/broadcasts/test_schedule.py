"""Wall times, zones and pace in words. Hypothesis walks over all zones, because each has clock changes of its own."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.core.rules import schedule, zones

NOW = datetime(2026, 1, 15, 12, 0, 30, tzinfo=UTC)
NAMES = [zone.name for zone in zones.zones()]


def test_no_wall_time_means_now():
    assert schedule.start(None, "Europe/Berlin", NOW).instant == NOW
    assert schedule.start("", "Europe/Berlin", NOW).instant == NOW


def test_a_wall_time_becomes_the_instant_at_which_clocks_of_the_zone_show_it():
    start = schedule.start("2026-07-01T09:00", "Asia/Kathmandu", NOW)
    assert start.instant == datetime(2026, 7, 1, 3, 15, tzinfo=UTC)
    assert start.problem is None and start.choices == () and start.note is None


def test_a_wall_time_that_clocks_skip_is_refused_with_the_hour_that_comes_instead():
    start = schedule.start("2026-03-29T02:30", "Europe/Berlin", NOW)
    assert start.instant is None and start.field == "start_wall"
    assert start.problem == "02:30 does not exist on 29 March 2026 in Berlin: clocks are put forward to 03:00."


def test_a_gap_of_half_an_hour_is_told_to_the_minute():
    start = schedule.start("2026-10-04T02:15", "Australia/Lord_Howe", NOW)
    assert start.problem is not None and start.problem.endswith("clocks are put forward to 02:30.")


def test_a_whole_day_that_a_zone_skipped_does_not_exist():
    assert schedule.look_up(datetime(2011, 12, 30, 10, 0), "Pacific/Apia") == ()
    assert schedule.after_gap(datetime(2011, 12, 30, 10, 0), "Pacific/Apia") == datetime(2011, 12, 31)


def test_of_a_wall_time_that_comes_twice_the_first_is_taken_and_said_so():
    start = schedule.start("2026-10-25T02:30", "Europe/Berlin", NOW)
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert start.instant == first and start.choices == (first, second)
    assert start.note is not None and "The first one is taken, UTC+2." in start.note


def test_the_second_of_two_equal_wall_times_can_be_chosen():
    start = schedule.start("2026-10-25T02:30", "Europe/Berlin", NOW, second=True)
    assert start.instant == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert start.note is not None and "The second one is taken, UTC+1." in start.note


def test_a_stored_instant_tells_which_of_two_equal_wall_times_was_chosen():
    first, second = schedule.start("2026-10-25T02:30", "Europe/Berlin", NOW).choices
    assert schedule.is_second("2026-10-25T02:30", "Europe/Berlin", second)
    assert not schedule.is_second("2026-10-25T02:30", "Europe/Berlin", first)
    assert not schedule.is_second("2026-07-01T09:00", "Europe/Berlin", NOW)
    assert not schedule.is_second(None, "Europe/Berlin", None)


def test_asking_for_the_second_of_a_time_that_comes_once_changes_nothing():
    once = schedule.start("2026-07-01T09:00", "Europe/Berlin", NOW)
    assert schedule.start("2026-07-01T09:00", "Europe/Berlin", NOW, second=True) == once


def test_when_only_the_first_of_two_equal_times_has_passed_the_second_can_still_be_chosen():
    between = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    first = schedule.start("2026-10-25T02:30", "Europe/Berlin", between)
    assert first.instant is None and len(first.choices) == 2
    assert schedule.start("2026-10-25T02:30", "Europe/Berlin", between, second=True).instant is not None


def test_the_present_minute_is_not_too_late_but_the_one_before_is():
    assert schedule.start("2026-01-15T12:00", "UTC", NOW).instant == datetime(2026, 1, 15, 12, tzinfo=UTC)
    late = schedule.start("2026-01-15T11:59", "UTC", NOW)
    assert late.instant is None and late.problem == "11:59 on 15 January 2026 in UTC has passed."


@pytest.mark.parametrize("wall", ["tomorrow", "2026-02-30T10:00", "2026-01-01", "10:00", "2026-01-01T25:00"])
def test_what_is_no_date_and_time_is_refused(wall):
    start = schedule.start(wall, "UTC", NOW)
    assert start.instant is None and start.field == "start_wall"


def test_an_unknown_zone_is_refused_by_name():
    start = schedule.start("2026-07-01T09:00", "Mars/Olympus", NOW)
    assert start.field == "time_zone" and "“Mars/Olympus”" in (start.problem or "")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)))
def test_every_instant_is_found_again_from_the_wall_time_it_shows_in_any_zone(name, moment):
    instant = moment.replace(second=0, microsecond=0, tzinfo=UTC)
    wall = instant.astimezone(ZoneInfo(name)).replace(tzinfo=None, fold=0)
    instants = schedule.look_up(wall, name)
    assert instant in instants and len(instants) <= 2


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)))
def test_a_wall_time_shows_itself_at_each_of_its_instants_or_has_none(name, moment):
    wall = moment.replace(second=0, microsecond=0)
    for instant in schedule.look_up(wall, name):
        assert instant.astimezone(ZoneInfo(name)).replace(tzinfo=None, fold=0) == wall
    if not schedule.look_up(wall, name):
        exists = schedule.after_gap(wall, name)
        assert exists > wall and schedule.look_up(exists, name)
        assert not schedule.look_up(exists - timedelta(minutes=1), name)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        (" new  york ", "America/New_York"),
        ("Berlin, Germany", "Europe/Berlin"),
        ("utc", "UTC"),
        ("Berl", None),
        ("", None),
        ("localtime", None),
        ("../../etc/passwd", None),
    ],
)
def test_a_zone_is_found_by_name_or_by_city(typed, name):
    assert zones.find(typed) == name


def test_every_zone_offered_is_found_by_its_own_name():
    assert all(zones.find(zone.name) == zone.name for zone in zones.zones())


@pytest.mark.parametrize(
    ("batch", "interval", "pace", "rate"),
    [
        (25, 30, "25 every 30 s", "about 50 a minute, 3,000 an hour"),
        (1, 1, "1 every 1 s", "about 60 a minute, 3,600 an hour"),
        (1, 90, "1 every 1 min 30 s", "about 40 an hour, 960 a day"),
        (1000, 3600, "1,000 every 1 h", "about 17 a minute, 1,000 an hour"),
        (5, 86400, "5 every 24 h", "about 5 a day, 35 a week"),
        (0, 30, "as fast as the relay takes them", ""),
        (25, 0, "as fast as the relay takes them", ""),
    ],
)
def test_the_pace_is_said_in_words(batch, interval, pace, rate):
    assert schedule.pace_in_words(batch, interval) == pace
    assert schedule.rate_in_words(batch, interval) == rate


def test_the_start_is_said_with_weekday_place_and_offset():
    assert schedule.start_in_words(None, "Europe/Berlin") == "as soon as you confirm"
    assert (
        schedule.start_in_words("2026-11-27T09:00", "Europe/Berlin")
        == "Friday 27 November 2026, 09:00 in Berlin (UTC+1)"
    )
    assert schedule.start_in_words("2026-10-25T02:30", "Europe/Berlin", second=True).endswith("(UTC+1)")
    assert schedule.start_in_words("2026-10-25T02:30", "Europe/Berlin").endswith("(UTC+2)")


@pytest.mark.parametrize(
    ("instant", "words"),
    [
        (datetime(2026, 1, 15, 13, 0, tzinfo=UTC), "today 14:00"),
        (datetime(2026, 1, 15, 23, 30, tzinfo=UTC), "tomorrow 00:30"),
        (datetime(2026, 1, 23, 8, 0, tzinfo=UTC), "Fri 23 Jan, 09:00"),
        (datetime(2027, 11, 27, 8, 0, tzinfo=UTC), "27 Nov 2027, 09:00"),
        (datetime(2025, 11, 27, 8, 0, tzinfo=UTC), "27 Nov 2025, 09:00"),
    ],
)
def test_a_moment_is_said_as_people_in_the_zone_say_it(instant, words):
    assert schedule.moment_in_words(instant, "Europe/Berlin", NOW) == words


@pytest.mark.parametrize(
    ("at", "name", "words"),
    [
        (NOW, "UTC", "UTC"),
        (NOW, "Europe/Berlin", "UTC+1"),
        (NOW, "Asia/Kathmandu", "UTC+5:45"),
        (NOW, "America/St_Johns", "UTC-3:30"),
    ],
)
def test_the_offset_is_said_in_hours_and_minutes(at, name, words):
    assert zones.offset(at, name) == words


def test_a_missed_start_is_asked_about_in_the_words_of_its_own_zone():
    meant = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
    asked = schedule.missed_in_words(meant, "Europe/Berlin", meant + timedelta(hours=1))
    assert asked == (
        "It was to start at 14:00 Europe/Berlin; nobody was there to send it. Start it now, choose another time, or cancel."
    )
    days_later = schedule.missed_in_words(meant, "Europe/Berlin", meant + timedelta(days=2))
    assert days_later.startswith("It was to start on Monday 23 November 2026, 14:00 Europe/Berlin;")
