"""Jobs: thin shells that do one thing of the core, look at the database first, and ask for the next look."""

from datetime import timedelta
from importlib import import_module

import pytest
from flask import Flask
from rq.job import Job
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from jobs import worker
from jobs.send_batch import send_batch
from jobs.start_broadcast import start_broadcast
from jobs.sweep import sweep
from tests import engine, factories
from tests.neighbours import MailServer
from webapp.adapters import clock, wakeups
from webapp.core import broadcasts, ledger
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast

S = BroadcastState


@pytest.fixture
def app(sqlite_app: Flask, redis_url: str, mail_server: MailServer) -> Flask:
    sqlite_app.config["REDIS_URL"] = redis_url
    sqlite_app.config["RELAY"] = mail_server.relay
    return sqlite_app


@pytest.fixture
def session(app: Flask, sqlite_session: Session) -> Session:
    return sqlite_session


def scheduled(session: Session, mails: int = 3, **columns) -> Broadcast:
    for _ in range(mails):
        factories.client(session)
    broadcast = factories.broadcast(session, **{"batch_size": 0, "interval_s": 0} | columns)
    broadcasts.schedule(session, broadcast.id, None, clock.now())
    session.commit()
    return broadcast


def waiting() -> list[tuple[str, tuple]]:
    jobs = Job.fetch_many(wakeups.queue().job_ids, connection=wakeups.connection(), serializer=JSONSerializer)
    return [(job.func_name, tuple(job.args)) for job in jobs if job]


def test_one_look_takes_a_broadcast_from_scheduled_to_finished(app: Flask, session: Session, mail_server: MailServer):
    broadcast = scheduled(session)
    with app.app_context():
        send_batch(broadcast.id)
        assert waiting() == []
    assert engine.states(session, broadcast) == {"accepted": 3} and len(mail_server.mails) == 3
    assert broadcasts.get(session, broadcast.id).state is S.FINISHED


def test_a_look_too_early_asks_for_one_at_the_start(app: Flask, session: Session):
    broadcast = scheduled(session)
    broadcasts.unschedule(session, broadcast.id, None, clock.now())
    broadcasts.edit(session, broadcast.id, None, {"start_wall": "2126-12-24T18:00", "time_zone": "UTC"}, clock.now())
    broadcasts.schedule(session, broadcast.id, None, clock.now())
    session.commit()
    with app.app_context():
        assert start_broadcast(broadcast.id) is False
        registry = ScheduledJobRegistry(queue=wakeups.queue())
        [key] = registry.get_job_ids()
        assert abs(registry.get_scheduled_time(key) - broadcast.starts_at) <= timedelta(seconds=1)
    assert broadcasts.get(session, broadcast.id).state is S.SCHEDULED


@pytest.mark.parametrize("with_a_pace", [{}, {"batch_size": 2, "interval_s": 30}])
def test_a_look_left_over_does_not_restart_what_was_paused(app: Flask, session: Session, with_a_pace: dict):
    broadcast = scheduled(session, **with_a_pace)
    with app.app_context():
        start_broadcast(broadcast.id)
        session.rollback()
        started_at = broadcast.started_at
        broadcasts.pause(session, broadcast.id, "lunch", clock.now())
        session.commit()
        send_batch(broadcast.id)
        sweep()
        assert waiting() == []
    session.expire_all()
    assert (broadcast.state, broadcast.started_at) == (S.PAUSED, started_at)
    assert engine.states(session, broadcast) == {"pending": 3}


def test_a_freeze_that_was_paused_goes_on_after_a_resume(app: Flask, session: Session):
    broadcast = scheduled(session, mails=5)
    broadcasts.start(session, broadcast.id, clock.now())
    assert not ledger.freeze_chunk(session, broadcast.id, clock.now(), chunk=2)
    broadcasts.pause(session, broadcast.id, "lunch", clock.now())
    session.commit()
    with app.app_context():
        assert start_broadcast(broadcast.id) is False
        assert engine.states(session, broadcast) == {"pending": 2}
        broadcasts.resume(session, broadcast.id, clock.now())
        session.commit()
        sweep()
        assert waiting() == [(wakeups.LOOK, (broadcast.id,))]
        send_batch(broadcast.id)
    assert engine.states(session, broadcast) == {"accepted": 5}


def test_a_freeze_that_was_cancelled_collects_nobody_more(app: Flask, session: Session):
    broadcast = scheduled(session, mails=5)
    broadcasts.start(session, broadcast.id, clock.now())
    ledger.freeze_chunk(session, broadcast.id, clock.now(), chunk=2)
    broadcasts.cancel(session, broadcast.id, clock.now())
    session.commit()
    with app.app_context():
        assert start_broadcast(broadcast.id) is False
        sweep()
    assert engine.states(session, broadcast) == {"cancelled": 2}


def test_a_start_that_was_missed_is_neither_made_nor_asked_for_again(app: Flask, session: Session):
    broadcast = factories.broadcast(session)
    broadcasts.schedule(session, broadcast.id, None, clock.now() - app.config["MISSED_START"] - timedelta(minutes=1))
    session.commit()
    with app.app_context():
        send_batch(broadcast.id)
        sweep()
        assert waiting() == []
        assert ScheduledJobRegistry(queue=wakeups.queue()).get_job_ids() == []
    session.expire_all()
    assert broadcast.state is S.SCHEDULED
    key = broadcast.id
    session.rollback()  # what was read before the sweep wrote is no ground to write on
    broadcasts.confirm_start(session, key, clock.now())
    session.commit()
    with app.app_context():
        sweep()
        assert waiting() == [(wakeups.LOOK, (broadcast.id,))]
        assert start_broadcast(broadcast.id) is True


def test_when_the_next_batch_is_far_a_later_look_is_asked_for(app: Flask, session: Session):
    broadcast = scheduled(session, batch_size=2, interval_s=60)
    with app.app_context():
        send_batch(broadcast.id)
        registry = ScheduledJobRegistry(queue=wakeups.queue())
        [key] = registry.get_job_ids()
        wait = registry.get_scheduled_time(key) - clock.now()
    assert timedelta(seconds=50) < wait < timedelta(seconds=60)
    assert engine.states(session, broadcast) == {"accepted": 2, "pending": 1}


def test_a_look_at_what_another_sender_has_in_hand_leaves_it_to_that(app: Flask, session: Session):
    broadcast = engine.sending_broadcast(session)
    now = clock.reading()
    ledger.open_lease(session, broadcast.id, host="elsewhere", pid=1, journal="there", reading=now)
    session.commit()
    with app.app_context():
        send_batch(broadcast.id)
    assert engine.states(session, broadcast) == {"pending": 3}


def test_a_look_at_what_is_much_for_another_sender_joins_it_unless_others_wait(app: Flask, session: Session):
    broadcast = engine.sending_broadcast(session, mails=4)
    ledger.open_lease(session, broadcast.id, host="elsewhere", pid=1, journal="there", reading=clock.reading())
    session.commit()
    with app.app_context():
        wakeups.wake(broadcast.id + 1)
        send_batch(broadcast.id, much=4)
        assert engine.states(session, broadcast) == {"pending": 4}
        wakeups.connection().flushall()
        send_batch(broadcast.id, much=4)
    assert engine.states(session, broadcast) == {"accepted": 4}


def test_the_sweep_wakes_what_is_due(app: Flask, session: Session):
    due = scheduled(session)
    with app.app_context():
        sweep()
        sweep()
        assert waiting() == [(wakeups.LOOK, (due.id,))]


def test_every_job_the_program_enqueues_by_name_is_there_and_allowed():
    for name in (wakeups.LOOK, wakeups.SWEEP, *worker.ALLOWED):
        module, _, function = name.rpartition(".")
        assert callable(getattr(import_module(module), function))
        assert name in worker.ALLOWED


def test_a_worker_calls_nothing_but_our_jobs():
    checked = worker.only_ours(lambda name: name)
    assert checked(wakeups.LOOK) == wakeups.LOOK
    for name in ("os.system", "jobs.worker.complete", "subprocess.run", "builtins.eval", "eval"):
        with pytest.raises(worker.ForbiddenCall):
            checked(name)
