"""Relays as they were met, each with its limits, whims and illnesses: what the table says becomes of a broadcast, with no click but
where it says so, and nobody is failed for the relay's sake.

All rows but those of `waiting`. In full on both databases as fast as the relay takes them, and on one 25 every 30 s; in short once
each. Then, for relays with limits, how much of what they allow is used by two workers.
"""

from tests.faults import relays_share
from tests.faults.places import KINDS, Kind
from tests.faults.relays_play import play
from tests.faults.relays_row import FAST, Pace, Row
from tests.faults.relays_table import rows
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side

AT_A_TIME = 5
"""Most rows wait most of the time."""


def run(*, short: bool, seed: int) -> Result:
    """Relays with limits, whims and illnesses: all that can be is sent, without a click but where a person must decide, nobody failed."""
    total = play_all("relays", short=short, seed=seed)
    total.join(relays_share.run(short=short))
    return total


def play_all(family: str, *, short: bool, seed: int) -> Result:
    """Play all rows of a family; a line of each in the notes, those that are not as they should be first."""
    total = Result(family)
    calls = plan(rows(family, short=short), short=short, seed=seed)
    for found in side_by_side(_play, [(family, *call) for call in calls], at_a_time=AT_A_TIME):
        total.join(found)
    total.notes.sort(key=lambda note: not note.startswith("NOT MET"))
    total.notes.insert(0, f"{len(calls)} plays, {len(total.failures)} not as the table says")
    return total


def plan(table: list[Row], *, short: bool, seed: int) -> list[tuple[Row, Kind, Pace]]:
    """Which row is played on which database at which pace. Those that take long begin first."""
    calls: list[tuple[Row, Kind, Pace]] = []
    for number, row in enumerate(table):
        fast, *paced = row.paces
        one = (number + seed) % 2
        if short:
            calls.append((row, KINDS[one], fast))
            continue
        calls += [(row, kind, fast) for kind in KINDS]
        calls += [(row, KINDS[one], pace) for pace in paced]
    return sorted(calls, key=lambda call: (call[0].patience_s, call[2] != FAST), reverse=True)


def _play(family: str, row: Row, kind: Kind, pace: Pace) -> Result:
    try:
        return play(family, row, kind, pace)
    except Exception as error:  # one row must not hide the others
        found = Result(family)
        found.broken(f"row {row.number} ({row.words}), {kind}: {type(error).__name__}: {error!s:.300}")
        return found
