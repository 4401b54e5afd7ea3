"""Who will get a broadcast, as an ordered set of client ids in memory: membership, places and neighbours without a query each."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.core.audience import Audience
from webapp.core.audience.bits import client_ids
from webapp.core.audience.counting import Term, select_terms
from webapp.core.tables.stamps import BLOCK_BITS


@dataclass(frozen=True, slots=True)
class Receivers:
    """Client ids in blocks of 2**BLOCK_BITS: (number of the block, a bit for each client), by rising number, none empty."""

    blocks: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, session: Session, audience: Audience) -> "Receivers":
        return cls(select_terms(session, audience).terms[Term.WILL_RECEIVE])

    @property
    def total(self) -> int:
        return sum(bits.bit_count() for _, bits in self.blocks)

    def __contains__(self, client_id: int) -> bool:
        number, place = _split(client_id)
        at = bisect_left(self.blocks, (number, 0))
        return at < len(self.blocks) and self.blocks[at][0] == number and bool(self.blocks[at][1] >> place & 1)

    def __iter__(self) -> Iterator[int]:
        """By rising id."""
        for number, bits in self.blocks:
            yield from client_ids(bits, number)

    def position(self, client_id: int) -> int:
        """How many there are up to and including this id."""
        number, place = _split(client_id)
        before = sum(bits.bit_count() for block, bits in self.blocks if block < number)
        return before + sum((bits & (2 << place) - 1).bit_count() for block, bits in self.blocks if block == number)

    def first(self) -> int | None:
        return _lowest(*self.blocks[0]) if self.blocks else None

    def after(self, client_id: int) -> int | None:
        """The next higher id."""
        number, place = _split(client_id)
        for block, bits in self.blocks:
            rest = bits >> (place + 1) << (place + 1) if block == number else bits
            if block >= number and rest:
                return _lowest(block, rest)
        return None

    def before(self, client_id: int) -> int | None:
        """The next lower id."""
        number, place = _split(client_id)
        for block, bits in reversed(self.blocks):
            rest = bits & (1 << place) - 1 if block == number else bits
            if block <= number and rest:
                return (block << BLOCK_BITS) + rest.bit_length() - 1
        return None


def _split(client_id: int) -> tuple[int, int]:
    return client_id >> BLOCK_BITS, client_id & (1 << BLOCK_BITS) - 1


def _lowest(block: int, bits: int) -> int:
    return (block << BLOCK_BITS) + (bits & -bits).bit_length() - 1
