"""What an operator watches, as Prometheus reads it. The database and Redis are asked at each scrape, so that all web processes tell the
same, and nothing is counted twice or lost with a process.

No label has more values than the program has words for it: no series for a mass mail, a worker or a client.
"""

import platform
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.sending.figures import Figures
from webapp.core.sending.workers import WorkerState

RELAY_STATES = ("well", "strained", "waiting", "refusing")
QUEUE_STATES = ("waiting", "later", "running", "failed")


class Numbers(Collector):
    """All but the request times. `read` asks the database, `lengths` Redis for the jobs of each of QUEUE_STATES."""

    def __init__(
        self,
        read: Callable[[], tuple[Figures, datetime]],
        lengths: Callable[[], Mapping[str, int]],
        version: str,
        database: str,
    ) -> None:
        self._read, self._lengths = read, lengths
        self._build = {"version": version, "python": platform.python_version(), "database": database}

    def describe(self) -> Iterable[Metric]:
        """Nothing: to make the collector known shall ask nobody."""
        return ()

    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily("massmail_build", "The program that answers.", value=self._build)
        try:
            figures, now = self._read()
        except SQLAlchemyError:
            yield _gauge("database_up", "Whether the database answers, with the tables of this program.", 0)
        else:
            yield _gauge("database_up", "Whether the database answers, with the tables of this program.", 1)
            yield from _mails(figures)
            yield from _workers(figures)
            yield from _relay(figures, now)
        try:
            lengths = self._lengths()
        except RedisError:
            yield _gauge("redis_up", "Whether Redis answers.", 0)
        else:
            yield _gauge("redis_up", "Whether Redis answers.", 1)
            yield _by("queue_jobs", "Jobs in Redis, by what they wait for.", "state", lengths, QUEUE_STATES)


def _mails(figures: Figures) -> Iterable[Metric]:
    states = "Deliveries of all mass mails, by state: what became of mails, and what is still to leave."
    yield _by("deliveries", states, "state", figures.deliveries, DeliveryState)
    yield _by("broadcasts", "Mass mails, by state.", "state", figures.broadcasts, BroadcastState)
    lag = "For how long a mail could have left by pace and limits, and did not; the longest of all mass mails."
    yield _gauge("pace_lag_seconds", lag, figures.pace_lag_s)
    yield _gauge("start_lag_seconds", "How late the latest start is that nobody has made.", figures.start_lag_s)
    yield _gauge("held", "1 while everything is held.", figures.is_held)


def _workers(figures: Figures) -> Iterable[Metric]:
    yield _by(
        "workers", "Workers, by how they are; forgotten a day after their end.", "state", figures.workers, WorkerState
    )
    if figures.worker_seen_s is not None:
        yield _gauge("worker_seen_seconds", "Seconds since any worker was last seen.", figures.worker_seen_s)
    yield _gauge("senders", "Processes that send now.", figures.senders)
    lost = "Sending processes whose lease is over and whose mails nobody has settled yet."
    yield _gauge("lost_senders", lost, figures.lost_senders)


def _relay(figures: Figures, now: datetime) -> Iterable[Metric]:
    health = figures.relay
    is_strained = health.limits.connections is not None or health.limits.per_connection is not None
    state = "strained" if health.state.value == "well" and is_strained else health.state.value
    yield _by("relay_state", "1 for the state the relay is in.", "state", {state: 1}, RELAY_STATES)
    waiting_s = (now - health.since).total_seconds() if health.is_waiting and health.since else 0.0
    yield _gauge("relay_waiting_seconds", "For how long the relay has been waited for.", max(waiting_s, 0.0))
    if health.taken_at is not None:
        taken = "Seconds since the relay last took a mail, to ten seconds."
        yield _gauge("relay_taken_seconds", taken, max((now - health.taken_at).total_seconds(), 0.0))
    yield _gauge("relay_connections", "Connections to the relay that sending processes hold.", figures.connections)
    if health.limits.connections is not None:
        yield _gauge("relay_connections_learned", "How many the relay was found to take.", health.limits.connections)
    if figures.limits.connections:
        yield _gauge("relay_connections_limit", "How many all processes may hold, as set.", figures.limits.connections)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"massmail_{name}", words, value=float(value))


def _by(name: str, words: str, label: str, values: Mapping[Any, int], known: Iterable[str]) -> Metric:
    """One series for each value that a label may have, also where there is nothing to count: what is missing cannot be added to."""
    family = GaugeMetricFamily(f"massmail_{name}", words, labels=(label,))
    for one in known:
        family.add_metric((one.value if isinstance(one, StrEnum) else one,), float(values.get(one, 0)))
    return family
