"""Through PgBouncer in transaction mode all is as without it: nothing in any log, a pause obeyed within a second, nearly the speed.

Two workers send; the broadcast is paused again and again. Then once more, with the pooler killed and started again in the middle: what
was under way is lost to its clients, and the journals know what the relay took.
"""

import random
import re
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from sqlalchemy import text

from tests import comparison, engine, pgbouncer
from tests import run as test_run
from tests.faults.places import Place, scene
from tests.faults.rest import PATIENCE_S, is_at_rest
from tests.faults.result import Result
from tests.oracle_log import Arrivals
from tests.smtp_oracle import Script
from tests.workers import wait_until
from webapp.adapters import clock
from webapp.core import broadcasts
from webapp.core.rules.lifecycle import BroadcastState

WORKERS = 2
OBEYED_S = 1.0
STEADILY = Script(latency=0.01)
ALL_THERE_IS = Script()
COMPLAINS = re.compile(r"\] (\w*): (?:ERROR|WARNING):")
"""A line of the server's log, with the database it is about: other families may have theirs there."""
MARKS = ("ERROR", "Traceback", "prepared statement", "cannot be watched")
"""What has no place in a worker's log; of these the pooler's end alone brings the others, and never the third."""


@dataclass
class Measured:
    """`late` is how long after the commit of each pause the last mail came, seconds."""

    late: list[float] = field(default_factory=list)
    kills: int = 0


def run(*, short: bool, seed: int) -> Result:
    """Through PgBouncer in transaction mode: no error in any log, pauses obeyed within a second; restarted: nothing lost."""
    chance, total, measured = random.Random(seed), Result("pooler"), Measured()
    if not pgbouncer.is_installed():
        note = f"PgBouncer is not on this machine ({pgbouncer.PROGRAM}; apt install pgbouncer)"
        total.broken(note) if test_run.nothing_may_be_skipped() else total.notes.append(f"not run: {note}")
        return total
    _pauses(1_200 if short else 4_000, 3 if short else 12, chance, total, measured)
    _restarts(1_000 if short else 3_000, 1 if short else 5, chance, total, measured)
    mails, rounds = (1_000, 1) if short else (4_000, 3)
    rates = [_rates(mails, total) for _ in range(rounds)]
    ratio = sum(through for _, through in rates) / sum(direct for direct, _ in rates)
    total.notes.append(
        f"{len(measured.late)} pauses, the last mail at most {max(measured.late, default=0) * 1000:.0f} ms after one;"
        f" {measured.kills} times the pooler was killed"
    )
    spoken = ", ".join(f"{direct:.0f} and {through:.0f}" for direct, through in rates)
    total.notes.append(f"mails a second without it and through it: {spoken}; {ratio:.0%} of the speed")
    return total


def _pauses(mails: int, pauses: int, chance: random.Random, total: Result, measured: Measured) -> None:
    with scene("postgresql", pooled=True) as place, _Logs(place, total) as logs:
        key = place.broadcast(mails)
        arrivals = Arrivals(place.log)
        with place.relay(STEADILY) as relay, place.workers(relay, WORKERS) as crew:
            logs.of(crew)
            place.wake(key)
            for number in range(pauses):
                wanted = len(arrivals.so_far()) + chance.randint(20, mails // (pauses + 2))
                has_come = lambda wanted=wanted: len(arrivals.so_far()) >= wanted  # noqa: E731
                wait_until(has_come, PATIENCE_S, f"{wanted} mails", place.last_log())
                place.do(lambda session: broadcasts.pause(session, key, "lunch", clock.now()))
                committed = time.monotonic()
                wait_until(lambda: is_at_rest(place, key), PATIENCE_S, "it rests", place.last_log())
                late = [mail.at - committed for mail in arrivals.so_far() if mail.at > committed]
                measured.late.append(max(late, default=0.0))
                if measured.late[-1] > OBEYED_S:
                    total.broken(f"pause {number}: a mail {measured.late[-1]:.2f} s after it")
                place.do(lambda session: broadcasts.resume(session, key, clock.now()))
                place.wake(key)
            place.wait_for_state(key, BroadcastState.FINISHED, PATIENCE_S)
        _judge("with pauses", place, key, total)


def _restarts(mails: int, kills: int, chance: random.Random, total: Result, measured: Measured) -> None:
    with scene("postgresql", pooled=True) as place, _Logs(place, total, MARKS[2:3]) as logs:
        assert place.pooler is not None
        key = place.broadcast(mails)
        arrivals = Arrivals(place.log)
        with place.relay(STEADILY) as relay, place.workers(relay, WORKERS) as crew:
            logs.of(crew)
            place.wake(key)
            for number in range(kills):
                wanted = mails * (number + 1) // (kills + 2)
                has_come = lambda wanted=wanted: len(arrivals.so_far()) >= wanted  # noqa: E731
                wait_until(has_come, PATIENCE_S, f"{wanted} mails", place.last_log())
                place.pooler.stop(signal.SIGKILL)
                time.sleep(chance.uniform(0, 3))
                place.pooler.start()
                measured.kills += 1
            place.wait_for_state(key, BroadcastState.FINISHED, PATIENCE_S)
        _judge("restarted", place, key, total)


def _rates(mails: int, total: Result) -> tuple[float, float]:
    """Mails a second of two workers and a relay without latency, without the pooler and through it."""
    found = []
    for pooled in (False, True):
        with scene("postgresql", pooled=pooled, connections=5) as place:
            key = place.broadcast(mails)
            place.freeze(key)
            with place.relay(ALL_THERE_IS) as relay, place.workers(relay, WORKERS):
                place.wake(key)
                place.wait_for_state(key, BroadcastState.FINISHED, PATIENCE_S)
            at = sorted(mail.at for mail in Arrivals(place.log).so_far())
            found.append((len(at) - 1) / (at[-1] - at[0]))
            _judge("through it" if pooled else "without it", place, key, total)
    return found[0], found[1]


def _judge(where: str, place: Place, key: int, total: Result) -> None:
    compared = comparison.compare(place.session, key, place.log)
    total.add(
        where,
        mails=compared.mails,
        lost=compared.lost,
        duplicates=compared.twice + compared.unknown,
        uncertain=compared.uncertain,
    )
    if compared.wrong or compared.uncertain:
        total.broken(f"{where}: {compared.uncertain} uncertain; {'; '.join(compared.wrong[:5])}")


class _Logs(ExitStack):
    """What the workers, the pooler and the server wrote while this was open; `marks` are what a worker may not write."""

    def __init__(self, place: Place, total: Result, marks: Sequence[str] = MARKS) -> None:
        super().__init__()
        self._place, self._total, self._marks, self._crew = place, total, marks, []
        self._server = test_run.postgres_folder() / "postgres.log"
        self._before = self._server.stat().st_size
        with engine.engine_of(place.app).connect() as connection:
            self._database = connection.scalar(text("SELECT current_database()"))
        self.callback(self._read)

    def of(self, crew: Sequence) -> None:
        self._crew = list(crew)

    def _read(self) -> None:
        found = [
            line
            for worker in self._crew
            for line in worker.log.read_text("utf-8", "replace").splitlines()
            if any(mark in line for mark in self._marks)
        ]
        assert self._place.pooler is not None
        if self._marks == MARKS:
            found += self._place.pooler.complaints()
        said = self._server.read_bytes()[self._before :].decode("utf-8", "replace").splitlines()
        found += [line for line in said if (about := COMPLAINS.search(line)) and about[1] in ("", self._database)]
        if found:
            self._total.broken(f"{len(found)} lines in the logs, such as: {found[0]:.300}")
