"""Where journeys and fault tests play: an app on a database, a Redis, real workers, and a relay that keeps its own log."""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from flask import Flask
from sqlalchemy.orm import Session

from jobs.send_batch import MUCH
from jobs.start_broadcast import start_broadcast
from tests import comparison, engine, factories, oracle_log
from tests.smtp_oracle import Oracle, Script
from tests.workers import Worker, wait_until
from webapp.adapters import clock, database, wakeups
from webapp.config import RelaySettings
from webapp.core import broadcasts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.paths import ROOT

_numbers = itertools.count(1)


class Scene:
    """One such place. `log` is what the relay writes; `connections` how many each sending process may open to it."""

    def __init__(self, app: Flask, session: Session, redis_url: str, folder: Path, *, connections: int = 3) -> None:
        self.app, self.session, self.redis_url, self.folder = app, session, redis_url, folder
        self.connections = connections
        self.log = folder / "oracle.jsonl"
        self.log.touch()
        app.config["REDIS_URL"] = redis_url

    def worker(self, relay: Oracle | int, *, with_scheduler: bool = True, **environ: str) -> Worker:
        """A worker, not yet started, that hands its mails to the relay (or the port of one). `environ` are more of its settings."""
        port = relay if isinstance(relay, int) else relay.port
        settings = RelaySettings(port=port, connections=self.connections)
        log = self.folder / f"worker-{next(_numbers)}.log"
        return Worker(self.app, self.redis_url, settings, log, with_scheduler=with_scheduler, **environ)

    @contextmanager
    def workers(
        self, relay: Oracle | int, count: int, *, with_scheduler: bool = True, **environ: str
    ) -> Iterator[list[Worker]]:
        """So many workers, which start together and end together."""
        workers = [self.worker(relay, with_scheduler=with_scheduler, **environ) for _ in range(count)]
        with ExitStack() as stack:
            for worker in workers:
                worker.launch()
                stack.push(worker)
            wait_until(
                lambda: all(worker.is_listening() for worker in workers), 120, "all workers listen", workers[-1].log
            )
            yield workers

    @contextmanager
    def relay(self, script: Script | None = None, port: int = 0) -> Iterator[int]:
        """The scripted mail server in a process of its own; gives its port."""
        told = self.folder / f"script-{next(_numbers)}.json"
        told.write_text((script or Script()).to_json())
        command = [sys.executable, "-m", "tests.smtp_oracle", "--log", self.log, "--script", told, "--port", str(port)]
        with Popen(command, stdout=PIPE, cwd=ROOT) as process:
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline())
            finally:
                process.terminate()

    def clients(self, count: int) -> None:
        """So many new clients."""
        for _ in range(count):
            factories.client(self.session)
        self.session.commit()

    def broadcast(self, mails: int, **columns) -> int:
        """A broadcast to all clients there are and so many new ones, scheduled for now, the way the console does it; its id.

        It has a sender address of its own, by which the relay's log tells broadcasts apart.
        """
        self.session.rollback()  # what was read before is no ground to write on
        self.clients(mails)
        given = {"batch_size": 0, "interval_s": 0, "from_address": f"Example <b{next(_numbers)}@example.com>"}
        broadcast = factories.broadcast(self.session, **given | columns)
        broadcasts.schedule(self.session, broadcast.id, None, clock.now())
        self.session.commit()
        return broadcast.id

    def freeze(self, broadcast_id: int) -> None:
        """Start a broadcast and freeze its audience, as its job begins with."""
        with self.app.app_context():
            start_broadcast(broadcast_id)

    def wake(self, broadcast_id: int, first_chunk: int | None = None) -> None:
        """Ask for a look. With `first_chunk`, if it has to be frozen, that begins with so few clients: it goes in two chunks at least."""
        arguments = [] if first_chunk is None else [MUCH, first_chunk]
        with self.app.app_context():
            wakeups.enqueue(wakeups.LOOK, broadcast_id, *arguments, key=wakeups.look_key(broadcast_id))

    def do(self, call: Callable[[Session], object]) -> None:
        """Something a person does in the console."""
        with Session(engine.engine_of(self.app)) as session:
            database.will_write(session)
            call(session)
            session.commit()

    def state(self, broadcast_id: int) -> BroadcastState:
        self.session.rollback()
        return self.session.get_one(Broadcast, broadcast_id, populate_existing=True).state

    def arrived(self) -> int:
        return len(oracle_log.kept(self.log))

    def wait_for_mails(self, count: int, patience: float = 90) -> None:
        wait_until(lambda: self.arrived() >= count, patience, f"{count} mails", self.last_log())

    def wait_for_state(self, broadcast_id: int, state: BroadcastState, patience: float = 90) -> None:
        wait_until(lambda: self.state(broadcast_id) is state, patience, state, self.last_log())

    def last_log(self) -> Path | None:
        """The log of the worker that was made last."""
        logs = sorted(self.folder.glob("worker-*.log"), key=lambda path: path.stat().st_mtime)
        return logs[-1] if logs else None

    def check(self, broadcast_id: int) -> tuple[dict[str, int], dict[str, int]]:
        """The ledger's states and the relay's mails per recipient, after the two were compared."""
        found = comparison.compare(self.session, broadcast_id, self.log, is_over=False)
        assert not found.wrong, found.wrong[:10]
        return found.states, oracle_log.per_recipient(self.log)
