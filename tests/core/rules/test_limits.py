"""The rule of the relay's connections, which all sending processes share."""

from hypothesis import given
from hypothesis import strategies as st

from webapp.core.rules.limits import connections_for


def test_without_a_limit_everybody_has_what_they_want():
    assert connections_for(0, 10, 5, 500) == 10


def test_one_alone_has_all_and_two_have_half():
    assert connections_for(8, 10, 1, 0) == 8
    assert connections_for(8, 10, 2, 8) == 0, "the other one has not let go yet"
    assert connections_for(8, 10, 2, 4) == 4
    assert connections_for(8, 3, 2, 4) == 3


def test_where_there_are_fewer_than_processes_some_have_none():
    assert [connections_for(2, 10, 3, held) for held in (0, 1, 2)] == [1, 1, 0]


@given(st.integers(1, 50), st.lists(st.integers(1, 30), min_size=1, max_size=8), st.randoms())
def test_together_they_never_have_more_than_the_limit_and_soon_their_share(limit: int, wants: list[int], chance):
    held = [0] * len(wants)
    for turn in range(200):
        one = turn % len(wants) if turn >= 100 else chance.randrange(len(wants))
        held[one] = connections_for(limit, wants[one], len(wants), sum(held) - held[one])
        assert sum(held) <= limit
    share = max(limit // len(wants), 1)
    assert sum(held) >= min(limit, sum(min(want, share) for want in wants))
