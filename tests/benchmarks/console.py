"""A write from the console while a broadcast is sending as fast as it can: a draft's subject is saved, as its page does it, on a connection
of its own, from the beginning of the transaction until the commit is durable.
"""

import time
from collections.abc import Iterable
from statistics import quantiles

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


def run(*, short: bool) -> Iterable[Figure]:
    clients = SHORT_CLIENTS if short else CLIENTS
    for kind in KINDS:
        with big_house(kind, clients) as (house, port):
            rounds = _rounds(house, port, 1 if short else ROUNDS, max(clients - MAILS, 0))
        yield Figure.of(f"console, {kind}: a write while sending, p95", rounds, "ms", GOAL_MS, bound="at most")


def _rounds(house: House, port: int, rounds: int, after: int) -> list[float]:
    """95th percentiles of so many rounds of writes, all while one broadcast to the clients after an id is sent."""
    with house.worker(port, CONNECTIONS) as worker:
        wait_until(lambda: house.is_quiet([worker]), 60, "the worker is idle", worker.log)
        key = house.frozen_broadcast(message_type=MessageType.GENERAL, freeze_cursor=after)
        with Session(house.engine) as session:
            draft = factories.broadcast(session).id
            session.commit()
        with house.app.app_context():
            wakeups.wake(key)
        wait_until(lambda: _accepted(house, key) > 0, 60, "mails are sent", worker.log)
        found = []
        for _ in range(rounds):
            waits = []
            for number in range(WRITES):
                time.sleep(PAUSE_S)
                waits.append(_save(house, draft, f"News {number}"))
            found.append(quantiles(waits, n=20)[-1])
            if _accepted(house, key, BroadcastState.SENDING) == 0:
                found.pop()
                break
        assert found or rounds == 1, "the broadcast was over before a round of writes was"
        with house.app.app_context(), Session(house.engine) as session:
            database.will_write(session)
            if broadcasts.get(session, key).state is BroadcastState.SENDING:
                broadcasts.cancel(session, key, clock.now())
            session.commit()
        return found or [quantiles(waits, n=20)[-1]]


def _save(house: House, draft: int, subject: str) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    with Session(house.engine) as session:
        database.will_write(session)
        broadcasts.edit(session, draft, None, {"subject": subject}, clock.now())
        session.commit()
    return (time.perf_counter() - began) * 1000


def _accepted(house: House, key: int, state: BroadcastState | None = None) -> int:
    """How many mails are accepted; 0 when the broadcast is not in `state`, if that is given."""
    with Session(house.engine) as session:
        if state is not None and broadcasts.get(session, key).state is not state:
            return 0
        return ledger.counts(session, key).get(DeliveryState.ACCEPTED, 0)
