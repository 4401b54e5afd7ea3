"""What became of a client in an earlier broadcast, as a choice in an audience filter."""

from enum import StrEnum
from typing import Self

from webapp.core.rules.lifecycle import OPEN, DeliveryState


class Fate(StrEnum):
    """What became of those whom a broadcast was for, as far as one may want to write to them again."""

    FAILED = "failed"
    SKIPPED = "skipped"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"

    @property
    def states(self) -> tuple[DeliveryState, ...]:
        return _STATES[self]

    @property
    def who(self) -> str:
        """What follows after "the clients of a broadcast": "whose mail failed"."""
        return _WHO[self]

    @property
    def that(self) -> str:
        """What follows after a number: "54 that failed"."""
        return _THAT[self]


_STATES = {
    Fate.FAILED: (DeliveryState.FAILED,),
    Fate.SKIPPED: (DeliveryState.SKIPPED, DeliveryState.SUPPRESSED),
    Fate.ACCEPTED: (DeliveryState.ACCEPTED,),
    Fate.CANCELLED: (DeliveryState.CANCELLED,),
}
_WHO = {
    Fate.FAILED: "whose mail failed",
    Fate.SKIPPED: "who were skipped",
    Fate.ACCEPTED: "whose mail was accepted",
    Fate.CANCELLED: "whose mail was cancelled",
}
_THAT = {
    Fate.FAILED: "that failed",
    Fate.SKIPPED: "that were skipped",
    Fate.ACCEPTED: "that were accepted",
    Fate.CANCELLED: "that were cancelled",
}


GOT = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)
"""Of whom it is known, or cannot be ruled out, that they have got a mail."""

TO_COME = tuple(sorted(OPEN))
REACHED = GOT + TO_COME
"""Who has got a mail, may have, or is about to: whom one may not want to write the same again."""


def broadcast_number(text: str | int) -> int:
    """The id of a broadcast, as forms send it and filters store it. Raises ValueError for what can be none."""
    number = str(text)
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        raise ValueError(f"{number!r} names no broadcast")
    return int(number)


class EarlierOutcome(str):
    """The clients of one broadcast whom one thing became of: "17:failed", as forms send it and the filter is stored.

    Raises ValueError for any other text.
    """

    broadcast_id: int
    fate: Fate

    def __new__(cls, text: str) -> Self:
        number, _, fate = text.partition(":")
        broadcast_id = broadcast_number(number)
        value = super().__new__(cls, f"{broadcast_id}:{Fate(fate)}")
        value.broadcast_id, value.fate = broadcast_id, Fate(fate)
        return value

    @classmethod
    def of(cls, broadcast_id: int, fate: Fate) -> Self:
        return cls(f"{broadcast_id}:{fate}")
