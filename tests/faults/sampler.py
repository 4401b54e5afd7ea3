"""Somebody who looks at all broadcasts again and again while they are frozen and sent: do the states of the rows add up?

What must hold at each look stands in `webapp/core/ledger/freeze.py`.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

from sqlalchemy import Engine, text

SUMS = text("""
SELECT b.id, b.state, b.started_at IS NOT NULL, b.frozen_at IS NOT NULL, b.frozen_count, coalesce(t.state, ''), coalesce(sum(t.count), 0)
FROM broadcast b LEFT JOIN tally t ON t.broadcast_id = b.id GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 6
""")
STATES = text("""
SELECT 'rows', broadcast_id, state, count(*) FROM delivery GROUP BY broadcast_id, state
UNION ALL SELECT 'tally', broadcast_id, state, sum(count) FROM tally GROUP BY broadcast_id, state
""")
"""One statement each: what it reads is of one instant, on either database."""

PAUSE_S = 0.05
ROWS_EACH = 20
"""Every so many looks the rows themselves are counted."""

COLLECTED = {"pending", "skipped"}
"""In these states rows are born; nothing else becomes of them before the freeze is complete, but that a cancel takes them back."""


@dataclass
class Seen:
    """One broadcast at one look: how far it is, and how many of its rows are in which state by the tally."""

    state: str
    has_started: bool
    is_frozen: bool
    frozen_count: int | None
    rows: Counter[str] = field(default_factory=Counter)

    def faults(self, before: "Seen | None") -> Iterator[str]:
        """What does not hold, in words; `before` is the same broadcast one look earlier."""
        total = self.rows.total()
        if not self.has_started and total:
            yield f"{total} in the tally before its start"
        if self.is_frozen and self.frozen_count != total:
            yield f"{total} in the tally, {self.frozen_count} frozen"
        if not self.is_frozen and self.frozen_count is not None:
            yield f"{self.frozen_count} are said to be frozen while they are collected"
        allowed = COLLECTED | ({"cancelled"} if self.state == "cancelled" else set())
        if not self.is_frozen and (others := set(+self.rows) - allowed):
            yield f"there are rows that are {', '.join(sorted(others))} while recipients are collected"
        if before is not None and total < before.rows.total():
            yield f"{total} in the tally after {before.rows.total()}"
        if before is not None and before.is_frozen and before.frozen_count != self.frozen_count:
            yield f"{self.frozen_count} frozen after {before.frozen_count}"


class Sampler(threading.Thread):
    """Looks from `with` to its end. `looks` and `counts` say how often the tally and the rows were seen, `wrong` what did not add up;
    `while_moving` how many of the looks saw something else than the one before, `while_collecting` how many saw a freeze under way."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(name="sampler", daemon=True)
        self.looks = self.counts = self.while_moving = self.while_collecting = 0
        self.wrong: list[str] = []
        self._before: dict[int, Seen] = {}
        self._engine = engine
        self._ends = threading.Event()

    def __enter__(self) -> "Sampler":
        self.start()
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ends.set()
        self.join()

    def run(self) -> None:
        while not self._ends.wait(PAUSE_S):
            try:
                self.look(counting_rows=self.looks % ROWS_EACH == 0)
            except Exception as error:
                self.wrong.append(f"the sampler was refused: {error!r}")
                return

    def look(self, *, counting_rows: bool = True) -> None:
        """Look once."""
        with self._engine.connect() as connection:
            if counting_rows:
                self.counts += 1
                self._compare(connection.execute(STATES).all())
            now = seen(connection.execute(SUMS).all())
        self.looks += 1
        self.while_moving += now != self._before
        self.while_collecting += any(not one.is_frozen and +one.rows for one in now.values())
        for key, one in now.items():
            self.wrong += [f"broadcast {key}: {words}" for words in one.faults(self._before.get(key))]
        self._before = now

    def _compare(self, counted: Iterable) -> None:
        found: dict[int, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        for kind, key, state, count in counted:
            found[key][kind][state] += int(count)
        for key, kinds in found.items():
            rows, tally = +kinds["rows"], +kinds["tally"]
            if rows != tally:
                self.wrong.append(f"broadcast {key}: rows {dict(rows)}, tally {dict(tally)}")


def seen(rows: Iterable) -> dict[int, Seen]:
    """The broadcasts by their ids, from rows of `SUMS`."""
    found: dict[int, Seen] = {}
    for key, state, has_started, is_frozen, frozen_count, kind, count in rows:
        one = found.setdefault(key, Seen(state, bool(has_started), bool(is_frozen), frozen_count))
        if kind:
            one.rows[kind] += int(count)
    return found
