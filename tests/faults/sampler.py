"""Somebody who looks at all broadcasts again and again while they are sent: do the states of the rows add up?"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from types import TracebackType

from sqlalchemy import Engine, text

SUMS = text("""
SELECT b.id, coalesce(b.frozen_count, 0), (SELECT coalesce(sum(t.count), 0) FROM tally t WHERE t.broadcast_id = b.id) FROM broadcast b
""")
STATES = text("""
SELECT 'rows', broadcast_id, state, count(*) FROM delivery GROUP BY broadcast_id, state
UNION ALL SELECT 'tally', broadcast_id, state, sum(count) FROM tally GROUP BY broadcast_id, state
UNION ALL SELECT 'frozen', id, '', frozen_count FROM broadcast WHERE frozen_count IS NOT NULL
""")
"""One statement each: what it reads is of one instant, on either database."""

PAUSE_S = 0.05
ROWS_EACH = 20
"""Every so many looks the rows themselves are counted."""


class Sampler(threading.Thread):
    """Looks from `with` to its end. `looks` and `counts` say how often the tally and the rows were seen, `wrong` what did not add up;
    `while_moving` how many of the looks saw something else than the one before."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(name="sampler", daemon=True)
        self.looks = self.counts = self.while_moving = 0
        self.wrong: list[str] = []
        self._engine = engine
        self._ends = threading.Event()

    def __enter__(self) -> "Sampler":
        self.start()
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ends.set()
        self.join()

    def run(self) -> None:
        before: object = None
        while not self._ends.wait(PAUSE_S):
            try:
                with self._engine.connect() as connection:
                    if self.looks % ROWS_EACH == 0:
                        seen = connection.execute(STATES).all()
                        self.counts += 1
                        self._compare(seen)
                    sums = connection.execute(SUMS).all()
                    moved = connection.execute(
                        text("SELECT broadcast_id, state, sum(count) FROM tally GROUP BY 1, 2 ORDER BY 1, 2")
                    )
                    now = moved.all()
            except Exception as error:
                self.wrong.append(f"the sampler was refused: {error!r}")
                return
            self.looks += 1
            self.while_moving += now != before
            before = now
            self.wrong += [
                f"broadcast {key}: {total} in the tally, {frozen} frozen"
                for key, frozen, total in sums
                if frozen != total
            ]

    def _compare(self, seen: Iterable) -> None:
        found: dict[int, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        for kind, key, state, count in seen:
            found[key][kind][state] += int(count)
        for key, kinds in found.items():
            rows, tally, frozen = +kinds["rows"], +kinds["tally"], kinds["frozen"].total()
            if rows != tally or rows.total() != frozen:
                self.wrong.append(f"broadcast {key}: rows {dict(rows)}, tally {dict(tally)}, frozen {frozen}")
