"""Claimed mails whose receivers have limits: each receiver's stand in a line of their own, so that they hold up nobody else."""

import math
from collections import deque
from collections.abc import Mapping

from webapp.core.ledger import Claimed

Entry = tuple[float, Claimed]
"""A mail, and the ticks before which it must not leave; 0.0 for at once."""


class ReceiverLines:
    """The lines of one sending process, by the id of the limit. The recorder's thread adds, the mailer's takes."""

    def __init__(self) -> None:
        self._lines: dict[int, deque[Entry]] = {}

    def __bool__(self) -> bool:
        return any(self._copy())

    @property
    def mails(self) -> int:
        """How many mails stand in all lines."""
        return sum(len(line) for line in self._copy())

    def standing(self, receiver: int) -> int:
        """How many stand in the line of a limit."""
        return len(self._lines.get(receiver, ()))

    def of(self, receiver: int) -> deque[Entry]:
        """The line of a limit, to whose end mails are added."""
        return self._lines.setdefault(receiver, deque())

    def open_at(self, ticks: float, rooms: Mapping[int, int]) -> deque[Entry] | None:
        """A line whose first mail may leave; None where there is none. `rooms` is what `Exchange.take` calls so."""
        for receiver, line in list(self._lines.items()):
            if line and line[0][0] <= ticks and rooms.get(receiver, 1) > 0:
                return line
        return None

    def at_hand(self, ticks: float, rooms: Mapping[int, int]) -> int:
        """How many connections more the first mails of the lines could use."""
        found = 0
        for receiver, line in list(self._lines.items()):
            ready = sum(1 for not_before, _ in list(line) if not_before <= ticks)
            found += min(ready, max(rooms.get(receiver, ready), 0))
        return found

    def next_after(self, ticks: float) -> float:
        """The next ticks from which the first mail of a line may leave that may not leave yet; infinite where there is none."""
        firsts = (line[0][0] for line in self._copy() if line)
        return min((first for first in firsts if first > ticks), default=math.inf)

    def waiting(self) -> list[Claimed]:
        """The mails that stand in the lines."""
        return [mail for line in self._copy() for _, mail in list(line)]

    def _copy(self) -> list[deque[Entry]]:
        return list(self._lines.values())
