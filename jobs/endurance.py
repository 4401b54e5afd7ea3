"""A worker outlives a Redis that is away.

Left alone, RQ 3 waits for a lost Redis only while it listens to its queue; at any other command (a heartbeat during a long job, the state
after one) the worker ends, and so does its scheduler. And a Redis that comes back empty does not know the worker any more, so that
nobody sees it as idle.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import worker_registration
from rq.scheduler import RQScheduler
from rq.worker import BaseWorker

LONGEST_PAUSE_S = 1.0


class Patience(Retry):
    """Tries again for as long as Redis is away, until it `ends`: then once more, because a connection may be left over from before Redis
    was started anew."""

    def __init__(self) -> None:
        super().__init__(ExponentialBackoff(cap=LONGEST_PAUSE_S, base=0.05), retries=-1)

    def __deepcopy__(self, _memo: object) -> "Patience":
        return self  # connections take a copy, which could not be told to end

    def ends(self, *_: object) -> None:
        self.update_retries(1)


def endure(worker: Any = BaseWorker, scheduler: Any = RQScheduler) -> None:
    """Make the worker and scheduler of this process patient until they are asked to end. At its start a Redis that cannot be used is a
    mistake, and a work-horse that has done its job waits for nobody."""
    patience = Patience()

    def is_known(worker: BaseWorker, _timeout: int | None = None, pipeline: Any = None) -> None:
        worker_registration.register(worker, pipeline)

    _wrap(worker, "work", before=lambda worker, *_, **__: worker.connection.set_retry(patience))
    _wrap(worker, "heartbeat", after=is_known)
    for kind, name in ((worker, "main_work_horse"), (worker, "request_stop"), (scheduler, "request_stop")):
        _wrap(kind, name, before=patience.ends)
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
