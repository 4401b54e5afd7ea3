"""What every job stands in: the app, the database, the clocks, and the worker whose time it uses."""

import ctypes
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import FrameType

from flask import Flask, current_app, has_app_context
from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock, database, machine, wakeups
from webapp.adapters.journal import FileJournals
from webapp.adapters.markers import Markers
from webapp.adapters.pulse import Pulse, is_held
from webapp.adapters.smtp import SmtpMailer
from webapp.adapters.watch import DatabaseWatch
from webapp.app import create_app
from webapp.core.cadence import ASK_REDIS_S, LEASE_S, REDIS_AWAY_S
from webapp.core.domains.sealing import Seal
from webapp.core.rules.bounces import ReturnPath
from webapp.core.sending import Host, Runtime
from webapp.extensions import db

PR_SET_PDEATHSIG = 1
IN_NO_HURRY = "sweep"
"""The key of calls for which no sender makes room as long as they have not waited for long."""

log = logging.getLogger(__name__)


@cache
def own_app() -> Flask:
    """The worker's app: made before the worker forks, so that no job pays for it."""
    app = create_app()
    with app.app_context():
        database.leave_no_locks(db.engine, LEASE_S)
    return app


@contextmanager
def inside_app() -> Iterator[Flask]:
    """In the app's context: the one there is, or the worker's own."""
    if has_app_context():
        yield current_app._get_current_object()  # type: ignore[attr-defined]
        return
    app = own_app()
    with app.app_context():
        try:
            yield app
        except Exception:
            log.exception("this job broke off", extra={"event": "job_broke_off"})
            raise


def journals(app: Flask) -> FileJournals:
    """Where this machine's sending processes keep their journals."""
    return FileJournals(Path(app.config["INSTANCE"]) / "journals")


def markers(app: Flask) -> Markers:
    """Where this machine writes down how far sending has got. Call it inside the app's context."""
    redis = wakeups.connection()
    return Markers(Path(app.config["INSTANCE"]), lambda: redis, current_app.config["REDIS_PREFIX"])


def host(app: Flask) -> Host:
    """This machine and process, as a sender is told of them. Call it inside the app's context."""
    engine, kept, marks = db.engine, journals(app), markers(app)
    relay = app.config["RELAY"]

    @contextmanager
    def beating(broadcast_id: int) -> Iterator[Callable[[], bool]]:
        with Pulse(engine, marks, broadcast_id) as pulse:
            yield pulse.must_stop

    return Host(
        name=socket.gethostname(),
        pid=os.getpid(),
        machine=machine.id_of(kept.folder),
        mailer=lambda: SmtpMailer(relay),
        journals=kept,
        is_held=lambda broadcast_id: is_held(engine, marks, broadcast_id),
        pulse=beating,
        settle_in=lambda: database.remember_little(engine),
        connections=relay.connections,
    )


@contextmanager
def _in_haste(engine: Engine) -> Iterator[Callable[[Session], None]]:
    with database.writing_much(engine) as pause:

        def prepare(session: Session) -> None:
            pause()
            database.will_write(session, hastily=True)

        yield prepare


def runtime(turn: "Turn | None" = None, broadcast_id: int | None = None) -> Runtime:
    """What the core is given; with a broadcast, a way to call for help at it. Call it inside the app's context."""
    engine, grace = db.engine, current_app.config["HOST_GRACE"]
    given = Runtime(
        engine,
        database.will_write,
        clock.reading,
        clock.ticks,
        lambda key: DatabaseWatch(engine, key),
        current_app.config["RELAY"].key,
        current_app.config["PUBLIC_URL"],
        host_grace=grace,
        seal=Seal(current_app.config["SECRET_KEY"]),
        return_path=ReturnPath.of_setting(current_app.config["BOUNCE_ADDRESS"]),
        in_haste=lambda: _in_haste(engine),
        take_time=database.take_time,
    )
    if broadcast_id is not None:
        given = replace(given, call_for_help=wakeups.helper(broadcast_id))
    return given if turn is None else replace(given, must_stop=turn.must_stop, somebody_waits=turn.somebody_waits)


class Turn:
    """This job's turn at its worker: whether it is asked to end, and whether others wait for the worker. Made inside the app's context;
    asked from any thread.

    SIGTERM and SIGHUP (and SIGALRM, should somebody give the job a time-out after all) ask it to end after what is on the wire is settled,
    instead of killing it; so does the end of the worker itself. Between the final dot and the record no signal does anything else.
    """

    def __init__(self) -> None:
        self._is_asked = False
        self._asked_redis_at = float("-inf")
        self._somebody_waits = False
        self._redis, self._count_waiting = wakeups.connection(), wakeups.counter(IN_NO_HURRY)
        self._worker = os.environ.get("RQ_WORKER_ID")
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
                signal.signal(number, self._stop)
        if self._worker and sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)

    def must_stop(self) -> bool:
        self._ask_redis()
        return self._is_asked

    def somebody_waits(self) -> bool:
        self._ask_redis()
        return self._somebody_waits

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_asked = True

    def _ask_redis(self) -> None:
        """A worker that is told to stop waits for its job, and says so only in Redis."""
        if clock.ticks() - self._asked_redis_at < ASK_REDIS_S:
            return
        self._asked_redis_at = clock.ticks()
        try:
            self._somebody_waits = self._count_waiting() > 0
            if self._worker and self._redis.hget(f"rq:worker:{self._worker}", "shutdown_requested_date"):
                self._is_asked = True
        except RedisError as error:
            wakeups.outage.failed(error)
            self._somebody_waits = False
            self._asked_redis_at = clock.ticks() + REDIS_AWAY_S  # one that hangs keeps the asking thread for seconds
