from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webapp.pages import wording

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (61, "1 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (172_800, "2 d"),
    ],
)
def test_a_duration_has_the_two_units_that_matter(seconds, text):
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=10), "10 min ago"),
        (timedelta(hours=5, minutes=30), "5 h ago"),
        (timedelta(days=2, hours=7), "2 d ago"),
        (timedelta(days=40), "14 Oct"),
        (timedelta(days=400), "19 Oct 2025"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_how_long_ago(before, text):
    assert wording.ago(NOON - before, NOON) == text


def test_an_hour_that_the_clocks_skip_or_repeat_does_not_change_how_long_ago_it_was():
    berlin = ZoneInfo("Europe/Berlin")
    before, after = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert wording.ago(before.astimezone(berlin), after.astimezone(berlin)) == "1 h ago"


def test_a_moment_says_as_much_as_is_needed():
    assert wording.moment(NOON - timedelta(hours=1), NOON) == "11:00"
    assert wording.moment(NOON - timedelta(days=3), NOON) == "Fri 20 Nov, 12:00"
    assert wording.moment(NOON - timedelta(days=700), NOON) == "23 Dec 2024, 12:00"


def test_numbers_and_nouns():
    assert wording.number(1234567) == "1,234,567"
    assert wording.plural(1, "mail") == "1 mail"
    assert wording.plural(1200, "mail") == "1,200 mails"
    assert wording.plural(2, "address", "addresses") == "2 addresses"
