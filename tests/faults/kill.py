"""`kill -9` at 20 named points: nobody lost; with *hold* nobody twice; with *retry* only mails a kill caught on the wire, each flagged.

Each run is a broadcast whose work-horse dies at one point, at a passing chosen by the seed; the next look is asked for at once instead
of by the beat, and what comes back after a minute is made due at once: what is tested here is the accounting, not the patience.
"""

import contextlib
import random
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import kill
from pathlib import Path

from sqlalchemy import select

from tests import comparison, oracle_log
from tests.faults.places import KINDS, Kind, scene
from tests.faults.points import ON_THE_WIRE, PLAN, POINTS, Death, Plan, dead, grave
from tests.faults.rest import DONE, PATIENCE_S, settle
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.oracle_log import Taken
from tests.scenes import Scene
from tests.workers import Worker, wait_until
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.broadcasts import Broadcast, UncertainPolicy
from webapp.core.tables.deliveries import Attempt, Delivery
from webapp.demo import children

GROUPS = 8
"""A broadcast is this many groups of the ledger."""


@dataclass(frozen=True)
class Case:
    """One run: what dies where, under which policy."""

    deaths: tuple[Death, ...]
    policy: UncertainPolicy
    connections: int

    @property
    def caught_at_most(self) -> int:
        """Mails that its kills can catch on the wire."""
        return len(self.deaths) * self.connections


def run(*, short: bool, seed: int) -> Result:
    """`kill -9` at 20 named points, 20 times each on both databases: 0 lost, 0 twice with *hold*, with *retry* at most one a connection."""
    return run_points(tuple(POINTS), range(1), 40, seed) if short else run_points(tuple(POINTS), range(20), 200, seed)


def run_points(points: Sequence[str], rounds: range, mails: int, seed: int, kinds: Sequence[Kind] = KINDS) -> Result:
    """So many rounds at each of these points; a single one on alternating kinds of database."""
    scenes = [(kind, point) for point in points for kind in kinds]
    if len(rounds) == 1:
        scenes = [(kinds[index % len(kinds)], point) for index, point in enumerate(points)]
    calls = [
        (kind, point, [_case(point, kind, mails, seed, number) for number in rounds], mails) for kind, point in scenes
    ]
    total = Result("kill")
    kills: Counter[str] = Counter()
    flagged = 0
    for (_, point), (found, died, again) in zip(scenes, side_by_side(_play, calls, at_a_time=2), strict=True):
        total.join(found)
        kills[point] += died
        flagged += again
    each = ", ".join(f"{point} {count}" for point, count in kills.items())
    total.notes.insert(0, f"{sum(kills.values())} kills: {each}; {flagged} mails sent again under retry, all flagged")
    return total


def _case(point: str, kind: str, mails: int, seed: int, number: int) -> Case:
    chance = random.Random(f"{seed} {point} {kind} {number}")
    turn = seed + number + list(POINTS).index(point) // 2
    policy = (UncertainPolicy.HOLD, UncertainPolicy.RETRY)[turn % 2]
    connections = (1, 3)[turn // 2 % 2]
    if point.startswith("recovery"):
        deaths = (_death(chance.choice(ON_THE_WIRE), mails, chance), Death(point))
    else:
        deaths = (_death(point, mails, chance),)
    return Case(deaths, policy, connections)


def _death(point: str, mails: int, chance: random.Random) -> Death:
    """At a passing that surely comes: groups may be up to three times as large as they are meant to be."""
    once = ("started", "lease-opened", "lease-ending", "lease-ended")
    few = {"chunk-half": 4, "chunk-committed": 3, "claim-uncommitted": 4, "claim-committed": 4, "journal-shortening": 4}
    few |= {"record-uncommitted": 2, "record-committed": 2}
    most = 1 if point in once else few.get(point, mails)
    return Death(point, chance.randint(1, most))


def _play(kind: Kind, point: str, cases: Sequence[Case], mails: int) -> tuple[Result, int, int]:
    """All cases of a point in one scene, one after the other; what was found, how many kills happened, how many mails were sent again."""
    found = Result("kill")
    kills = 0
    with scene(kind) as place:
        path = place.folder / "plan.json"
        Plan().write(path)
        place.clients(mails)
        runs: list[tuple[int, Case]] = []
        with place.relay() as relay, _worker(place, relay, path) as worker:
            for case in cases:
                _plan(case, mails).write(path)  # before there is a broadcast, which the next sweep could begin at once
                key = place.broadcast(0, uncertain_policy=case.policy)
                try:
                    died = _die(place, worker, path, key, case)
                    settle(place, key, worker.log)
                except AssertionError as error:
                    found.broken(f"{point} on {kind}, {case}: {error}")
                    break
                kills += died
                runs.append((key, case))
        # Only now, when the relay has written its last line.
        again = 0
        for key, case in runs:
            again += _judge(place, key, case, found, f"{point} on {kind}, {case}")
    return found, kills, again


@contextlib.contextmanager
def _worker(place: Scene, relay: int, path: Path) -> Iterator[Worker]:
    environ = {"RQ_CONFIG": "tests.faults.dying_worker", PLAN: str(path)}
    with place.worker(relay, **environ) as worker:
        yield worker


def _plan(case: Case, mails: int) -> Plan:
    return Plan(
        case.deaths, connections=case.connections, group=mails // GROUPS, chunk=-(-mails // 4), journal=mails * 12
    )


def _die(place: Scene, worker: Worker, path: Path, key: int, case: Case) -> int:
    """Have the broadcast's work-horses die as planned. Raises AssertionError when one lives on."""
    for index, death in enumerate(case.deaths):
        place.wake(key)

        def has_died_or_missed_it(index: int = index) -> bool:
            return dead(path, index) is not None or place.state(key) in DONE

        wait_until(has_died_or_missed_it, PATIENCE_S, f"death at {death.point}", worker.log)
        assert grave(path, index).exists(), f"{death} never came"
        wait_until(lambda index=index: dead(path, index) is not None, PATIENCE_S, "the end of the dying", worker.log)
        if death.point == "worker":
            _bury(worker)
            worker.start()
    place.wake(key)
    return len(case.deaths)


def _bury(worker: Worker) -> None:
    """The worker was killed; its scheduler, which would live on, goes with it."""
    assert worker.process.wait(PATIENCE_S) == -signal.SIGKILL
    for pid in children.members(worker.process.pid):
        with contextlib.suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def _judge(place: Scene, key: int, case: Case, found: Result, where: str) -> int:
    """Ledger against log, and repeats against what the policy allows. Returns how many mails were sent again."""
    compared = comparison.compare(place.session, key, place.log)
    wrong = list(compared.wrong)
    is_retry = case.policy is UncertainPolicy.RETRY
    beyond = compared.unknown + max(0, compared.twice - case.caught_at_most * is_retry)
    again, unexplained = _repeats(place, key)
    wrong += unexplained
    if compared.uncertain > case.caught_at_most * (not is_retry):
        wrong.append(f"{compared.uncertain} rows are uncertain")
    found.add(
        where,
        mails=compared.mails,
        lost=compared.lost,
        duplicates=beyond + len(unexplained),
        uncertain=compared.uncertain,
    )
    if wrong:
        found.broken(f"{where}: {'; '.join(wrong[:5])}")
    return again


def _repeats(place: Scene, key: int) -> tuple[int, list[str]]:
    """How many rows of the broadcast were sent again, and of those mails which the relay has twice what should not be so: the ledger does
    not know it, or the relay's connection went on after the first copy, so that no kill can have caught it there."""
    was_uncertain = set(
        place.session.scalars(
            select(Attempt.delivery_id)
            .join(Delivery, Delivery.id == Attempt.delivery_id)
            .where(
                Delivery.broadcast_id == key,
                Attempt.state == DeliveryState.UNCERTAIN,
                Attempt.number < Delivery.attempts,
            )
        )
    )
    rows = place.session.execute(select(Delivery.address, Delivery.id).where(Delivery.broadcast_id == key)).all()
    ids = dict(row._tuple() for row in rows)
    sender = place.session.get_one(Broadcast, key).from_address.rpartition("<")[2].rstrip(">")
    last: dict[int, float] = {}
    copies: dict[str, list[Taken]] = defaultdict(list)
    for mail in oracle_log.received(place.log):
        last[mail.connection] = mail.at
        if mail.mail_from == sender and mail.kept:
            copies[mail.recipient].append(mail)
    wrong = []
    for address, mails in copies.items():
        if len(mails) > 1:
            if ids.get(address) not in was_uncertain:
                wrong.append(f"{address}: sent again without a word in the ledger")
            if any(last[mail.connection] != mail.at for mail in mails[:-1]):
                wrong.append(f"{address}: sent again though its connection went on")
    return len(was_uncertain), wrong
