"""Whole broadcasts as they really run, for benchmarks: the console's tables on a durable database, a real Valkey, bare `rq worker`s.

A broadcast's rate is its accepted mails over the time from the first sender's lease (its first statement of sending) to the moment the
ledger calls the broadcast finished: in it are connecting to the relay, the tags' values, rendering, SMTP, the journal, every commit, and
the end of the lease. Not in it: the start of the worker, and the freeze, which is measured on its own.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import flask_migrate
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from tests import factories, postgres
from tests.benchmarks import postfix, render
from tests.benchmarks.audience_data import fill
from tests.databases import make_app
from tests.workers import Worker, wait_until
from webapp.adapters import clock, database, wakeups
from webapp.config import RelaySettings
from webapp.core import broadcasts, ledger
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery, Sender
from webapp.demo import children, valkey
from webapp.extensions import db
from webapp.paths import ROOT

CONTENT = render.parts(render.PARAGRAPH, 10_000)
PATIENCE_S = 300.0
LOOK_S = 0.05
Seconds = dict[str, float]
TICK = os.sysconf("SC_CLK_TCK")
PROCESSORS = len(os.sched_getaffinity(0))


class Unaccounted(AssertionError):
    """A broadcast did not end with every mail accepted, or ledger, tally and relay disagree."""


@dataclass
class Sent:
    """What one whole broadcast took. `cpu` are the seconds of processor time of all its sending processes from their fork to their end,
    start-up included; `threads` the same by who used them, read shortly before their end. `beside` are the seconds of those that worked
    for it at the same time, on the same processors: the database's own processes, the relay."""

    mails: int
    seconds: float
    cpu: float
    threads: Seconds = field(default_factory=dict)
    beside: Seconds = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds

    @property
    def microseconds(self) -> float:
        """Processor time of a mail."""
        return self.cpu / self.mails * 1e6

    def where(self) -> str:
        """Where the processor time of a mail goes, in words."""
        return self._each(dict(sorted(self.threads.items())))

    def together(self) -> str:
        """Who used the machine's processors for a mail, and how busy they were."""
        used = {"sender": self.cpu} | self.beside
        return f"{self._each(used)}; {sum(used.values()) / self.seconds / PROCESSORS:.0%} of {PROCESSORS} processors"

    def _each(self, seconds: Seconds) -> str:
        return ", ".join(f"{name} {used / self.mails * 1e6:.1f}" for name, used in seconds.items())


class House:
    """A console with its clients on one database, in which broadcasts are sent one after the other."""

    def __init__(self, app: Flask, redis_url: str, folder: Path, server: int | None = None) -> None:
        self.app, self.redis_url, self.folder, self._server = app, redis_url, folder, server
        with app.app_context():
            self.engine = db.engine
        app.config["REDIS_URL"] = redis_url
        self._logs = 0

    def send(self, port: int, *, workers: int = 1, connections: int = 10) -> Sent:
        """Send a mail to everybody who has a service, over so many connections of as many workers to the relay at `port`."""
        with ExitStack() as stack:
            hands = [stack.enter_context(self.worker(port, connections)) for _ in range(workers)]
            wait_until(lambda: self.is_quiet(hands), 60, "the workers are idle", hands[0].log)
            key = self.frozen_broadcast()
            before = [_children_seconds(hand.process.pid) for hand in hands]
            of_server = self._server_seconds()
            with self.app.app_context():
                wakeups.wake(key)
            threads = self._follow(key, hands)
            after = [_children_seconds(hand.process.pid) for hand in hands]
            beside = {} if self._server is None else {"database": self._server_seconds() - of_server}
        return replace(self._accounted(key, sum(after) - sum(before), threads), beside=beside)

    def worker(self, port: int, connections: int) -> Worker:
        """A worker, not yet started, with so many connections to the relay at `port`."""
        self._logs += 1
        log = self.folder / f"worker-{self._logs}.log"
        return Worker(self.app, self.redis_url, RelaySettings(port=port, connections=connections), log)

    def is_quiet(self, hands: list[Worker]) -> bool:
        """The sweep with which a worker begins is over."""
        with self.app.app_context():
            return not wakeups.queue().count and not any(hand.horses() for hand in hands)

    def frozen_broadcast(self, **columns: Any) -> int:
        """A broadcast that may be sent at once, to everybody who has a service unless `columns` say otherwise; its id."""
        now = clock.now()
        with Session(self.engine) as session:
            database.will_write(session)
            given = {"message_type": MessageType.SERVICES, "batch_size": 0, "interval_s": 0}
            given |= {"subject": CONTENT.subject, "html": CONTENT.html}
            broadcast = factories.broadcast(session, **given | columns)
            broadcasts.schedule(session, broadcast.id, None, now)
            broadcasts.start(session, broadcast.id, now)
            while not ledger.freeze_chunk(session, broadcast.id, now):
                session.commit()
                database.will_write(session)
            session.commit()
            return broadcast.id

    def _server_seconds(self) -> float:
        """Processor time so far of the database's server with all its processes."""
        if self._server is None:
            return 0.0
        living = Path(f"/proc/{self._server}/task/{self._server}/children").read_text().split()
        return _children_seconds(self._server) + sum(own_seconds(int(pid)) for pid in (self._server, *living))

    def _follow(self, key: int, hands: list[Worker]) -> Seconds:
        """Wait until the broadcast is finished and its sending processes are gone; their processor time by thread, as last seen."""
        seen: dict[int, Seconds] = {}
        end = time.monotonic() + PATIENCE_S
        look_again = 0.0
        while True:
            now = time.monotonic()
            if now >= look_again:
                look_again = now + 10 * LOOK_S
                state, pids = self._state_and_senders(key)
                seen |= {pid: {} for pid in pids if pid not in seen}
            is_running = False
            for pid, used in seen.items():
                threads = _threads(pid)
                is_running = is_running or bool(threads)
                used |= {name: max(seconds, used.get(name, 0.0)) for name, seconds in threads.items()}
            if not is_running:
                look_again = 0.0
                if state is BroadcastState.FINISHED:
                    return {name: sum(used[name] for used in seen.values()) for name in next(iter(seen.values()))}
            if now > end or (state is not BroadcastState.SENDING and state is not BroadcastState.FINISHED):
                raise Unaccounted(f"the broadcast is {state} and not finished\n{children.tail(hands[0].log, 40)}")
            time.sleep(LOOK_S)

    def _state_and_senders(self, key: int) -> tuple[BroadcastState, list[int]]:
        with Session(self.engine) as session:
            state = session.get_one(Broadcast, key).state
            return state, list(session.scalars(select(Sender.pid).where(Sender.broadcast_id == key)))

    def _accounted(self, key: int, cpu: float, threads: Seconds) -> Sent:
        with Session(self.engine) as session:
            broadcast = session.get_one(Broadcast, key)
            began = session.scalar(select(func.min(Sender.started_at)).where(Sender.broadcast_id == key))
            tally = ledger.counts(session, key)
            rows = select(Delivery.state, func.count()).where(Delivery.broadcast_id == key).group_by(Delivery.state)
            states = {row[0]: row[1] for row in session.execute(rows)}
            sent = states.get(DeliveryState.ACCEPTED, 0)
            rest = states.keys() - {DeliveryState.ACCEPTED, DeliveryState.SKIPPED}
            if tally != states or sum(states.values()) != broadcast.frozen_count or rest or not sent:
                raise Unaccounted(f"of {broadcast.frozen_count} frozen the ledger has {states}, the tally {tally}")
            assert began is not None and broadcast.finished_at is not None
            return Sent(sent, (broadcast.finished_at - began).total_seconds(), cpu, threads)


@contextmanager
def house(kind: str, clients: int) -> Iterator[House]:
    """A house on "SQLite" or "PostgreSQL", as durable as it is deployed. About four in five of its clients have a service."""
    with tempfile.TemporaryDirectory(prefix="mm-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o711)
        queue, redis_url = valkey.start(folder / "valkey", log=folder / "valkey.log", durable=False)
        stack.callback(children.stop, queue)
        url, pid = f"sqlite:///{folder / 'massmail.sqlite3'}", None
        if kind == "PostgreSQL":
            (folder / "pg").mkdir()
            server = postgres.start(folder / "pg", durable=True)
            stack.callback(children.stop, server, sign=signal.SIGINT)
            url, pid = postgres.url(folder / "pg", "postgres"), server.pid
        app = make_app(url, folder)
        with app.app_context():
            flask_migrate.upgrade()
            stack.callback(db.engine.dispose)
            with Session(db.engine) as session:
                fill(session, clients, addons=0)
            if kind == "PostgreSQL":
                with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(text("VACUUM ANALYZE"))
        yield House(app, redis_url, folder, pid)


def accounted_by(relay: "postfix.Sink | FarRelay", ours: House, *, workers: int = 1, connections: int = 10) -> Sent:
    """Send a broadcast to the relay, and compare what its sink counted with the ledger."""
    sink = relay.sink if isinstance(relay, FarRelay) else relay
    pids = {"relay": sink.pid} | ({"way to it": relay.pid} if isinstance(relay, FarRelay) else {})
    before, used = sink.mails(), {name: own_seconds(pid) for name, pid in pids.items()}
    sent = ours.send(relay.port, workers=workers, connections=connections)
    taken = sink.mails() - before
    if taken != sent.mails:
        raise Unaccounted(f"the ledger has {sent.mails} accepted mails, the relay took {taken}")
    return replace(sent, beside=sent.beside | {name: own_seconds(pid) - used[name] for name, pid in pids.items()})


@dataclass(frozen=True)
class FarRelay:
    """A sink that is far away: `port` is that of the process `pid`, which takes everything there and back, late."""

    port: int
    pid: int
    sink: postfix.Sink


@contextmanager
def far_relay(round_trip: float = 0.020) -> Iterator[FarRelay]:
    """A sink so many seconds away. Raises postfix.Missing."""
    programs = postfix.programs()
    with tempfile.TemporaryDirectory(prefix="mm-") as folder, programs.receive(Path(folder)) as sink:
        command = [sys.executable, "-m", "tests.benchmarks.delay_proxy"]
        command += ["--to", str(sink.port), "--round-trip", str(round_trip)]
        with Popen(command, stdout=PIPE, cwd=ROOT) as proxy:
            assert proxy.stdout is not None
            try:
                yield FarRelay(int(proxy.stdout.readline()), proxy.pid, sink)
            finally:
                proxy.terminate()


def own_seconds(pid: int) -> float:
    """Processor time of a process; none when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def _children_seconds(pid: int) -> float:
    """Processor time of the ended and awaited children of a process: of a worker, its work-horses."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / TICK


def _threads(pid: int) -> Seconds:
    """Processor time of a sending process by thread; nothing when it is gone. The main thread renders and talks to the relay, the other
    records."""
    found: Seconds = {}
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            if fields[0] == "Z":
                return {}
            name = "mailer" if task.name == str(pid) else "recorder"
            found[f"{name} user"] = found.get(f"{name} user", 0.0) + int(fields[11]) / TICK
            found[f"{name} system"] = found.get(f"{name} system", 0.0) + int(fields[12]) / TICK
    except OSError:
        return {}
    return found
