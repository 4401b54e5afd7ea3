"""The services of one recipient, as the values that stand inside a loop."""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache

from webapp.core.rules.tags.nodes import POSITION, ROW, Loop, keys_in, read_rows_key

_POSITIONS: dict[str, Callable[[int, int], str]] = {
    "forloop.index": lambda index, _length: str(index + 1),
    "forloop.first": lambda index, _length: "true" if index == 0 else "",
    "forloop.last": lambda index, length: "true" if index + 1 == length else "",
    "forloop.length": lambda _index, length: str(length),
}


def columns_of(key: str) -> tuple[str, ...]:
    """The keys of the fields that stand in the value with this key, in their order there."""
    found = read_rows_key(key)
    return tuple(ROW + field for field in found[1]) if found else ()


class LoopRows:
    """What is known in a loop: values of the mail, the fields of a service, and where the loop is. `order` are their keys.

    The value with the services stands behind those of `outer`; it is missing where a client has none.
    """

    def __init__(self, loop: Loop, outer: Sequence[str], columns: Sequence[str]):
        keys = tuple(dict.fromkeys(keys_in(loop.body)))
        of_mail = [key for key in keys if not key.startswith((ROW, POSITION))]
        of_service = [key for key in keys if key.startswith(ROW)]
        of_place = [key for key in keys if key.startswith(POSITION)] or ["forloop.index"]
        self.order = (*of_mail, *of_service, *of_place)
        self._limit, self._place = loop.limit, len(outer)
        self._from_mail = [outer.index(key) for key in of_mail]
        self._from_service = [columns.index(key) for key in of_service]
        self._from_place = [_POSITIONS[key] for key in of_place]

    def of(self, values: Sequence[str]) -> list[list[str]]:
        """For each service the values of `order`."""
        if len(values) <= self._place:
            return []
        rows = _read(values[self._place])[: self._limit]
        of_mail, length = [values[index] for index in self._from_mail], len(rows)
        return [
            [
                *of_mail,
                *[row[index] for index in self._from_service],
                *[said(place, length) for said in self._from_place],
            ]
            for place, row in enumerate(rows)
        ]


@lru_cache(maxsize=16)
def _read(rows: str) -> Sequence[Sequence[str]]:
    """Kept, as the parts of one mail ask for the same."""
    found: list[list[str]] = json.loads(rows)
    return found
