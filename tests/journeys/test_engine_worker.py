"""The engine under a real worker: from a wake-up to mails accounted for, and through what may happen meanwhile."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from flask import Flask
from sqlalchemy.orm import Session

from tests import engine, oracle_log
from tests.scenes import Scene
from tests.smtp_oracle import Oracle, Script
from tests.workers import wait_until
from webapp.adapters import clock, wakeups
from webapp.core import broadcasts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast

S = BroadcastState
CONNECTIONS = 3
SLOWLY = Script(latency=0.02)
"""So slow that there is time to disturb."""


@pytest.fixture
def scene(app: Flask, session: Session, redis_url: str, tmp_path: Path) -> Scene:
    return Scene(app, session, redis_url, tmp_path, connections=CONNECTIONS)


@pytest.fixture
def sqlite_scene(sqlite_app: Flask, sqlite_session: Session, redis_url: str, tmp_path: Path) -> Scene:
    return Scene(sqlite_app, sqlite_session, redis_url, tmp_path, connections=CONNECTIONS)


@pytest.fixture
def slow_relay(tmp_path: Path) -> Iterator[Oracle]:
    with Oracle(tmp_path / "oracle.jsonl", SLOWLY) as oracle:
        yield oracle


def test_a_scheduled_broadcast_is_started_frozen_sent_and_finished(scene: Scene):
    with Oracle(scene.log) as oracle, scene.worker(oracle):
        key = scene.broadcast(50)
        scene.wake(key)
        scene.wait_for_state(key, S.FINISHED)
    states, held = scene.check(key)
    assert states == {"accepted": 50} and sorted(held.values()) == [1] * 50


def test_a_kill_of_worker_and_horse_loses_nobody_and_doubts_one_mail_a_connection_at_most(
    scene: Scene, slow_relay: Oracle
):
    key = scene.broadcast(120)
    scene.wake(key)
    with scene.worker(slow_relay) as worker:
        for kill in range(1, 3):
            scene.wait_for_mails(30 * kill)
            worker.kill_all()
            worker.start()
        wait_until(lambda: scene.state(key) is not S.SENDING, 60, "done", worker.log)
    states, held = scene.check(key)
    assert states.get("uncertain", 0) <= 2 * CONNECTIONS and sum(states.values()) == 120
    assert states["accepted"] + states.get("uncertain", 0) == 120
    assert max(held.values()) == 1, "a mail was sent twice under the policy hold"
    assert scene.state(key) is (S.NEEDS_ATTENTION if "uncertain" in states else S.FINISHED)


def test_a_kill_of_the_worker_alone_ends_its_horse_cleanly(sqlite_scene: Scene, slow_relay: Oracle):
    scene = sqlite_scene
    key = scene.broadcast(100)
    scene.wake(key)
    with scene.worker(slow_relay) as worker:
        scene.wait_for_mails(20)
        worker.kill()
        wait_until(lambda: not worker.horses(), 10, "the horse ended", worker.log)
        states, held = scene.check(key)
        assert "uncertain" not in states and "claimed" not in states
        assert states["accepted"] == len(held) < 100
        worker.start()
        scene.wait_for_state(key, S.FINISHED)
    _, held = scene.check(key)
    assert set(held.values()) == {1}


@pytest.mark.parametrize("whom", ["worker", "everybody"])
def test_a_polite_end_settles_what_is_on_the_wire(sqlite_scene: Scene, slow_relay: Oracle, whom: str):
    scene = sqlite_scene
    key = scene.broadcast(500)
    scene.wake(key)
    with scene.worker(slow_relay) as worker:
        scene.wait_for_mails(20)
        began = time.monotonic()
        if whom == "everybody":
            for pid in worker.horses():
                os.kill(pid, signal.SIGTERM)
        worker.process.send_signal(signal.SIGTERM)
        worker.process.wait(20)
        assert time.monotonic() - began < 15
    states, held = scene.check(key)
    assert set(states) == {"accepted", "pending"} and states["accepted"] == len(held) < 500
    assert set(held.values()) == {1}


def test_redis_emptied_again_and_again_costs_time_and_nothing_else(sqlite_scene: Scene, slow_relay: Oracle):
    scene = sqlite_scene
    key = scene.broadcast(90, batch_size=15, interval_s=1)
    scene.wake(key)
    with redis.Redis.from_url(scene.redis_url) as connection, scene.worker(slow_relay):
        end = time.monotonic() + 90
        while scene.state(key) is not S.FINISHED and time.monotonic() < end:
            connection.flushall()
            time.sleep(0.5)
        assert scene.state(key) is S.FINISHED
    states, held = scene.check(key)
    assert states == {"accepted": 90} and set(held.values()) == {1}


def test_after_a_pause_at_most_one_more_mail_a_connection_arrives_and_a_resume_sends_the_rest(
    scene: Scene, slow_relay: Oracle
):
    key = scene.broadcast(150)
    scene.wake(key)
    with scene.worker(slow_relay) as worker:
        scene.wait_for_mails(20)
        scene.do(lambda session: broadcasts.pause(session, key, "lunch", clock.now()))
        committed = time.monotonic()
        wait_until(lambda: not worker.horses(), 10, "the sender ended", worker.log)
        time.sleep(0.3)
        late = [mail for mail in oracle_log.received(scene.log) if mail.at > committed]
        assert len(late) <= 2 * CONNECTIONS, "the mail on the wire, and one more"
        states, _ = scene.check(key)
        assert set(states) == {"accepted", "pending"} and "claimed" not in states
        scene.do(lambda session: broadcasts.resume(session, key, clock.now()))
        scene.wake(key)
        scene.wait_for_state(key, S.FINISHED)
    _, held = scene.check(key)
    assert set(held.values()) == {1} and len(held) == 150


def test_a_cancel_takes_back_everything_that_has_not_left(sqlite_scene: Scene, slow_relay: Oracle):
    scene = sqlite_scene
    key = scene.broadcast(150)
    scene.wake(key)
    with scene.worker(slow_relay) as worker:
        scene.wait_for_mails(20)
        scene.do(lambda session: broadcasts.cancel(session, key, clock.now()))
        settled = lambda: set(engine.states(scene.session, key)) == {"accepted", "cancelled"}  # noqa: E731
        wait_until(settled, 30, "the rest was cancelled", worker.log)
    states, held = scene.check(key)
    assert states["accepted"] == len(held) and set(held.values()) == {1}


@pytest.mark.parametrize(
    ("database_url", "batch_size", "interval_s", "mails"),
    [("sqlite", 1, 1, 8), ("postgresql", 10, 2, 60)],
    indirect=["database_url"],
)
def test_the_pace_holds_at_the_relay_through_a_kill_and_a_pause(
    scene: Scene, batch_size: int, interval_s: int, mails: int
):
    key = scene.broadcast(mails, batch_size=batch_size, interval_s=interval_s)
    scene.wake(key)
    with Oracle(scene.log) as oracle, scene.worker(oracle) as worker:
        scene.wait_for_mails(mails // 4)
        worker.kill_all()
        worker.start()
        scene.wait_for_mails(mails // 2)
        scene.do(lambda session: broadcasts.pause(session, key, "lunch", clock.now()))
        scene.do(lambda session: broadcasts.resume(session, key, clock.now()))
        scene.wake(key)
        wait_until(lambda: scene.state(key) is not S.SENDING, 90, "done", worker.log)
    assert oracle_log.most_in_any(scene.log, interval_s) <= batch_size
    _, held = scene.check(key)
    assert max(held.values()) == 1


def test_an_undisturbed_pace_is_used_to_the_full(sqlite_scene: Scene):
    """The best of three, since whatever else this machine does can only make it slower."""
    scene, used, before = sqlite_scene, 0.0, 0
    for new_clients in (24, 0, 0):
        key = scene.broadcast(new_clients, batch_size=2, interval_s=1)
        scene.wake(key)
        with Oracle(scene.log) as oracle, scene.worker(oracle):
            scene.wait_for_state(key, S.FINISHED)
        times = [mail.at for mail in oracle_log.received(scene.log)][before:]
        before += len(times)
        assert len(times) == 24 and oracle_log.most_in_any(scene.log, 1) <= 2
        used = max(used, 11 / (times[-1] - times[0]))
        if used >= 0.95:
            return
    assert used >= 0.95


def test_a_broadcast_of_the_future_starts_at_its_time(sqlite_scene: Scene):
    scene = sqlite_scene
    key = scene.broadcast(5)
    with Oracle(scene.log) as oracle, scene.worker(oracle):
        at = clock.now() + timedelta(seconds=3)
        scene.do(lambda session: setattr(session.get_one(Broadcast, key), "starts_at", at))
        with scene.app.app_context():
            wakeups.wake(key, at)
        scene.wait_for_state(key, S.FINISHED)
    started = scene.session.get_one(Broadcast, key, populate_existing=True).started_at
    assert started is not None and started >= at
