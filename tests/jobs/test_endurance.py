"""Real workers and a Redis that goes away: they wait for it, are known to it again, and end all the same when they are asked to."""

import signal
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from tests.faults.places import Place, scene
from tests.smtp_oracle import Script
from tests.workers import Worker, wait_until
from webapp.adapters import wakeups
from webapp.core.rules.lifecycle import BroadcastState


@pytest.fixture
def place() -> Iterator[Place]:
    with scene("sqlite") as place:
        yield place


def is_known_as_idle(place: Place) -> bool:
    with Redis.from_url(place.redis_url) as connection:
        names = connection.smembers(f"rq:workers:{wakeups.QUEUE}")
        return any(connection.hget(name, "state") == b"idle" for name in names)


def end(worker: Worker) -> float:
    """Ask it to end; how many seconds that took."""
    began = time.monotonic()
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(20)
    return time.monotonic() - began


def test_a_job_that_ends_while_redis_is_away_does_not_end_its_worker(place: Place):
    key = place.broadcast(60)
    with place.relay(Script(latency=0.05)) as relay, place.worker(relay) as worker:
        place.wake(key)
        place.wait_for_mails(10)
        place.kill_redis()
        place.wait_for_state(key, BroadcastState.FINISHED)
        time.sleep(3)
        assert worker.process.poll() is None
        place.start_redis()
        wait_until(lambda: is_known_as_idle(place), 30, "the worker is known again", worker.log)
        assert end(worker) < 10


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_worker_without_redis_ends_when_it_is_asked_to(place: Place, is_busy: bool):
    key = place.broadcast(1_000)
    with place.relay(Script(latency=0.05)) as relay, place.worker(relay) as worker:
        if is_busy:
            place.wake(key)
            place.wait_for_mails(10)
        place.kill_redis()
        time.sleep(0.5)
        assert end(worker) < 10
        wait_until(lambda: not worker.horses(), 10, "the work-horse ended", worker.log)
        states, held = place.check(key) if is_busy else ({}, {})
        assert "uncertain" not in states and "claimed" not in states
        assert states.get("accepted", 0) == len(held) < 1_000
