"""What a text was read as."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Value(Generic[T]):
    """`value` is what is stored, None for an empty text or one that was not understood. `note` says in words what was assumed, or
    why the text was not understood; None where the text says plainly what is meant.
    """

    value: T | None
    note: str | None = None
    understood: bool = True


NOTHING: Value = Value(None)
"""An empty text."""


def unknown(note: str) -> Value:
    """A text that was not understood."""
    return Value(None, note, understood=False)
