"""Memory of a sending process with 10,000 and with 1,000,000 recipients: the work-horse of a real `rq worker`, sending to a sink.

Measured is the highest proportional set size (Pss of /proc/<pid>/smaps_rollup), looked at twenty times a second: pages shared with the
worker that forked it, and with other programs, count for each by its share. Counted in full, its resident set is some 45 MB more.
The freeze is done before, by another process.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from sqlalchemy.orm import Session

from tests.benchmarks.broadcasting import House
from tests.benchmarks.figure import Figure
from tests.benchmarks.filled import KINDS, filled, forget
from tests.workers import wait_until
from webapp.adapters import wakeups
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast
from webapp.demo import children, valkey
from webapp.paths import ROOT

CLIENTS, FEW, SHORT_CLIENTS, SHORT_FEW = 1_000_000, 10_000, 20_000, 1_000
CONNECTIONS, LOOK_S, PATIENCE_S = 10, 0.05, 400.0
GOAL_MB, GOAL_GROWTH_MB = 80.0, 5.0


def run(*, short: bool) -> Iterable[Figure]:
    clients, few = (SHORT_CLIENTS, SHORT_FEW) if short else (CLIENTS, FEW)
    for kind in KINDS:
        with big_house(kind, clients) as (house, port):
            of_few = [_peak(house, port, after=clients - few) for _ in range(1 if short else 3)]
            of_all = [_peak(house, port, after=0) for _ in range(1)]
        growth = [most - least for most in of_all for least in of_few]
        yield Figure.of(f"memory, {kind}: sending to {few:,}", of_few, "MB", GOAL_MB, bound="at most")
        yield Figure.of(f"memory, {kind}: sending to {clients:,}", of_all, "MB", GOAL_MB, bound="at most")
        yield Figure.of(f"memory, {kind}: growth between the two", growth, "MB", GOAL_GROWTH_MB, bound="at most")


@contextmanager
def big_house(kind: str, clients: int) -> Iterator[tuple[House, int]]:
    """A house on the filled database, with a queue of its own, and the port of a sink; afterwards the ledger is empty again."""
    app = filled(kind, clients)
    with tempfile.TemporaryDirectory(prefix="mm-") as name, sink() as port:
        folder = Path(name)
        queue, redis_url = valkey.start(folder / "valkey", log=folder / "valkey.log", durable=False)
        try:
            yield House(app, redis_url, folder), port
        finally:
            children.stop(queue)
            forget(app)


@contextmanager
def sink() -> Iterator[int]:
    """A server that takes every mail and keeps none, in a process of its own; its port."""
    with Popen([sys.executable, "-m", "tests.benchmarks.sink"], stdout=PIPE, cwd=ROOT) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()
            server.communicate()  # it tells what it took


def _peak(house: House, port: int, *, after: int) -> float:
    """Peak memory in MB of the processes that send a broadcast to the clients after an id, where its freeze is made to begin."""
    peak = 0.0
    with house.worker(port, CONNECTIONS) as worker:
        wait_until(lambda: house.is_quiet([worker]), 60, "the worker is idle", worker.log)
        key = house.frozen_broadcast(message_type=MessageType.GENERAL, freeze_cursor=after)
        with house.app.app_context():
            wakeups.wake(key)
        end = time.monotonic() + PATIENCE_S
        while _state(house, key) is BroadcastState.SENDING:
            assert time.monotonic() < end, children.tail(worker.log, 40)
            for _ in range(20):
                peak = max([peak, *map(_proportional, worker.horses())])
                time.sleep(LOOK_S)
        assert _state(house, key) is BroadcastState.FINISHED, children.tail(worker.log, 40)
    assert peak, "no process was seen sending"
    return peak


def _state(house: House, key: int) -> BroadcastState:
    with Session(house.engine) as session:
        return session.get_one(Broadcast, key).state


def _proportional(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
