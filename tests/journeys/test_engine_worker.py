"""The engine under a real worker: from a wake-up to mails accounted for, and through what may happen meanwhile."""

from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from tests import engine, factories, oracle_log
from tests.smtp_oracle import Oracle
from tests.workers import Worker, wait_until
from webapp.adapters import clock, wakeups
from webapp.config import RelaySettings
from webapp.core import broadcasts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast


def state_of(session: Session, broadcast_id: int) -> BroadcastState:
    session.rollback()
    return session.get_one(Broadcast, broadcast_id, populate_existing=True).state


def test_a_scheduled_broadcast_is_started_frozen_sent_and_finished(
    app: Flask, session: Session, redis_url: str, tmp_path: Path
):
    for _ in range(50):
        factories.client(session)
    broadcast = factories.broadcast(session, batch_size=0, interval_s=0)
    broadcasts.schedule(session, broadcast.id, None, clock.now())
    session.commit()
    log = tmp_path / "oracle.jsonl"
    with Oracle(log) as oracle:
        relay = RelaySettings(port=oracle.port, connections=5)
        with Worker(app, redis_url, relay, tmp_path / "worker.log") as worker:
            with app.app_context():
                assert wakeups.wake(broadcast.id)
            done = lambda: state_of(session, broadcast.id) is BroadcastState.FINISHED  # noqa: E731
            wait_until(done, 30, "finished", worker.log)
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"accepted": 50}
    assert sorted(oracle_log.per_recipient(log).values()) == [1] * 50
