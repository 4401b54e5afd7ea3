"""A worker outlives a Redis that is away, or that answers but cannot be used.

Left alone, RQ 3 waits for a lost Redis only while it listens to its queue; at any other command (a heartbeat during a long job, the state
after one), and at any answer such as READONLY or OOM, the worker ends as if its work were done, and so does its scheduler. And a Redis that
comes back empty does not know the worker any more, so that nobody sees it as idle.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import worker_registration
from rq.exceptions import StopRequested
from rq.scheduler import RQScheduler
from rq.worker import BaseWorker

from webapp.adapters import redis_outage

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
STEPS = ("check_for_suspension", "run_maintenance_tasks", "dequeue_job_and_maintain_ttl", "execute_job", "heartbeat")
"""What a worker does round after round. RQ ends it when one of them fails, and does not tell who called."""

log = logging.getLogger("rq.worker")


class Patience(Retry):
    """Tries again for as long as Redis cannot be used, until it `ends`: then once more, because a connection may be left over from before
    Redis was started anew."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), retries=-1)
        self._outage = redis_outage.Outage(log, "This process waits, and goes on when it can be.")

    def __deepcopy__(self, _memo: object) -> "Patience":
        return self  # connections take a copy, which could not be told to end

    def ends(self, *_: object) -> None:
        self.update_retries(1)

    def call_with_retry(
        self,
        do: Callable[[], Any],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Any:
        """As redis-py has it, for more kinds of errors. `fail` lets go of the connection, so that the next try may reach another server."""
        failures = 0
        while True:
            try:
                result = do()
            except (RedisError, OSError) as error:
                if not redis_outage.passes(error) or (is_retryable and not is_retryable(error)):
                    raise
                failures += 1
                is_last = 0 <= self.get_retries() < failures
                if not is_last:
                    self._outage.failed(error)
                    # Before `fail`, which raises when keys are watched: RQ begins anew then, at once and without end.
                    time.sleep(min(max(self._outage.lasts_s / 4, SHORTEST_PAUSE_S), LONGEST_PAUSE_S))
                fail(error, failures) if with_failure_count else fail(error)
                if is_last:
                    raise
            else:
                if failures:
                    self._outage.well()
                return result


class WorkerEnding:
    """How a worker came to its end: asked to, or because a step of its work failed."""

    def __init__(self) -> None:
        self._was_asked = False
        self._failed: BaseException | None = None

    def is_asked_for(self, *_: object) -> None:
        self._was_asked = True

    def after_step(self, error: BaseException | None) -> None:
        self._failed = None if isinstance(error, StopRequested) else error

    def tell(self) -> None:
        """Leave with an exit code by which whoever started the worker knows that it is to be started again."""
        if self._failed is not None and not self._was_asked:
            raise SystemExit(1)


def endure(worker: Any = BaseWorker, scheduler: Any = RQScheduler) -> None:
    """Make the worker and scheduler of this process patient until they are asked to end. At its start a Redis that cannot be used is a
    mistake, and a work-horse that has done its job waits for nobody."""
    patience, ending = Patience(), WorkerEnding()

    def is_known(worker: BaseWorker, _timeout: int | None = None, pipeline: Any = None) -> None:
        worker_registration.register(worker, pipeline)

    _wrap(
        worker,
        "work",
        before=lambda worker, *_, **__: worker.connection.set_retry(patience),
        after=lambda *_, **__: ending.tell(),
    )
    _wrap(worker, "heartbeat", after=is_known)
    _wrap(worker, "request_stop", before=ending.is_asked_for)
    for kind, name in ((worker, "main_work_horse"), (worker, "request_stop"), (scheduler, "request_stop")):
        _wrap(kind, name, before=patience.ends)
    for kind in _family(worker):
        for name in STEPS:
            if name in vars(kind):
                _watch(kind, name, ending.after_step)
    teardown = worker.teardown

    def end(worker: BaseWorker) -> None:
        patience.ends()
        with suppress(RedisError):
            teardown(worker)

    worker.teardown = end


def _wrap(
    kind: Any, name: str, *, before: Callable[..., None] | None = None, after: Callable[..., None] | None = None
) -> None:
    """Have a method call something with its own arguments, before it or after it."""
    original = getattr(kind, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        if before is not None:
            before(*arguments, **options)
        result = original(*arguments, **options)
        if after is not None:
            after(*arguments, **options)
        return result

    setattr(kind, name, wrapped)


def _family(kind: Any) -> Iterator[Any]:
    """A class and all that derive from it."""
    yield kind
    for derived in kind.__subclasses__():
        yield from _family(derived)


def _watch(kind: Any, name: str, tell: Callable[[BaseException | None], None]) -> None:
    """Have a method tell how it ended: with which error, or without one."""
    original = getattr(kind, name)

    def watched(*arguments: Any, **options: Any) -> Any:
        try:
            result = original(*arguments, **options)
        except BaseException as error:
            tell(error)
            raise
        tell(None)
        return result

    setattr(kind, name, watched)
