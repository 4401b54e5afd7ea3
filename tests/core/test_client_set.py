"""Sets of clients, against Python's own."""

import random
import threading
from array import array
from bisect import bisect_left, bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.core.client_set import LAST_ID, NOBODY, ClientSet

CONTAINER = 1 << 16
"""The inner sets keep so many neighbouring ids together; what goes wrong goes wrong at such a border, or at that of 32 bits."""

FAR = (1 << 32) - 3
ID = (
    st.integers(0, 40)
    | st.integers(CONTAINER - 3, CONTAINER + 3)
    | st.integers(FAR, FAR + 6)
    | st.integers(0, 2**63 - 1)
)
RANGES = st.builds(lambda start, size: set(range(start, start + size)), ID, st.integers(0, 300))
IDS = st.builds(set.union, st.sets(ID), RANGES)


@given(IDS, IDS)
def test_the_algebra_is_that_of_sets(one: set[int], other: set[int]):
    a, b = ClientSet(one), ClientSet(other)
    assert set(a & b) == one & other
    assert set(a | b) == one | other
    assert set(a - b) == one - other
    assert a.overlap(b) == len(one & other)
    assert (a == b) == (one == other)
    assert a & b == ClientSet(one & other) and hash(a & b) == hash(ClientSet(one & other))


@given(st.lists(IDS, max_size=4))
def test_any_of_several_is_their_union(sets: list[set[int]]):
    assert set(ClientSet.any_of(ClientSet(ids) for ids in sets)) == set().union(*sets)


@given(IDS, st.sets(ID))
def test_members_places_and_neighbours_are_those_of_the_sorted_ids(ids: set[int], asked: set[int]):
    found, ordered = ClientSet(ids), sorted(ids)
    assert list(found) == ordered
    assert (len(found), bool(found)) == (len(ordered), bool(ordered))
    assert (found.first(), found.last()) == ((ordered[0], ordered[-1]) if ordered else (None, None))
    some = asked | set(ordered[:20])
    assert found.has(sorted(some)) == [one in ids for one in sorted(some)]
    for one in some | {-1, LAST_ID, LAST_ID + 1}:
        below, upto = bisect_left(ordered, one), bisect_right(ordered, one)
        assert (one in found) == (one in ids)
        assert found.position(one) == upto
        assert found.before(one) == (ordered[below - 1] if below else None)
        assert found.after(one) == (ordered[upto] if upto < len(ordered) else None)


@given(IDS, st.integers(0, 400), st.integers(0, 400))
def test_a_page_is_a_slice_of_the_sorted_ids(ids: set[int], offset: int, limit: int):
    assert ClientSet(ids).page(offset, limit) == sorted(ids)[offset : offset + limit]


@given(IDS)
def test_pages_follow_each_other_without_a_gap_or_an_overlap(ids: set[int]):
    found = ClientSet(ids)
    assert [one for offset in range(0, len(ids), 7) for one in found.page(offset, 7)] == sorted(ids)


@given(st.lists(st.integers(0, 2**21)), ID)
def test_places_are_ids_from_a_start_on_in_any_order_and_twice_or_not(places: list[int], start: int):
    assert set(ClientSet.from_offsets(start, array("I", places + places[:3]))) == {start + place for place in places}
    least = min(places, default=0)
    assert set(ClientSet.from_offsets(-least, array("I", places))) == {place - least for place in places}


@pytest.mark.parametrize("share", [0.001, 0.1, 0.9])
def test_large_sets_sparse_and_dense_are_the_same_however_they_are_made(share: float):
    chance = random.Random(share)
    ids = [one for one in range(3 * CONTAINER) if chance.random() < share]
    mixed = chance.sample(ids, len(ids))
    made = [ClientSet(ids), ClientSet(mixed), ClientSet(array("Q", mixed)), ClientSet(set(ids)), ClientSet(iter(ids))]
    made.append(ClientSet.from_offsets(0, array("I", mixed)))
    made.append(ClientSet.any_of(ClientSet([one]) for one in mixed))
    assert all(one == made[0] and list(one) == ids for one in made)
    assert made[0].page(len(ids) // 2, 50) == ids[len(ids) // 2 : len(ids) // 2 + 50]
    assert made[0].overlap(ClientSet(range(CONTAINER, 2 * CONTAINER))) == sum(
        CONTAINER <= one < 2 * CONTAINER for one in ids
    )


def test_no_operation_changes_a_set_that_somebody_else_keeps():
    kept, other = ClientSet(range(0, 1000, 2)), ClientSet(range(500, 1500))
    before = list(kept)
    for change in ("__and__", "__or__", "__sub__"):
        getattr(kept, change)(other)
    mine = kept
    mine |= other
    mine &= ClientSet([1, 2])
    mine -= ClientSet([2])
    ClientSet.any_of([kept, other])
    assert list(mine) == [] and list(kept) == before
    public = [name for name in dir(kept) if not name.startswith("_")]
    assert public == [
        "after",
        "any_of",
        "before",
        "first",
        "from_offsets",
        "has",
        "last",
        "overlap",
        "page",
        "position",
    ]
    with pytest.raises(AttributeError):
        kept.more = 1  # type: ignore[attr-defined]


def test_a_set_is_compared_with_sets_alone_and_takes_no_negative_id():
    assert ClientSet([1]) != {1} and ClientSet() == NOBODY
    with pytest.raises(OverflowError):
        ClientSet([-1])


def test_threads_share_a_set():
    shared, others = ClientSet(range(0, 300_000, 3)), [ClientSet(range(n, 300_000, 7)) for n in range(4)]
    expected = [(len(shared & other), len(shared - other), shared.page(n * 1000, 5)) for n, other in enumerate(others)]
    wrong: list[int] = []

    def ask(number: int) -> None:
        for _ in range(50):
            other = others[number]
            answer = (len(shared & other), len(shared - other), shared.page(number * 1000, 5))
            if answer != expected[number] or sum(1 for _ in shared) != len(shared):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(others))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_its_text_shows_the_first_few():
    assert repr(ClientSet([3, 1])) == "ClientSet([1, 3])"
    assert repr(ClientSet(range(2000))) == "ClientSet([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 2,000 in all)"
