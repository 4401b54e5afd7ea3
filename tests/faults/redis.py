"""Redis emptied every second and killed ten times costs seconds and no mail.

Two broadcasts are on their way meanwhile: one as fast as a slow relay takes it, and a paced one whose batches are so far apart that its
sender asks for a delayed call between them, which Redis then forgets.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from tests import comparison
from tests.faults.places import KINDS, Kind, Place, scene
from tests.faults.rest import PATIENCE_S
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.oracle_log import Arrivals
from tests.smtp_oracle import Script
from tests.workers import Worker
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.demo import children

AGAIN_S = 60.0
"""Mails of each broadcast must come again so soon after the last disturbance; the short form only tells how soon they did."""

FLUSH_S = 1.0
SLOWLY = Script(latency=0.05)
PACE = {"batch_size": 20, "interval_s": 8}
WORKERS = 2


@dataclass
class Measured:
    """`restarts` of workers that ended though nobody had asked them to; `again` the longest time until mails of a broadcast came again,
    seconds."""

    kills: int = 0
    away: float = 0.0
    restarts: int = 0
    again: float = 0.0


def run(*, short: bool, seed: int) -> Result:
    """Valkey flushed every second and restarted ten times: 0 lost, 0 duplicates, sending again within 60 s."""
    calls = [("sqlite", 2, seed)] if short else [(kind, 10, seed) for kind in KINDS]
    total = Result("redis")
    for found, measured in side_by_side(_play, calls, at_a_time=2):
        total.join(found)
        if measured.again > AGAIN_S and not short:
            total.broken(f"mails came again only after {measured.again:.0f} s")
        total.notes.append(
            f"{measured.kills} restarts of Redis, away for {measured.away:.0f} s in all; mails of each broadcast came again within"
            f" {measured.again:.1f} s; {measured.restarts} workers had to be started again"
        )
    return total


def _play(kind: Kind, kills: int, seed: int) -> tuple[Result, Measured]:
    found, measured = Result("redis"), Measured()
    chance = random.Random(f"{seed} {kind}")
    with scene(kind) as place:
        paced = place.broadcast(20 * kills + 60, **PACE)
        place.freeze(paced)
        fast = place.broadcast(600 * kills + 300)
        place.freeze(fast)
        keys = (paced, fast)
        with place.relay(SLOWLY) as relay, place.workers(relay, WORKERS) as crew:
            watch = _Supervisor(crew, measured)
            for key in keys:
                place.wake(key)
            try:
                place.wait_for_mails(30)
                _disturb(place, watch, kills, chance, measured)
                measured.again = _until_again(place, watch, keys)
                watch.wait(lambda: all(place.state(key) is BroadcastState.FINISHED for key in keys), 240, "the end")
            except AssertionError as error:
                found.broken(f"{kind}: {error}")
        for key in keys:
            compared = comparison.compare(place.session, key, place.log)
            where = f"{kind}, broadcast {key}"
            found.add(
                where,
                mails=compared.mails,
                lost=compared.lost,
                duplicates=compared.twice + compared.unknown,
                uncertain=compared.uncertain,
            )
            if compared.wrong or compared.uncertain:
                found.broken(f"{where}: {compared.uncertain} uncertain; {'; '.join(compared.wrong[:5])}")
    return found, measured


class _Supervisor:
    """Starts workers again that have ended, as systemd or the demo would. All waiting goes through it."""

    def __init__(self, crew: list[Worker], measured: Measured) -> None:
        self._crew, self._measured = crew, measured

    def wait(self, condition: Callable[[], bool], patience: float, what: str) -> None:
        end = time.monotonic() + patience
        while not condition():
            self._start_again()
            log = self._crew[0].log
            assert time.monotonic() < end, f"{what}: not within {patience:g} s\n{children.tail(log, 40)}"
            time.sleep(0.1)

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._start_again()
            time.sleep(0.1)

    def _start_again(self) -> None:
        for worker in self._crew:
            if worker.process.poll() is not None:
                self._measured.restarts += 1
                worker.launch()


def _disturb(place: Place, watch: _Supervisor, kills: int, chance: random.Random, measured: Measured) -> None:
    """Flush for some seconds, kill, stay away for a while, start again; every fourth time for longer than clients commonly try."""
    for number in range(kills):
        for _ in range(chance.randint(2, 4)):
            with suppress(RedisError), Redis.from_url(place.redis_url) as connection:
                connection.flushall()
            watch.sleep(FLUSH_S)
        place.kill_redis()
        away = chance.uniform(10, 14) if number % 4 == 1 else chance.uniform(0, 3)
        watch.sleep(away)
        place.start_redis()
        measured.kills += 1
        measured.away += away


def _until_again(place: Place, watch: _Supervisor, keys: Sequence[int]) -> float:
    """Seconds from now until each of these broadcasts has a next mail; one that is over waits for none."""
    arrivals, began = Arrivals(place.log), time.monotonic()
    again = 0.0
    for key in keys:
        sender = place.session.get_one(Broadcast, key).from_address.rpartition("<")[2].rstrip(">")
        came: list[float] = []

        def has_come(key: int = key, sender: str = sender, came: list[float] = came) -> bool:
            came[:] = [mail.at for mail in arrivals.so_far() if mail.at > began and mail.mail_from == sender][:1]
            return bool(came) or place.state(key) is BroadcastState.FINISHED

        watch.wait(has_come, PATIENCE_S, f"mails of broadcast {key} again")
        again = max([again, *(at - began for at in came)])
    return again
