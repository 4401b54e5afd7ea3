"""What a text was read as."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Value(Generic[T]):
    """`value` is what is stored, None for an empty text or one that was not understood. `note` says in words what was assumed, or
    why the text was not understood; None where the text says plainly what is meant. `doubt` is true where the text has two meanings
    and nothing tells which: then a person is asked.
    """

    value: T | None
    note: str | None = None
    understood: bool = True
    doubt: bool = False


NOTHING: Value[Any] = Value(None)
"""An empty text."""


def unknown(note: str, doubt: bool = False) -> Value[Any]:
    """A text that was not understood."""
    return Value(None, note, understood=False, doubt=doubt)
