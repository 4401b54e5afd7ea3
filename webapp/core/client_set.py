"""Sets of clients, of which a million take microseconds: who matches, who gets a mail, who is suppressed."""

from array import array
from collections.abc import Iterable, Iterator
from struct import pack
from typing import Self

from pyroaring import BitMap, BitMap64, FrozenBitMap64

LAST_ID = (1 << 64) - 1
"""The highest id that a set can hold. The database's ids have 63 bits."""

_ONE_PART_FROM_0 = pack("<QI", 1, 0)
"""What stands before a set of 32-bit numbers in the portable format of 64-bit sets: one part, whose upper 32 bits are 0."""


class ClientSet:
    """The ids of some clients, in rising order. A set never changes, so memories and threads share it.

    `a & b` are those in both, `a | b` those in any, `a - b` those of `a` who are not in `b`.
    """

    __slots__ = ("_ids",)

    def __init__(self, ids: Iterable[int] = ()) -> None:
        """The set of `ids`, in any order; fastest from a `range` or an `array("Q")`. Raises OverflowError for a negative id."""
        self._ids = FrozenBitMap64(ids)

    @classmethod
    def any_of(cls, sets: Iterable["ClientSet"]) -> "ClientSet":
        """Those who are in at least one of the sets."""
        found = BitMap64()
        for one in sets:
            found |= one._ids
        return cls._of(FrozenBitMap64(found))

    @classmethod
    def from_offsets(cls, start: int, offsets: "array[int]") -> "ClientSet":
        """The ids `start + offset` of an `array("I")` of offsets in any order. `start` may be negative; no id may."""
        # pyroaring takes 32-bit numbers as they lie in memory, and 64-bit ones only after it has made a Python integer of each.
        relative = (
            FrozenBitMap64.deserialize(_ONE_PART_FROM_0 + BitMap(offsets).serialize()) if offsets else FrozenBitMap64()
        )
        return cls._of(relative.shift(start))

    @classmethod
    def _of(cls, ids: FrozenBitMap64) -> Self:
        made = cls.__new__(cls)
        made._ids = ids
        return made

    def __and__(self, other: "ClientSet") -> "ClientSet":
        return ClientSet._of(self._ids & other._ids)

    def __or__(self, other: "ClientSet") -> "ClientSet":
        return ClientSet._of(self._ids | other._ids)

    def __sub__(self, other: "ClientSet") -> "ClientSet":
        return ClientSet._of(self._ids - other._ids)

    def __eq__(self, other: object) -> bool:
        return self._ids == other._ids if isinstance(other, ClientSet) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __bool__(self) -> bool:
        return bool(self._ids)

    def __contains__(self, client_id: int) -> bool:
        return 0 <= client_id <= LAST_ID and client_id in self._ids

    def __iter__(self) -> Iterator[int]:
        """By rising id."""
        return iter(self._ids)

    def __repr__(self) -> str:
        return f"ClientSet({self.page(0, 10)}{f', {len(self):,} in all' if len(self) > 10 else ''})"

    def has(self, ids: Iterable[int]) -> list[bool]:
        """Whether each of these ids, none negative, is in the set: quicker than to ask for one after the other."""
        members = self._ids
        return [one in members for one in ids]

    def overlap(self, other: "ClientSet") -> int:
        """How many are in both: `len(a & b)`, without making that set."""
        return self._ids.intersection_cardinality(other._ids)

    def page(self, offset: int, limit: int) -> list[int]:
        """The ids number `offset` to `offset + limit`, counted from 0; fewer at the end."""
        return list(self._ids[offset : offset + limit])

    def position(self, client_id: int) -> int:
        """How many ids there are up to and including this one, be it in the set or not."""
        return self._ids.rank(min(client_id, LAST_ID)) if client_id >= 0 else 0

    def first(self) -> int | None:
        """The lowest id; None in an empty set."""
        return self._ids.min() if self._ids else None

    def last(self) -> int | None:
        """The highest id; None in an empty set."""
        return self._ids.max() if self._ids else None

    def after(self, client_id: int) -> int | None:
        """The next higher id; None behind the last."""
        return self._at(self.position(client_id))

    def before(self, client_id: int) -> int | None:
        """The next lower id; None before the first."""
        return self._at(self.position(client_id - 1) - 1)

    def _at(self, rank: int) -> int | None:
        return self._ids[rank] if 0 <= rank < len(self._ids) else None


NOBODY = ClientSet()
