"""Wake-ups: one a key in the queue, at once or later, and no harm when Redis is away."""

import socket
import time
from datetime import timedelta

import pytest
import redis
from flask import Flask
from rq.job import Job
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer

from webapp.adapters import clock, logs, wakeups


@pytest.fixture(autouse=True)
def no_request_before() -> None:
    """What was asked in this thread before belongs to nobody here."""
    logs.begin()


@pytest.fixture
def app(sqlite_app: Flask, redis_url: str) -> Flask:
    sqlite_app.config["REDIS_URL"] = redis_url
    return sqlite_app


def waiting(registry: bool = False) -> list[tuple[str, tuple]]:
    """What stands in the queue, or among what is asked for later."""
    queue = wakeups.queue()
    keys = ScheduledJobRegistry(queue=queue).get_job_ids() if registry else queue.job_ids
    jobs = Job.fetch_many(keys, connection=wakeups.connection(), serializer=JSONSerializer)
    return [(job.func_name, tuple(job.args)) for job in jobs if job]


def test_many_wake_ups_of_one_broadcast_wait_once(app: Flask):
    with app.app_context():
        for broadcast_id in (7, 7, 8, 7):
            assert wakeups.wake(broadcast_id)
        assert waiting() == [(wakeups.LOOK, (7,)), (wakeups.LOOK, (8,))]


def test_what_an_idle_worker_will_fetch_does_not_wait_for_a_busy_one(app: Flask):
    with app.app_context():
        count, redis = wakeups.counter("patient"), wakeups.connection()
        wakeups.wake(7)
        assert count() == 1
        redis.sadd("rq:workers:massmail", "rq:worker:one", "rq:worker:two")
        redis.hset("rq:worker:one", "state", "idle")
        redis.hset("rq:worker:two", "state", "busy")
        assert count() == 0
        wakeups.wake(8)
        assert count() == 1


def test_help_is_asked_for_only_where_a_worker_is_idle(app: Flask):
    with app.app_context():
        call, redis = wakeups.helper(7), wakeups.connection()
    call()
    redis.sadd("rq:workers:massmail", "rq:worker:one", "rq:worker:gone")
    redis.hset("rq:worker:one", "state", "busy")
    call()
    with app.app_context():
        assert waiting() == []
        redis.hset("rq:worker:one", "state", "idle")
        call()
        call()
        assert waiting() == [(wakeups.LOOK, (7,))]


def test_a_redis_that_hangs_does_not_hold_up_who_calls_for_help(sqlite_app: Flask):
    with socket.create_server(("127.0.0.1", 0)) as silent, sqlite_app.app_context():
        sqlite_app.config["REDIS_URL"] = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        call = wakeups.helper(7)
        begin = time.monotonic()
        for _ in range(5):
            call()
        assert time.monotonic() - begin < 2


def test_while_one_runs_the_next_may_wait(app: Flask):
    with app.app_context():
        wakeups.wake(7)
        wakeups.begins(wakeups.look_key(7))
        wakeups.wake(7)
        wakeups.wake(7)
        assert len(waiting()) == 2


def test_a_later_wake_up_takes_the_place_of_the_one_before(app: Flask):
    with app.app_context():
        for hours in (1, 3, 2):
            wakeups.wake(7, at=clock.now() + timedelta(hours=hours))
        wakeups.wake(8, at=clock.now() + timedelta(hours=1))
        assert waiting() == []
        assert sorted(waiting(registry=True)) == [(wakeups.LOOK, (7,)), (wakeups.LOOK, (8,))]
        registry = ScheduledJobRegistry(queue=wakeups.queue())
        times = sorted(registry.get_scheduled_time(key) - clock.now() for key in registry.get_job_ids())
        assert timedelta(minutes=59) < times[0] < timedelta(minutes=61) < timedelta(minutes=119) < times[1]


def test_an_instant_that_has_come_is_now(app: Flask):
    with app.app_context():
        wakeups.wake(7, at=clock.now() - timedelta(hours=1))
        wakeups.wake(8, at=clock.now() + timedelta(milliseconds=200))
        assert len(waiting()) == 2


def test_calls_have_no_time_out_and_are_written_as_json(app: Flask):
    with app.app_context():
        wakeups.enqueue("jobs.sweep.sweep", key="sweep")
        [key] = wakeups.queue().job_ids
        job = Job.fetch(key, connection=wakeups.connection(), serializer=JSONSerializer)
        assert job.timeout == -1 and job.result_ttl == 0
        assert b"jobs.sweep.sweep" in JSONSerializer.dumps(job.func_name)


def test_a_redis_that_is_away_costs_a_moment_and_no_error(app: Flask):
    app.config["REDIS_URL"] = "redis://127.0.0.1:1/0"
    with app.app_context():
        began = time.monotonic()
        assert not wakeups.wake(7)
        assert not wakeups.wake(7, at=clock.now() + timedelta(hours=1))
        wakeups.begins("look-7")
        assert time.monotonic() - began < 5


def test_a_flushed_redis_takes_new_wake_ups_at_once(app: Flask, redis_url: str):
    with app.app_context():
        wakeups.wake(7)
        with redis.Redis.from_url(redis_url) as connection:
            connection.flushall()
        assert waiting() == []
        wakeups.wake(7)
        assert waiting() == [(wakeups.LOOK, (7,))]


def test_one_can_be_asked_how_many_wait_without_those_in_no_hurry(app: Flask):
    with app.app_context():
        count = wakeups.counter("sweep")
        wakeups.enqueue(wakeups.SWEEP, key="sweep")
        assert count() == 0
        wakeups.wake(7)
        assert count() == 1
        wakeups.connection().delete("massmail:waiting:sweep")
        assert count() == 2


def test_a_job_belongs_to_the_request_that_asked_for_it(app: Flask):
    with app.app_context():
        with logs.belonging_to("of-a-request"):
            wakeups.wake(7)
            wakeups.wake(8, at=clock.now() + timedelta(hours=1))
        wakeups.wake(9)
        queue = wakeups.queue()
        keys = [*queue.job_ids, *ScheduledJobRegistry(queue=queue).get_job_ids()]
        jobs = Job.fetch_many(keys, connection=wakeups.connection(), serializer=JSONSerializer)
        asked = {job.args[0]: wakeups.asked_by(job) for job in jobs if job}
        own = {job.args[0]: job.id for job in jobs if job}
    assert asked == {7: "of-a-request", 8: "of-a-request", 9: own[9]}
