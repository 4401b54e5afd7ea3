"""Wake-ups: ask a worker to look at something. Redis is only the alarm clock; what is to be done stands in the database.

So losing one costs time and no fact (the sweep looks again every few seconds), and one too many costs a look. What waits in the queue is
unique by its key; while it runs, the next may wait already, because it may be about what the running one has read too early.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.job import Job
from rq.registry import FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from webapp.adapters import logs, redis_link, redis_outage
from webapp.core.cadence import ASK_FOR_HELP_S, WAKEUP_WAITS_S

QUEUE = "massmail"
"""The queue's name, and the first word of our own keys; behind MASSMAIL_REDIS_PREFIX, by which several installs share one Redis."""

DEFAULT_QUEUE = "default"
"""What `rq worker` listens to that was told nothing."""

LOOK = "jobs.send_batch.send_batch"
SWEEP = "jobs.sweep.sweep"
NOTIFY = "jobs.notify.notify"
CHECK_DOMAINS = "jobs.check_domains.check_domains"

ASKED_BY = "asked_by"
"""Of what RQ keeps beside a job: the id of the request or job that asked for it."""

DAY_S = 86_400
log = logging.getLogger(__name__)
outage = redis_outage.Outage(log, "What should be looked at is looked at some seconds after it can be used again.")


class Call(NamedTuple):
    """What a worker is to be asked for: the function with that dotted name, unless a call with this `key` waits already."""

    function: str
    arguments: tuple[object, ...]
    key: str


def look_at(broadcast_id: int) -> Call:
    """A look at a broadcast."""
    return Call(LOOK, (broadcast_id,), look_key(broadcast_id))


def ask(call: Call) -> bool:
    """Have a worker do this now. Call it after the commit. False when Redis could not be asked; then the sweep does it a little later."""
    return enqueue(call.function, *call.arguments, key=call.key)


def wake(broadcast_id: int, at: datetime | None = None) -> bool:
    """Ask for a look at a broadcast, now or at an instant (to about a second). Call it after the commit.

    False when Redis could not be asked; then the sweep does it a little later.
    """
    return enqueue(LOOK, broadcast_id, key=look_key(broadcast_id), at=at)


def look_key(broadcast_id: int) -> str:
    return f"look-{broadcast_id}"


def enqueue(function: str, *arguments: object, key: str, at: datetime | None = None) -> bool:
    """Have a worker call the function with that dotted name, unless a call with this `key` waits already.

    The function calls `begins(key)` before it reads anything. With `at` it is called then, in place of any earlier `at` of the key.
    """
    try:
        if at is not None and (at - datetime.now(UTC)).total_seconds() > 0.5:
            _enqueue_at(at, function, arguments, key)
        else:
            _enqueue_now(function, arguments, _waiting(key), queue())
    except RedisError as error:
        outage.failed(error)
        return False
    outage.well()
    return True


def asked_by(job: Job) -> str:
    """The id of the request or job that asked for this one, so that their lines can be read together; its own where there is none."""
    return logs.id_from(job.meta.get(ASKED_BY) or job.id)


def begins(key: str) -> None:
    """The call with this key has left the queue: from now on another one may wait."""
    try:
        connection().delete(_waiting(key))
    except RedisError as error:
        outage.failed(error)


def counter(in_no_hurry: str) -> Callable[[], int]:
    """A way to ask, outside the app's context, how many calls wait for a worker that is not idle; one with the key `in_no_hurry` counts
    after half a minute."""
    redis, marker = connection(), _waiting(in_no_hurry)
    ours = queue()

    def count() -> int:
        with redis.pipeline(transaction=False) as asked:
            asked.llen(ours.key)
            asked.exists(marker)
            waiting, is_patient = asked.execute()
        some = int(waiting) - int(is_patient)
        return max(some - _idle(ours), 0) if some > 0 else 0

    return count


def _idle(ours: Queue) -> int:
    """How many workers have nothing to do, and will fetch what waits."""
    names = list(ours.connection.smembers(WORKERS_BY_QUEUE_KEY % ours.name))
    with ours.connection.pipeline(transaction=False) as asked:
        for name in names:
            asked.hget(name, "state")
        return asked.execute().count(b"idle") if names else 0


def lengths() -> dict[str, int]:
    """How many jobs wait for a worker, for their time, are being run, and have failed within the week for which RQ keeps them. Raises
    RedisError."""
    ours = queue()
    with connection().pipeline(transaction=False) as asked:
        asked.llen(ours.key)
        for registry in (ScheduledJobRegistry, StartedJobRegistry, FailedJobRegistry):
            asked.zcard(registry(queue=ours).key)
        counts = asked.execute()
    return dict(zip(("waiting", "later", "running", "failed"), map(int, counts), strict=True))


class Stranger(NamedTuple):
    """A worker of RQ that is not one of this program."""

    host: str
    pid: int
    queues: tuple[str, ...]


def strangers() -> list[Stranger]:
    """Workers of RQ that somebody may have meant to be ours: they listen to our queue, or to the one that RQ takes by itself. To be asked
    for when none of ours lives. Nobody, when Redis cannot be asked."""
    try:
        found = Worker.all(connection=connection(), serializer=JSONSerializer)
    except RedisError as error:
        log.warning("Redis could not be asked for workers: %s", error)
        return []
    return [
        Stranger(one.hostname or "?", one.pid or 0, tuple(one.queue_names()))
        for one in found
        if {queue().name, DEFAULT_QUEUE} & set(one.queue_names())
    ]


def helper(broadcast_id: int) -> Callable[[], None]:
    """A way to have an idle worker look at a broadcast, outside the app's context; nothing happens where none is idle. A Redis that hangs
    holds the caller up for a moment at most."""
    ours, marker = queue(), _waiting(look_key(broadcast_id))
    asking: list[threading.Thread] = []

    def ask() -> None:
        try:
            if _idle(ours):
                _enqueue_now(LOOK, (broadcast_id,), marker, ours)
        except RedisError as error:
            outage.failed(error)

    def call() -> None:
        if asking and asking[0].is_alive():
            return
        asking[:] = [threading.Thread(target=ask, name="call for help", daemon=True)]
        asking[0].start()
        asking[0].join(ASK_FOR_HELP_S)

    return call


def queue_name(prefix: str) -> str:
    """The queue of the install with that prefix."""
    return f"{prefix}{QUEUE}"


def connection() -> Redis:
    """The app's connection to Redis, which does not wait long for a Redis that is away."""
    url = current_app.config["REDIS_URL"]
    kept: dict[str, Redis] = current_app.extensions.setdefault("massmail-redis", {})
    if url not in kept:
        kept[url] = redis_link.connect(url)
    return kept[url]


def queue() -> Queue:
    return Queue(_own_name(), connection=connection(), serializer=JSONSerializer, default_timeout=-1)


def _enqueue_now(function: str, arguments: tuple[object, ...], marker: str, ours: Queue) -> None:
    if ours.connection.set(marker, "1", nx=True, ex=WAKEUP_WAITS_S):
        ours.enqueue_call(function, arguments, timeout=-1, result_ttl=0, failure_ttl=7 * DAY_S, meta=_asking())


def _enqueue_at(at: datetime, function: str, arguments: tuple[object, ...], key: str) -> None:
    ours, redis = queue(), connection()
    job_id = uuid4().hex
    before = redis.set(_own_name("later", key), job_id, get=True, ex=30 * DAY_S)
    if isinstance(before, bytes):
        ScheduledJobRegistry(queue=ours).remove(before.decode(), delete_job=True)
    # RQ drops the fraction of a second, which would be too early.
    rounded = datetime.fromtimestamp(-(-at.timestamp() // 1), UTC)
    kept = {"job_timeout": -1, "result_ttl": 0, "failure_ttl": 7 * DAY_S, "meta": _asking()}
    ours.enqueue_at(rounded, function, *arguments, job_id=job_id, **kept)


def _asking() -> dict[str, str]:
    asks = logs.current_id()
    return {ASKED_BY: asks} if asks else {}


def _waiting(key: str) -> str:
    return _own_name("waiting", key)


def _own_name(*parts: str) -> str:
    return ":".join((queue_name(current_app.config["REDIS_PREFIX"]), *parts))
