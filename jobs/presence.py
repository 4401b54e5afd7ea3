"""A worker tells the database that it lives and what it does, so that people see it, and hear of it when there is none.

A thread of the parent process does it, every ten seconds and soon after a job begins or ends, so that a long job does not make a worker
silent and a short one costs no writing. A database that is away is told later.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.adapters import clock, database, schema
from webapp.core.cadence import BEAT_S, LAST_WORD_S, SETTLE_S
from webapp.core.sending import workers
from webapp.core.sending.workers import WAITS, Identity
from webapp.paths import VERSION

log = logging.getLogger(__name__)


def doing(function: str, arguments: Iterable[Any]) -> str:
    """What a worker does that calls this job, in words."""
    job = function.rpartition(".")[2]
    first, second, *_ = [*arguments, None, None]
    match job:
        case "send_batch" | "start_broadcast":
            return f"sends mass mail {first}"
        case "run_import":
            return f"{'checks' if second == 'check' else 'takes over'} import {first}"
        case "import_list":
            return f"{'looks through' if second == 'check' else 'takes over'} list {first} of suppressions"
        case "sweep":
            return "looks for what is due"
    return f"runs {job.replace('_', ' ')}"


class Presence:
    """This worker, as the console shows it. `engine` gives the database, alone, for a moment."""

    def __init__(
        self, queues: Iterable[str], engine: Callable[[], AbstractContextManager[Engine]], beat_s: float = BEAT_S
    ) -> None:
        self._who = Identity(uuid4().hex, socket.gethostname(), os.getpid(), VERSION, tuple(queues))
        self._engine, self._beat_s = engine, beat_s
        self._doing = WAITS
        self._news, self._is_over = threading.Event(), threading.Event()
        self._told = ("", float("-inf"))
        self._is_away = False
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def does(self, words: str) -> None:
        """From now on the worker does this."""
        self._doing = words
        self._news.set()

    def end(self) -> None:
        """The worker ends: says so, if the database can be told within a few seconds."""
        self._is_over.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(LAST_WORD_S)

    def _run(self) -> None:
        while not self._is_over.is_set():
            words, told_at = self._told
            if self._doing != words or clock.ticks() - told_at >= self._beat_s:
                self._tell()
            self._news.wait(max(self._beat_s - SETTLE_S, 0))
            self._news.clear()
            self._is_over.wait(min(SETTLE_S, self._beat_s))
        self._tell()

    def _tell(self) -> None:
        words = self._doing
        try:
            with self._engine() as engine, Session(engine) as session:
                if schema.problem_of(session.connection()) is None:
                    session.rollback()
                    self._write(session, words)
            self._is_away = False
            self._told = words, clock.ticks()
        except SQLAlchemyError as error:
            if not self._is_away:
                log.warning("The database cannot be told that this worker lives: %s", error)
            self._is_away = True

    def _write(self, session: Session, words: str) -> None:
        database.will_write(session)
        now = database.now(session)
        if self._is_over.is_set():
            workers.ended(session, self._who.id, now)
        else:
            workers.seen(session, self._who, words, now)
        session.commit()
