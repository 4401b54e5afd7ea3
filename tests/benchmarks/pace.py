"""The pace as the mail server sees it: real `rq worker`s, five mails every 1, 2 and 5 seconds, and when the server had each final dot.

*Late* is a mail that is there later than the rule allows: S seconds after the fifth mail before it. In this are the guard that the
rule adds, the round trip, the claim and its commit.

*Drift* is what the intervals are longer than S on average, beyond the guard. A sender that keeps "no more than N in any S seconds, at
the server" cannot send on a fixed grid: it does not know when a mail arrived, so each interval begins at the answer to a mail, and the
guard (2 ms) and a round trip are added to every one of them.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from itertools import pairwise

from tests import oracle_log
from tests import run as test_run
from tests.benchmarks.figure import Figure
from tests.faults.places import KINDS, Kind, scene
from tests.scenes import Scene
from tests.workers import wait_until
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.pacing import GUARD_S
from webapp.core.tables.broadcasts import Broadcast

INTERVALS, BATCH = (5, 2, 1), 5
SECONDS, SHORT_SECONDS = 30, 10
GOAL_MS, GOAL_DRIFT_MS = 20.0, 1.0


def run(*, short: bool) -> Iterable[Figure]:
    test_run.begin()
    try:
        for kind in KINDS:
            for interval, times in _arrivals(kind, SHORT_SECONDS if short else SECONDS).items():
                label = f"pace, {'SQLite' if kind == 'sqlite' else 'PostgreSQL'}, {BATCH} in {interval} s"
                late = [(new - old - interval) * 1000 for old, new in zip(times, times[BATCH:], strict=False)]
                assert min(late) >= 0, f"{label}: more than {BATCH} in {interval} s"
                yield Figure(
                    f"{label}: latest of all mails", max(late), min(late), max(late), "ms", GOAL_MS, at_most=True
                )
                dots = times[BATCH - 1 :: BATCH]
                steps = [(new - old - interval - GUARD_S) * 1000 for old, new in pairwise(dots)]
                mean = sum(steps) / len(steps)
                yield Figure(
                    f"{label}: drift", mean, min(steps), max(steps), "ms/interval", GOAL_DRIFT_MS, at_most=True
                )
    finally:
        test_run.end()


def _arrivals(kind: Kind, seconds: int) -> Mapping[int, list[float]]:
    """Interval -> when its mails were there, in order; all broadcasts at once, each on a worker of its own."""
    with scene(kind, connections=2) as place, ExitStack() as stack:
        keys, have = {}, 0
        for interval in INTERVALS:
            mails = BATCH * (seconds // interval + 1)
            keys[interval] = place.broadcast(mails - have, batch_size=BATCH, interval_s=interval)
            place.freeze(keys[interval])
            have = mails
        port = stack.enter_context(place.relay())
        crew = stack.enter_context(place.workers(port, len(INTERVALS)))
        for key in keys.values():
            place.wake(key)
        wait_until(
            lambda: all(place.state(key) is BroadcastState.FINISHED for key in keys.values()),
            seconds + 90,
            "all is sent",
            crew[0].log,
        )
        return {interval: _times(place, key) for interval, key in keys.items()}


def _times(place: Scene, key: int) -> list[float]:
    place.session.rollback()
    address = place.session.get_one(Broadcast, key).from_address.partition("<")[2].rstrip(">")
    return sorted(mail.at for mail in oracle_log.kept(place.log) if mail.mail_from == address)
