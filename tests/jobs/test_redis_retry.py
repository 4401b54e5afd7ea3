"""Real workers and a Redis that goes away: they wait for it, are known to it again, and end all the same when they are asked to."""

import signal
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from tests import redis_troubles
from tests.faults.places import Place, scene
from tests.smtp_oracle import Script
from tests.workers import Worker, wait_until
from webapp.adapters import redis_outage, wakeups
from webapp.core.rules.lifecycle import BroadcastState

MOST_SAID = 8
"""Two outages, of which the worker, its scheduler, its beat and a work-horse each may speak."""


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


@pytest.mark.parametrize("trouble", redis_troubles.TROUBLES)
def test_a_worker_waits_for_a_redis_that_cannot_be_used_and_says_once_why(place: Place, trouble: str):
    """While it is idle, and while its work-horse sends; then it takes the next job."""
    keys = [place.broadcast(60), place.broadcast(0)]
    with (
        redis_troubles.admin(place.redis_url) as redis,
        place.relay(Script(latency=0.02)) as relay,
        place.worker(relay) as worker,
    ):
        wait_until(lambda: is_known_as_idle(place), 30, "the worker is idle", worker.log)
        redis_troubles.lasts(redis, trouble, 1.5)
        place.wake(keys[0])
        place.wait_for_mails(10)
        redis_troubles.lasts(redis, trouble, 2.5)
        place.wait_for_state(keys[0], BroadcastState.FINISHED)
        wait_until(lambda: is_known_as_idle(place), 30, "the worker is known as idle", worker.log)
        assert worker.process.poll() is None
        place.wake(keys[1])
        place.wait_for_state(keys[1], BroadcastState.FINISHED)
        assert end(worker) < 10
    said = [line for line in worker.log.read_text().splitlines() if "Redis cannot be used" in line]
    assert 1 <= len(said) <= MOST_SAID, "\n".join(said)
    assert any(words in line for line in said for words in redis_outage.PASSING.values()), "\n".join(said)
    assert worker.log.read_text().count("Traceback") == 0


def test_a_worker_that_must_end_does_not_say_that_all_is_well(place: Place):
    """An answer that waiting does not change: it ends, for whoever started it to start it again."""
    with place.relay() as relay, place.worker(relay) as worker, Redis.from_url(place.redis_url) as redis:
        wait_until(lambda: is_known_as_idle(place), 30, "the worker is idle", worker.log)
        redis.lpush(f"rq:queue:{wakeups.QUEUE}", "unknown")
        redis.set("rq:job:unknown", "no hash")
        assert worker.process.wait(30) == 1


def test_a_worker_that_was_asked_to_end_says_that_all_is_well(place: Place):
    with place.relay() as relay, place.worker(relay) as worker:
        wait_until(lambda: is_known_as_idle(place), 30, "the worker is idle", worker.log)  # now it hears signals
        end(worker)
        assert worker.process.returncode == 0
