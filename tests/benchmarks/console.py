"""A write from the console while a broadcast is sending as fast as it can: a draft's subject is saved, as its page does it, on a connection
of its own, from the beginning of the transaction until the commit is durable. Beside the figures it prints of what that time is made: the
wait for the turn to write, the statements, and the commit; and the same where nobody sends.
"""

import time
from collections.abc import Iterable
from itertools import pairwise
from statistics import median, quantiles
from typing import NamedTuple

from sqlalchemy.orm import Session

from tests import factories
from tests.benchmarks.broadcasting import House
from tests.benchmarks.figure import Figure
from tests.benchmarks.filled import KINDS
from tests.benchmarks.memory import big_house
from tests.workers import wait_until
from webapp.adapters import clock, database, wakeups
from webapp.core import broadcasts, ledger
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.statuses import MessageType

CLIENTS, MAILS, SHORT_CLIENTS = 1_000_000, 200_000, 20_000
ROUNDS, WRITES, PAUSE_S, CONNECTIONS = 5, 100, 0.01, 10
GOAL_MS = 20.0


class Write(NamedTuple):
    """Milliseconds until it was its turn to write, for its statements, and until the disk had it."""

    turn: float
    statements: float
    commit: float


def run(*, short: bool) -> Iterable[Figure]:
    clients = SHORT_CLIENTS if short else CLIENTS
    for kind in KINDS:
        with big_house(kind, clients) as (house, port):
            quiet, *rounds = _rounds(house, port, 1 if short else ROUNDS, max(clients - MAILS, 0))
        p95 = [_p95(map(sum, writes)) for writes in rounds]
        yield Figure.of(f"console, {kind}: a write while sending, p95", p95, "ms", GOAL_MS, bound="at most")
        _show(kind, "while sending", [write for writes in rounds for write in writes])
        _show(kind, "while nobody sends", quiet)


def _show(kind: str, when: str, writes: list[Write]) -> None:
    """Print the parts of the writes."""
    parts = zip(Write._fields, zip(*writes, strict=True), strict=True)
    words = ", ".join(f"{part} {median(spent):.1f} / {_p95(spent):.1f}" for part, spent in parts)
    print(f"  {kind}, {when}, median / p95: {words} ms", flush=True)


def _p95(values: Iterable[float]) -> float:
    return quantiles(values, n=20)[-1]


def _rounds(house: House, port: int, rounds: int, after: int) -> list[list[Write]]:
    """Rounds of writes: the first while nobody sends, then so many while one broadcast to the clients after an id is sent."""
    with house.worker(port, CONNECTIONS) as worker:
        wait_until(lambda: house.is_quiet([worker]), 60, "the worker is idle", worker.log)
        key = house.frozen_broadcast(message_type=MessageType.GENERAL, freeze_cursor=after)
        with Session(house.engine) as session:
            draft = factories.broadcast(session).id
            session.commit()
        found = [_writes(house, draft)]
        with house.app.app_context():
            wakeups.wake(key)
        wait_until(lambda: accepted(house, key) > 0, 60, "mails are sent", worker.log)
        for _ in range(rounds):
            writes = _writes(house, draft)
            if len(found) > 1 and accepted(house, key, BroadcastState.SENDING) == 0:
                break
            found.append(writes)
        with house.app.app_context(), Session(house.engine) as session:
            database.will_write(session)
            if broadcasts.get(session, key).state is BroadcastState.SENDING:
                broadcasts.cancel(session, key, clock.now())
            session.commit()
        return found


def _writes(house: House, draft: int) -> list[Write]:
    found = []
    for number in range(WRITES):
        time.sleep(PAUSE_S)
        found.append(_save(house, draft, f"News {number}"))
    return found


def _save(house: House, draft: int, subject: str) -> Write:
    moments = [time.perf_counter()]
    with Session(house.engine) as session:
        database.will_write(session)
        moments.append(time.perf_counter())
        broadcasts.edit(session, draft, None, {"subject": subject}, clock.now())
        session.flush()
        moments.append(time.perf_counter())
        session.commit()
    moments.append(time.perf_counter())
    return Write(*((after - before) * 1000 for before, after in pairwise(moments)))


def accepted(house: House, key: int, state: BroadcastState | None = None) -> int:
    """How many mails are accepted; 0 when the broadcast is not in `state`, if that is given."""
    with Session(house.engine) as session:
        if state is not None and broadcasts.get(session, key).state is not state:
            return 0
        return ledger.counts(session, key).get(DeliveryState.ACCEPTED, 0)
