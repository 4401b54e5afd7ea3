"""A sweep finds what is news, and a job brings it to people and programs, through a relay and a receiver that are ill meanwhile."""

from pathlib import Path

import pytest
from flask import Flask
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from jobs.notify import notify
from jobs.sweep import sweep
from tests import factories, oracle_log
from tests.consoles import free_port
from tests.core.notices.news import begin, paused
from tests.smtp_oracle import Oracle
from tests.webhook_receiver import Receiver, status
from webapp.adapters import clock, wakeups
from webapp.config import RelaySettings
from webapp.core.notices import webhook
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.notices import NoticeDispatch
from webapp.extensions import db


@pytest.fixture
def app(app: Flask, redis_url: str) -> Flask:
    app.config["REDIS_URL"] = redis_url
    app.extensions["mail"].suppress = False
    return app


def queued() -> list[str]:
    jobs = Job.fetch_many(wakeups.queue().job_ids, connection=wakeups.connection(), serializer=JSONSerializer)
    return [job.func_name for job in jobs if job]


def states(session: Session) -> dict[str, str]:
    session.rollback()
    return {row.channel.value: row.state.value for row in session.scalars(select(NoticeDispatch))}


def due_now(session: Session) -> None:
    """As if the pauses were over."""
    session.rollback()
    session.execute(update(NoticeDispatch).values(due_at=clock.now()))
    session.commit()


def test_a_pause_reaches_its_author_and_the_webhook_although_both_ways_are_ill_at_first(
    app: Flask, session: Session, tmp_path: Path
):
    oracle_file = tmp_path / "oracle.log"
    begin(session)
    uma = factories.user(session, "uma@example.org")
    factories.delivery(session, paused(session, created_by=uma.id, at=clock.now()))
    with Receiver([status(500), status(204)]) as receiver:
        secret = webhook.set_up(session, receiver.url, clock.now())
        session.commit()
        app.config["MAIL_DEFAULT_SENDER"] = "console@example.test"
        app.config["RELAY"] = RelaySettings(host="127.0.0.1", port=free_port())
        with app.app_context():
            sweep()
            assert queued() == [wakeups.NOTIFY]
            notify()
            assert states(session) == {"mail": "waiting", "webhook": "waiting"}
            sweep()
            notify()
        assert len(receiver.calls) == 1, "not before its pause is over"
        due_now(session)
        with Oracle(oracle_file) as oracle, app.app_context():
            app.config["RELAY"] = RelaySettings(host="127.0.0.1", port=oracle.port)
            notify()
            notify()
    assert states(session) == {"mail": "done", "webhook": "done"}
    (mail,) = oracle_log.kept(oracle_file)
    assert (mail.mail_from, mail.recipient) == ("console@example.test", "uma@example.org")
    first, second = receiver.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    told = second.verified(secret)
    assert told["type"] == "broadcast.paused" and told["data"]["counts"]["waiting"] == 1
    assert session.scalar(select(func.count()).select_from(Delivery)) == 1, "a notice is in no ledger"


def test_without_news_no_job_is_asked_for(app: Flask, session: Session):
    begin(session)
    session.commit()
    with app.app_context():
        sweep()
        assert queued() == []
        notify()
        db.engine.dispose()
