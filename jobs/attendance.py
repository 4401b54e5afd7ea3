"""What a worker of RQ does more here: it looks whether it can work before it takes a job, and is known while it lives."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rq import Queue
from rq.job import Job
from rq.worker import BaseWorker, Worker
from sqlalchemy import Engine

from jobs.presence import Presence, doing
from jobs.readiness import Readiness, demand_use
from webapp.adapters import logs, wakeups
from webapp.core.cadence import FORK_WAITS_S
from webapp.core.domains.sealing import Seal
from webapp.core.sending.workers import WAITS

LISTENS = "this worker listens to"

log = logging.getLogger(__name__)


class OneAtATime:
    """The database of the parent process: for one thread at a time, never while it forks, and with no connection left open.

    A work-horse would inherit a connection of SQLite with its locks, and a mutex of its library that another thread holds for ever.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._is_held = False
        os.register_at_fork(before=self._before, after_in_parent=self._after, after_in_child=self._in_child)

    @contextmanager
    def __call__(self) -> Iterator[Engine]:
        with self._lock:
            try:
                yield self._engine
            finally:
                self._engine.dispose()

    def _before(self) -> None:
        self._is_held = self._lock.acquire(timeout=FORK_WAITS_S)

    def _after(self) -> None:
        if self._is_held:
            self._lock.release()

    def _in_child(self) -> None:
        self._lock = threading.Lock()


def attend(engine: Engine, queue_name: str, seal: Seal) -> None:
    """Have the workers of this process, which are to listen to that queue, look before they take a job, and say that they live."""
    alone = OneAtATime(engine)
    readiness = Readiness(alone, seal)
    present: list[Presence] = []

    def work(original: Callable[..., Any], worker: BaseWorker, *arguments: Any, **options: Any) -> Any:
        demand_use(worker.queue_names(), worker.serializer, queue_name)
        present[:] = [Presence(worker.queue_names(), alone)]
        present[0].begin()
        readiness.wait()
        return original(worker, *arguments, **options)

    def bootstrap(original: Callable[..., Any], worker: BaseWorker, *arguments: Any, **options: Any) -> Any:
        original(worker, *arguments, **options)
        log.info("%s %s", LISTENS, queue_name, extra={"event": "worker_begun", "queue": queue_name})

    def execute_job(original: Callable[..., Any], worker: Worker, job: Job, queue: Queue) -> None:
        if readiness.problem() is not None:
            _give_back(worker, job, queue)
            readiness.wait(worker.heartbeat)
            return
        present[0].does(_doing(job))
        try:
            with logs.belonging_to(wakeups.asked_by(job)):
                original(worker, job, queue)
        finally:
            present[0].does(WAITS)

    def teardown(original: Callable[..., Any], worker: BaseWorker) -> Any:
        if not worker.is_horse:
            for one in present:
                one.end()
            log.info("this worker ends", extra={"event": "worker_ended", "queue": queue_name})
        return original(worker)

    for kind, method in ((BaseWorker, work), (BaseWorker, bootstrap), (Worker, execute_job), (BaseWorker, teardown)):
        _extend(kind, method)


def _extend(kind: type[BaseWorker], method: Callable[..., Any]) -> None:
    """Put `method` in place of the one with its name, which it is given first."""
    original = getattr(kind, method.__name__)
    setattr(kind, method.__name__, lambda *arguments, **options: method(original, *arguments, **options))


def _give_back(worker: Worker, job: Job, queue: Queue) -> None:
    """Put a job that was fetched back to where it was, for a worker that can do it."""
    queue.push_job_id(job.id, at_front=True)
    worker.connection.lrem(queue.intermediate_queue_key, 1, job.id)


def _doing(job: Job) -> str:
    with suppress(Exception):  # RQ raises many kinds for a job it cannot read, and says so itself when it is run
        if job.func_name:
            return doing(job.func_name, job.args)
    return "runs an unknown job"
