"""The freeze of a million clients into deliveries, as the job does it, and how long it keeps others from writing.

That is measured from beside, on a connection of its own, again and again while the freeze runs: on SQLite the wait for the database's one
write lock, on PostgreSQL a pause of that very broadcast (the lock on its row) together with a change of a client.
"""

import threading
import time
from collections.abc import Iterable

from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from jobs.start_broadcast import start_broadcast
from tests import factories
from tests.benchmarks import freeze_parts
from tests.benchmarks.figure import Figure
from tests.benchmarks.filled import KINDS, filled, forget
from webapp.adapters import clock, database
from webapp.core import broadcasts
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client
from webapp.extensions import db

CLIENTS, SHORT_CLIENTS, ROUNDS = 1_000_000, 20_000, 5
PAUSE_S = 0.005
GOALS = {"SQLite": 2.0, "PostgreSQL": 6.0}


class Beside(threading.Thread):
    """Somebody who wants to write while a broadcast is frozen. `longest` is the longest wait, in milliseconds."""

    def __init__(self, app: Flask, broadcast_id: int, clients: int) -> None:
        super().__init__(daemon=True)
        self.app, self.broadcast_id, self.clients = app, broadcast_id, clients
        self.longest, self.writes = 0.0, 0
        self._is_over = threading.Event()

    def run(self) -> None:
        with self.app.app_context():
            engine = db.engine
        while not self._is_over.wait(PAUSE_S):
            began = time.perf_counter()
            with Session(engine) as session:
                database.will_write(session)
                session.get_one(Broadcast, self.broadcast_id, with_for_update={"key_share": True})
                someone = self.writes * 7919 % self.clients + 1
                session.execute(update(Client).where(Client.id == someone).values(city="Rome"))
                self.longest = max(self.longest, (time.perf_counter() - began) * 1000)
                session.rollback()
            self.writes += 1

    def stop(self) -> None:
        self._is_over.set()
        self.join()


def run(*, short: bool) -> Iterable[Figure]:
    clients = SHORT_CLIENTS if short else CLIENTS
    for kind in KINDS:
        app = filled(kind, clients)
        alone = [_alone(app, clients) for _ in range(1 if short else ROUNDS)]
        yield Figure.of(f"freeze, {kind}: {clients:,} clients", alone, "s", GOALS[kind], bound="at most")
        waits = [_longest_wait(app, clients) for _ in range(1 if short else ROUNDS)]
        yield Figure.of(f"freeze, {kind}: longest wait of another writer", waits, "ms", 150, bound="at most")
        broadcast_id = _scheduled(app)
        freeze_parts.show(app, broadcast_id, kind, _freeze(app, clients, broadcast_id))
        forget(app)


def _alone(app: Flask, clients: int) -> float:
    seconds = _freeze(app, clients, _scheduled(app))
    forget(app)
    return seconds


def _longest_wait(app: Flask, clients: int) -> float:
    broadcast_id = _scheduled(app)
    beside = Beside(app, broadcast_id, clients)
    beside.start()
    try:
        _freeze(app, clients, broadcast_id)
    finally:
        beside.stop()  # before the ledger is emptied, for which everybody has to wait
    forget(app)
    assert beside.writes, "nobody could write while the broadcast was frozen"
    return beside.longest


def _freeze(app: Flask, clients: int, broadcast_id: int) -> float:
    """Seconds from scheduled to frozen."""
    with app.app_context():
        began = time.perf_counter()
        is_complete = start_broadcast(broadcast_id)
        seconds = time.perf_counter() - began
        with Session(db.engine) as session:
            frozen = session.get_one(Broadcast, broadcast_id).frozen_count
    assert is_complete and frozen == clients, f"{frozen} of {clients} are frozen"
    return seconds


def _scheduled(app: Flask) -> int:
    with app.app_context(), Session(db.engine) as session:
        broadcast = factories.broadcast(session, batch_size=0, interval_s=0)
        broadcasts.schedule(session, broadcast.id, None, clock.now())
        session.commit()
        return broadcast.id
