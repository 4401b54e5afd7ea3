"""Sets of clients as bits."""

import random

from webapp.core.audience import bits
from webapp.core.audience.bits import FIRST_CHARACTER, SIZE


def text(places: list[int]) -> str:
    return "".join(chr(FIRST_CHARACTER + place) for place in places)


def test_texts_small_and_large_become_the_same_bits():
    chance = random.Random(1)
    for size in (0, 1, bits.SPARSE, bits.SPARSE + 1, 5000, SIZE):
        places = chance.sample(range(SIZE), size)
        wanted = sum(1 << place for place in places)
        packed = bits.pack(text(places))
        assert isinstance(packed, str) == (size <= bits.SPARSE)
        assert bits.union(packed) == wanted
        assert bits.union(packed, text(places[:3]), 1 << 77) == wanted | 1 << 77
        assert list(bits.client_ids(wanted, 2)) == [2 * SIZE + place for place in sorted(places)]


def test_pages_cut_a_set_over_blocks_without_a_gap_or_an_overlap():
    chance = random.Random(2)
    sets, members = [], []
    for block in (0, 3, 4, 9):
        places = sorted(chance.sample(range(SIZE), chance.choice((1, 40, 3000))))
        sets.append((block, sum(1 << place for place in places)))
        members += [block * SIZE + place for place in places]
    for offset in (0, 1, 39, 40, len(members) - 1, len(members)):
        for limit in (1, 50, len(members)):
            assert bits.cut(sets, offset, limit) == members[offset : offset + limit]
    assert [one for n in range(len(members)) for one in bits.cut(sets, n, 1)] == members


def test_the_lowest_members_are_taken_off():
    full = (1 << SIZE) - 1
    for count in (0, 1, SIZE // 2, SIZE - 1, SIZE):
        assert bits.without_first(full, count) == full >> count << count
