"""The pace at the mail server: never more than N in any S seconds, whatever happens, and close to N when nothing does.

Broadcasts of four paces are sent at once: left alone; and by many workers that are killed and started again, with pauses, and with a
wall clock that is stepped by an hour.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import comparison, oracle_log
from tests.faults.places import KINDS, Kind, scene
from tests.faults.rest import PATIENCE_S
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.scenes import Scene
from tests.workers import Worker, wait_until
from webapp.adapters import clock
from webapp.core import broadcasts
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast

Pace = tuple[int, int]
"""N mails in S seconds."""

PACES: Sequence[Pace] = ((1, 1), (5, 1), (10, 5), (25, 2))
OVER = (BroadcastState.FINISHED, BroadcastState.NEEDS_ATTENTION)
LEAST_USE = 0.95
"""Of the pace, where nothing is disturbed. On a machine that is busy with something else it may be less: the short form only tells how
much."""

EVENTS = ("kill", "kill worker", "pause", "step", "kill", "pause")
HOUR = 3600.0


@dataclass
class Measured:
    """What scenes showed of the paces: mails in the fullest window, and how much of the pace was used where nothing was disturbed."""

    fullest: dict[Pace, int] = field(default_factory=dict)
    used: dict[Pace, float] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    horses: int = 0
    """Work-horses killed."""

    def join(self, other: "Measured") -> None:
        self.fullest = {pace: max(self.fullest.get(pace, 0), most) for pace, most in other.fullest.items()}
        self.used |= {pace: min(self.used.get(pace, 1.0), share) for pace, share in other.used.items()}
        self.events += other.events
        self.horses += other.horses


def run(*, short: bool, seed: int) -> Result:
    """In no S seconds more than N mails, across crashes, 8 workers, pauses and clock steps of an hour; else 95 % of the pace is used."""
    if short:
        calls = [(_disturbed, "postgresql", 12, 3, seed), (_left_alone, "sqlite", 12, 5, seed)]
    else:
        calls = [(_disturbed, kind, 90, 8, seed) for kind in KINDS] + [
            (_left_alone, kind, 45, 5, seed) for kind in KINDS
        ]
    total, measured = Result("pace"), Measured()
    for found, one in side_by_side(_play, calls, at_a_time=2):
        total.join(found)
        measured.join(one)
    fullest = ", ".join(f"{most} of {n} in {s} s" for (n, s), most in sorted(measured.fullest.items()))
    used = ", ".join(f"{share:.1%} of {n} in {s} s" for (n, s), share in sorted(measured.used.items()))
    total.notes.insert(0, f"fullest windows: {fullest}; used when left alone: {used}")
    total.notes.insert(
        1, "disturbances: " + ", ".join(f"{count} x {event}" for event, count in measured.events.items())
    )
    if (least := min(measured.used.values(), default=1.0)) < LEAST_USE and not short:
        total.broken(f"only {least:.1%} of a pace is used, and not {LEAST_USE:.0%}")
    return total


def _play(how: Callable[..., None], kind: Kind, seconds: int, workers: int, seed: int) -> tuple[Result, Measured]:
    """One scene with a broadcast of each pace, each long enough to last so many seconds."""
    found, measured = Result("pace"), Measured()
    with scene(kind, connections=3) as place:
        clocks = place.folder / "step"
        clocks.write_text("0")
        paces = _begin(place, seconds)
        environ = {"RQ_CONFIG": "tests.faults.stepping_worker", "TEST_STEP": str(clocks)}
        with place.relay() as relay, place.workers(relay, workers, **environ) as crew:
            for key in paces:
                place.wake(key)
            try:
                how(place, crew, clocks, list(paces), seconds, random.Random(f"{seed} {kind}"), measured)
                wait_until(lambda: all(place.state(key) in OVER for key in paces), PATIENCE_S, "the end", crew[0].log)
            except AssertionError as error:
                found.broken(f"{kind}: {error}")
        _judge(place, kind, paces, found, measured)
    return found, measured


def _begin(place: Scene, seconds: int) -> Mapping[int, Pace]:
    """Frozen broadcasts, id -> pace. Each is to all clients there are when it is frozen, so the smallest comes first."""
    begun: dict[int, Pace] = {}
    have = 0
    for n, s in sorted(PACES, key=lambda pace: pace[0] / pace[1]):
        mails = max(n * seconds // s, n + 1)
        key = place.broadcast(mails - have, batch_size=n, interval_s=s)
        place.freeze(key)
        begun[key], have = (n, s), mails
    return begun


def _left_alone(*_: object) -> None:
    """Nothing happens until all is sent."""


def _disturbed(
    place: Scene,
    crew: Sequence[Worker],
    clocks: Path,
    keys: Sequence[int],
    seconds: int,
    chance: random.Random,
    measured: Measured,
) -> None:
    """For so many seconds something happens every few of them."""
    end = time.monotonic() + seconds
    ahead = 0.0
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.5, 2.5))
        event = EVENTS[sum(measured.events.values()) % len(EVENTS)]
        measured.events[event] += 1
        if event == "pause":
            _pause(place, chance.choice(keys), chance.random())
        elif event == "step":
            ahead = HOUR - ahead
            fresh = clocks.with_suffix(".new")
            fresh.write_text(str(ahead))
            fresh.rename(clocks)
        else:
            sending = [worker for worker in crew if worker.horses()] or crew
            measured.horses += _kill(chance.choice(sending), alone=event == "kill worker")


def _pause(place: Scene, key: int, seconds: float) -> None:
    if place.state(key) is BroadcastState.SENDING:
        with suppress(Conflict):
            place.do(lambda session: broadcasts.pause(session, key, "lunch", clock.now()))
            time.sleep(seconds)
            place.do(lambda session: broadcasts.resume(session, key, clock.now()))
            place.wake(key)


def _kill(worker: Worker, *, alone: bool) -> int:
    """Kill a worker, with or without its work-horses, and start it again without waiting for it. Returns how many horses died: one whose
    own worker was killed before may still end its work."""
    horses = 0 if alone else max(len(worker.horses()), 1)
    if alone:
        worker.kill()
    else:
        worker.kill_all()
    worker.launch()
    return horses


def _judge(place: Scene, kind: str, paces: Mapping[int, Pace], found: Result, measured: Measured) -> None:
    for key, (n, s) in paces.items():
        compared = comparison.compare(place.session, key, place.log)
        where = f"{kind}, {n} mails in {s} s"
        found.add(
            where,
            mails=compared.mails,
            lost=compared.lost,
            duplicates=compared.twice + compared.unknown,
            uncertain=compared.uncertain,
        )
        wrong = compared.wrong[:5]
        sender = place.session.get_one(Broadcast, key).from_address.rpartition("<")[2].rstrip(">")
        times = [mail.at for mail in oracle_log.received(place.log) if mail.mail_from == sender]
        most = oracle_log.most_in_any(place.log, s, sender)
        measured.fullest[n, s] = most
        if most > n:
            wrong.append(f"{most} mails within {s} s, at most {n} may be")
        if not measured.events and len(times) > n:
            measured.used[n, s] = (-(-len(times) // n) - 1) * s / (times[-1] - times[0])
        if compared.uncertain > measured.horses * place.connections:
            wrong.append(f"{compared.uncertain} rows are uncertain, {measured.horses} work-horses were killed")
        if wrong:
            found.broken(f"{where}: {'; '.join(wrong)}")
