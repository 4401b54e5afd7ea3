"""The numbers that an operator watches, each beside what is really there."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import Clocks
from webapp.core import broadcasts, ledger, relay
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.limits import Limits
from webapp.core.sending import figures, workers
from webapp.core.sending.figures import Figures
from webapp.core.sending.workers import Identity, WorkerState
from webapp.core.settings import installation, limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import PaceUse, Sender

KEY = "relay:25"


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def read(session: Session, clocks: Clocks) -> Figures:
    session.flush()
    return figures.read(session, clocks.reading(), clocks.wall, relay_key=KEY)


def sending(session: Session, clocks: Clocks, **columns: int) -> Broadcast:
    """A broadcast of three mails that was frozen at this instant."""
    broadcast = engine.sending_broadcast(session, **columns)
    now = {"frozen_at": clocks.wall, "updated_at": clocks.wall}
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(**now))
    session.expire_all()
    return broadcast


def left(session: Session, clocks: Clocks, broadcast: Broadcast, count: int) -> None:
    """So many mails left just now."""
    at = clocks.reading()
    session.add(PaceUse(broadcast_id=broadcast.id, taken_at=at.wall, boot=at.boot, ticks=at.ticks, count=count))


def test_an_empty_house_has_nothing_to_tell(session: Session, clocks: Clocks):
    found = read(session, clocks)
    assert not found.deliveries and not found.workers and found.worker_seen_s is None
    assert (found.pace_lag_s, found.start_lag_s, found.senders, found.lost_senders) == (0.0, 0.0, 0, 0)
    assert not found.is_held and not found.relay.is_waiting


def test_mails_and_broadcasts_are_counted_by_state(session: Session, clocks: Clocks):
    sending(session, clocks)
    sending(session, clocks)
    factories.broadcast(session)
    found = read(session, clocks)
    assert found.broadcasts == {BroadcastState.SENDING: 2, BroadcastState.DRAFT: 1}
    assert found.deliveries == {DeliveryState.PENDING: 9}


def test_without_a_pace_the_lag_grows_until_the_relay_takes_a_mail(session: Session, clocks: Clocks):
    broadcast = sending(session, clocks)
    assert read(session, clocks).pace_lag_s == pytest.approx(0, abs=0.01)
    clocks.pass_(40)
    assert read(session, clocks).pace_lag_s == pytest.approx(40, abs=0.01)
    engine.lease_for(session, broadcast, clocks)
    session.execute(update(Sender).values(taken_at=clocks.wall))
    clocks.pass_(3)
    assert read(session, clocks).pace_lag_s == pytest.approx(3, abs=0.01)


def test_a_pace_that_lets_nothing_leave_is_no_lag(session: Session, clocks: Clocks):
    broadcast = sending(session, clocks, batch_size=2, interval_s=60)
    left(session, clocks, broadcast, 2)
    clocks.pass_(59)
    assert read(session, clocks).pace_lag_s == 0.0
    clocks.pass_(11)
    assert read(session, clocks).pace_lag_s == pytest.approx(10, abs=0.01)


def test_the_lag_is_that_of_the_broadcast_that_is_furthest_behind(session: Session, clocks: Clocks):
    sending(session, clocks)
    clocks.pass_(30)
    sending(session, clocks)
    assert read(session, clocks).pace_lag_s == pytest.approx(30, abs=0.01)


def test_what_waits_for_the_relay_or_a_release_is_no_lag(session: Session, clocks: Clocks):
    sending(session, clocks)
    clocks.pass_(30)
    assert read(session, clocks).pace_lag_s == pytest.approx(30, abs=0.01)
    relay.wait(session, KEY, "421 not now", clocks.wall, waits_for=timedelta(hours=12))
    found = read(session, clocks)
    assert found.pace_lag_s == 0.0 and found.relay.is_waiting and found.relay.tries == 1
    relay.is_well(session, KEY)
    installation.hold(session, "Uma", "", clocks.wall)
    found = read(session, clocks)
    assert found.pace_lag_s == 0.0 and found.is_held


def test_what_is_paused_is_no_lag(session: Session, clocks: Clocks):
    broadcast = sending(session, clocks)
    clocks.pass_(30)
    broadcasts.pause(session, broadcast.id, "lunch", clocks.wall)
    assert read(session, clocks).pace_lag_s == 0.0
    clocks.pass_(60)
    broadcasts.resume(session, broadcast.id, clocks.wall)
    relay.is_well(session, KEY)
    clocks.pass_(5)
    assert read(session, clocks).pace_lag_s == pytest.approx(5, abs=0.01)


def test_a_limit_of_the_site_that_is_reached_is_no_lag(session: Session, clocks: Clocks):
    sending(session, clocks)
    limits.save(session, Limits(per_second=2))
    clocks.pass_(30)
    now = clocks.reading()
    session.add(PaceUse(broadcast_id=figures.SITE, taken_at=now.wall, boot=now.boot, ticks=now.ticks, count=2))
    assert read(session, clocks).pace_lag_s == 0.0
    clocks.pass_(2)
    assert read(session, clocks).pace_lag_s == pytest.approx(32, abs=0.01)


def test_a_start_that_nobody_makes_is_late(session: Session, clocks: Clocks):
    broadcast = factories.broadcast(session)
    broadcasts.schedule(session, broadcast.id, None, clocks.wall)
    clocks.pass_(25)
    assert read(session, clocks).start_lag_s == pytest.approx(25, abs=0.01)


def test_a_sender_whose_lease_is_over_is_lost_and_its_connections_are_gone(session: Session, clocks: Clocks):
    broadcast = sending(session, clocks)
    engine.lease_for(session, broadcast, clocks)
    session.execute(update(Sender).values(connections=7))
    found = read(session, clocks)
    assert (found.senders, found.lost_senders, found.connections) == (1, 0, 7)
    clocks.pass_(60)
    found = read(session, clocks)
    assert (found.senders, found.lost_senders, found.connections) == (0, 1, 0)


def test_workers_are_counted_by_how_they_are_and_the_newest_is_told(session: Session, clocks: Clocks):
    for number, doing in enumerate((workers.WAITS, "sends mass mail 1")):
        workers.seen(session, Identity(f"w{number}", "here", number, "1", ("massmail",)), doing, clocks.wall)
    clocks.pass_(4)
    found = read(session, clocks)
    assert found.workers == {WorkerState.WAITING: 1, WorkerState.WORKING: 1} and found.worker_seen_s == pytest.approx(4)
    clocks.pass_(60)
    assert read(session, clocks).workers == {WorkerState.GONE: 2}


def test_nothing_is_written(session: Session, clocks: Clocks):
    broadcast = sending(session, clocks, batch_size=1, interval_s=1)
    for _ in range(150):
        left(session, clocks, broadcast, 1)
    session.commit()
    read(session, clocks)
    assert not session.dirty and not session.new and not session.deleted
    session.rollback()
    assert session.query(PaceUse).count() == 150
    assert ledger.counts(session, broadcast.id) == {DeliveryState.PENDING: 3}
