"""A Redis that fails over, or answers and cannot be used, ends no worker and costs no mail; each process says once why it waits.

Two broadcasts are on their way meanwhile: one as fast as a slow relay takes it, and a paced one whose sender asks for delayed calls. Either
the one Redis there is says one after the other what a Redis may say, or the primary of three is killed, again and again, and Sentinels
choose the next.
"""

import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests import comparison, redis_troubles
from tests.faults.places import KINDS, Kind, Place, scene
from tests.faults.rest import PATIENCE_S
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.oracle_log import Arrivals
from tests.sentinels import Sentinels
from tests.smtp_oracle import Script
from tests.workers import Worker, wait_until
from webapp.core.rules.lifecycle import BroadcastState

AGAIN_S = 30.0
"""Mails must come again so soon after the last disturbance, at the pace that a sweep has."""

SLOWLY = Script(latency=0.05)
PACE = {"batch_size": 20, "interval_s": 8}
WORKERS = 2
MOST_SAID = 12
"""Lines about one outage: two workers, of each the worker, its scheduler, its beat and a work-horse, some of which meet two reasons."""

SAID = "Redis cannot be used"


@dataclass
class Measured:
    """`said` are lines in the logs that name a reason; `again` the longest time until a mail came after a disturbance, seconds."""

    disturbances: int = 0
    said: int = 0
    again: float = 0.0


def run(*, short: bool, seed: int) -> Result:
    """READONLY, OOM, NOPERM … and failovers with Sentinels, idle and busy: no worker ends, 0 lost, 0 twice, said once each."""
    if short:
        calls = [("answers", "sqlite", 1, seed), ("sentinels", "postgresql", 1, seed)]
    else:
        calls = [(trouble, kind, 4, seed) for trouble in ("answers", "sentinels") for kind in KINDS]
    total = Result("failover")
    for found, measured in side_by_side(_play, calls, at_a_time=2):
        total.join(found)
        if measured.again > AGAIN_S and not short:
            total.broken(f"mails came again only after {measured.again:.0f} s")
        total.notes.append(
            f"{measured.disturbances} disturbances; mails came again within {measured.again:.1f} s;"
            f" {measured.said} lines say why Redis could not be used"
        )
    return total


def _play(trouble: str, kind: Kind, rounds: int, seed: int) -> tuple[Result, Measured]:
    found, measured = Result("failover"), Measured()
    chance = random.Random(f"{seed} {trouble} {kind}")
    with scene(kind, connections=1) as place, ExitStack() as stack:
        sentinels = stack.enter_context(Sentinels(place.folder / "s")) if trouble == "sentinels" else None
        if sentinels is not None:
            place.redis_url = place.app.config["REDIS_URL"] = sentinels.url
        paced = place.broadcast(60 * rounds, **PACE)
        place.freeze(paced)
        fast = place.broadcast(500 * rounds)  # for some 15 s each round
        keys = (paced, fast)
        with place.relay(SLOWLY) as relay, place.workers(relay, WORKERS) as crew:
            try:
                if sentinels is not None:
                    _fail_over(place, sentinels, crew, keys, rounds, measured)
                else:
                    _answers(place, crew, keys, rounds, chance, measured)
                for key in keys:
                    place.wait_for_state(key, BroadcastState.FINISHED, 240)
                _none_has_ended(crew)
            except AssertionError as error:
                found.broken(f"{trouble} on {kind}: {error}")
        for key in keys:
            _judge(f"{trouble} on {kind}, broadcast {key}", place, key, found)
        measured.said = sum(worker.log.read_text("utf-8", "replace").count(SAID) for worker in crew)
        if not 0 < measured.said <= MOST_SAID * measured.disturbances:
            found.broken(f"{trouble} on {kind}: {measured.said} lines about {measured.disturbances} disturbances")
    return found, measured


def _answers(
    place: Place, crew: Sequence[Worker], keys: Sequence[int], rounds: int, chance: random.Random, measured: Measured
) -> None:
    """Each trouble once while nobody has anything to do, then each again and again while they send."""
    with redis_troubles.admin(place.redis_url) as redis:
        redis_troubles.lasts(redis, chance.choice(sorted(redis_troubles.TROUBLES)), 2)
        measured.disturbances += 1
        _none_has_ended(crew)
        for key in keys:
            place.wake(key)
        place.wait_for_mails(30)
        for _ in range(rounds):
            for trouble in sorted(redis_troubles.TROUBLES, key=lambda _: chance.random()):
                redis_troubles.lasts(redis, trouble, chance.uniform(0.5, 3))
                measured.disturbances += 1
                _until_again(place, keys, measured)
                _none_has_ended(crew)


def _fail_over(
    place: Place, sentinels: Sentinels, crew: Sequence[Worker], keys: Sequence[int], rounds: int, measured: Measured
) -> None:
    """The primary dies while nobody has anything to do; then while they send, and comes back as a replica."""
    gone = [sentinels.kill_primary()]
    measured.disturbances += 1
    for key in keys:
        place.wake(key)
    place.wait_for_mails(30, PATIENCE_S)
    for _ in range(rounds):
        sentinels.wait_until_whole()
        gone.append(sentinels.kill_primary())
        measured.disturbances += 1
        sentinels.come_back(gone.pop(0))
        _until_again(place, keys, measured)
        _none_has_ended(crew)


def _until_again(place: Place, keys: Sequence[int], measured: Measured) -> None:
    """Mails go on to come, unless all have; one that was on its way anyway is none of these."""
    began, arrivals = time.monotonic(), Arrivals(place.log)
    come: list[float] = []

    def has_come() -> bool:
        come[:] = [mail.at for mail in arrivals.so_far() if mail.asked_at > began][:1]
        return bool(come) or all(place.state(key) is BroadcastState.FINISHED for key in keys)

    wait_until(has_come, PATIENCE_S, "mails again", place.last_log())
    measured.again = max([measured.again, *(at - began for at in come)])


def _none_has_ended(crew: Sequence[Worker]) -> None:
    for worker in crew:
        assert worker.process.poll() is None, f"a worker has ended with {worker.process.poll()}: see {worker.log}"


def _judge(where: str, place: Place, key: int, found: Result) -> None:
    compared = comparison.compare(place.session, key, place.log)
    found.add(
        where,
        mails=compared.mails,
        lost=compared.lost,
        duplicates=compared.twice + compared.unknown,
        uncertain=compared.uncertain,
    )
    if compared.wrong or compared.uncertain:
        found.broken(f"{where}: {compared.uncertain} uncertain; {'; '.join(compared.wrong[:5])}")
