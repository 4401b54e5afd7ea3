"""Limits by the recipient's domain as rules: what may be typed, what makes sense, and the forecast against a plain model."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.core.errors import Invalid
from webapp.core.rules.limits import Limits
from webapp.core.rules.receivers import (
    MINUTE_S,
    MOST_DOMAINS,
    SECOND_S,
    SUGGESTIONS,
    ReceiverLimit,
    bottleneck,
    by_domain,
    check,
    parse_domains,
)

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
GOOGLE = ReceiverLimit(("gmail.com", "googlemail.com"), 20, SECOND_S, 5, id=1)
SLOW = ReceiverLimit(("slow.example",), 6, MINUTE_S, id=2)


@pytest.mark.parametrize(
    ("typed", "domains"),
    [
        ("gmail.com", ("gmail.com",)),
        (" Gmail.COM,googlemail.com ;\n@gmail.com", ("gmail.com", "googlemail.com")),
        ("ada@gmx.de.", ("gmx.de",)),
        ("straße.de", ("xn--strae-oqa.de",)),
        ("xn--strae-oqa.de", ("xn--strae-oqa.de",)),
    ],
)
def test_domains_are_taken_as_people_write_them(typed: str, domains: tuple[str, ...]):
    assert parse_domains(typed) == domains


@pytest.mark.parametrize("typed", ["", " , ", "gmail", "a b.com/c", "-a.com", "*.gmail.com", "x" * 64 + ".com", "a..b"])
def test_what_is_no_domain_is_refused(typed: str):
    with pytest.raises(Invalid) as refused:
        parse_domains(typed)
    assert refused.value.field == "domains"


def test_not_too_many_domains_stand_together():
    with pytest.raises(Invalid, match=f"{MOST_DOMAINS}"):
        parse_domains(", ".join(f"d{number}.example" for number in range(MOST_DOMAINS + 1)))


@pytest.mark.parametrize(
    ("limit", "field"),
    [
        (ReceiverLimit(("a.example",)), "mails"),
        (ReceiverLimit(("a.example",), -1, connections=1), "mails"),
        (ReceiverLimit(("a.example",), 1, connections=20_000), "connections"),
        (ReceiverLimit(("a.example",), 1, 7), "interval_s"),
        (ReceiverLimit(("googlemail.com",), 1), "domains"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(limit: ReceiverLimit, field: str):
    with pytest.raises(Invalid) as refused:
        check(limit, [GOOGLE])
    assert refused.value.field == field


def test_suggestions_make_sense_together():
    for number, one in enumerate(SUGGESTIONS):
        check(one.limit, [other.limit for other in SUGGESTIONS[:number]])
        assert by_domain((one.limit,)).keys() == set(parse_domains(" ".join(one.limit.domains)))


def test_the_receiver_that_takes_longest_is_the_bottleneck():
    assert bottleneck([GOOGLE, SLOW], {1: 2410, 2: 12}) == (GOOGLE, 2410, 120)
    assert bottleneck([GOOGLE, SLOW], {1: 20, 2: 13}) == (SLOW, 13, 120)
    assert bottleneck([GOOGLE, SLOW], {1: 20, 2: 0}) is None and bottleneck([], {1: 5}) is None


COUNTS = st.integers(0, 400)


@given(to_google=COUNTS, to_slow=COUNTS, others=COUNTS, pace=st.tuples(st.integers(0, 30), st.integers(0, 9)))
def test_the_forecast_is_that_of_a_calendar_kept_by_hand(
    to_google: int, to_slow: int, others: int, pace: tuple[int, int]
):
    """Each limit by itself: whoever has the last mail latest decides."""

    def last_s(count: int, size: int, seconds: int) -> int:
        leaves = [number // size * seconds for number in range(count)] if size and seconds else []
        return max(leaves, default=0)

    count = to_google + to_slow + others
    limits = Limits(per_second=40, receivers=(GOOGLE, SLOW))
    model = max(
        last_s(count, *pace), last_s(count, 40, 1), last_s(to_google, 20, SECOND_S), last_s(to_slow, 6, MINUTE_S)
    )
    to = {1: to_google, 2: to_slow}
    assert limits.forecast(count, *pace, NOW, to) == NOW + timedelta(seconds=model)
    held = limits.held_up_by(count, *pace, to)
    assert (held is None) is (model == max(last_s(count, *pace), last_s(count, 40, 1)))


def test_without_another_limit_a_receiver_alone_says_when_it_ends():
    limits = Limits(receivers=(GOOGLE,))
    assert limits.forecast(3000, 0, 0, NOW, {1: 2410}) == NOW + timedelta(seconds=120)
    assert limits.forecast(3000, 0, 0, NOW, {1: 5}) is None and limits.forecast(3000, 0, 0, NOW) is None
