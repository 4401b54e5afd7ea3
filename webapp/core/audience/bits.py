"""Sets of clients as the bits of one integer a block: bit n of block b is the client with id `b * 16384 + n`. Python's integers intersect
and count 16,384 clients in about a microsecond."""

from collections.abc import Iterator
from itertools import islice

from webapp.core.tables.stamps import BLOCK_BITS

SIZE = 1 << BLOCK_BITS
"""Clients in a block."""

FIRST_CHARACTER = 256
"""The database says a set of clients as text, a character a client, beginning here (clear of NUL, and far below the surrogates)."""

SPARSE = 100
"""A set this small is kept as that text, which takes less memory than its bits."""

Packed = int | str


def pack(text: str) -> Packed:
    """A set as it is best kept."""
    return text if len(text) <= SPARSE else bits_of(text)


def bits_of(text: str) -> int:
    """The bits of a text of the database."""
    octets = bytearray(SIZE // 8)
    for character in memoryview(text.encode("utf-16-le")).cast("H"):
        place = character - FIRST_CHARACTER
        octets[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(octets, "little")


def union(*sets: Packed) -> int:
    """The bits of whoever is in any of the sets."""
    bits, texts = 0, []
    for one in sets:
        if isinstance(one, int):
            bits |= one
        else:
            texts.append(one)
    return bits | bits_of("".join(texts)) if texts else bits


def bit(client_id: int) -> int:
    return 1 << (client_id & (SIZE - 1))


def client_ids(bits: int, block: int) -> Iterator[int]:
    """The members of a set, by rising client id."""
    base = block << BLOCK_BITS
    while bits:
        lowest = bits & -bits
        yield base + lowest.bit_length() - 1
        bits ^= lowest


def without_first(bits: int, count: int) -> int:
    """The set without its `count` lowest members: halves are skipped by their count."""
    if count >= bits.bit_count():
        return 0
    place, half, rest = 0, SIZE // 2, bits
    while half:
        low = rest & ((1 << half) - 1)
        if count < (members := low.bit_count()):
            rest = low
        else:
            count -= members
            rest >>= half
            place += half
        half //= 2
    return bits >> place << place


def cut(sets: list[tuple[int, int]], offset: int, limit: int) -> list[int]:
    """Client ids `offset` to `offset + limit` of a set given as (block, bits) by rising block."""
    found: list[int] = []
    for block, bits in sets:
        size = bits.bit_count()
        if offset >= size:
            offset -= size
            continue
        found += islice(client_ids(without_first(bits, offset), block), limit - len(found))
        offset = 0
        if len(found) >= limit:
            break
    return found
