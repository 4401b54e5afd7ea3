"""Which workers there are, and since when there is none."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.sending import workers
from webapp.core.sending.workers import Identity, NoWorker, WorkerState
from webapp.core.tables.workers import KnownWorker

NOW = factories.NOW
SECOND = timedelta(seconds=1)


def identity(name: str, **changes) -> Identity:
    return Identity(id=name, host="mail1", pid=7, version="1.0", queues=("massmail",), **changes)


def test_a_worker_is_missing_only_after_half_a_minute(session: Session):
    assert workers.missing_since(session, NOW) == NoWorker(None)
    workers.seen(session, identity("a"), workers.WAITS, NOW)
    assert workers.missing_since(session, NOW + 29 * SECOND) is None
    assert workers.missing_since(session, NOW + 30 * SECOND) == NoWorker(NOW)


def test_a_clock_that_was_set_back_keeps_no_dead_worker_alive(session: Session):
    workers.seen(session, identity("a"), workers.WAITS, NOW + timedelta(hours=1))
    assert workers.missing_since(session, NOW) == NoWorker(NOW + timedelta(hours=1))
    (listed,) = workers.listing(session, NOW)
    assert listed.state is WorkerState.GONE


def test_one_that_lives_is_enough_and_one_that_has_just_ended_may_be_starting_anew(session: Session):
    workers.seen(session, identity("dead"), workers.WAITS, NOW - timedelta(hours=1))
    workers.seen(session, identity("ending"), "sends mass mail 3", NOW)
    workers.ended(session, "ending", NOW + 5 * SECOND)
    assert workers.missing_since(session, NOW + 34 * SECOND) is None
    assert workers.missing_since(session, NOW + 35 * SECOND) == NoWorker(NOW + 5 * SECOND)


def test_the_listing_tells_who_works_waits_ended_and_is_gone(session: Session):
    workers.seen(session, identity("gone"), "sends mass mail 2", NOW - 31 * SECOND)
    workers.seen(session, identity("ended"), workers.WAITS, NOW)
    workers.ended(session, "ended", NOW)
    workers.seen(session, identity("busy"), "sends mass mail 1", NOW)
    workers.seen(session, identity("idle"), workers.WAITS, NOW + SECOND)
    listed = {one.worker.id: one.state for one in workers.listing(session, NOW)}
    assert listed == {
        "busy": WorkerState.WORKING,
        "idle": WorkerState.WAITING,
        "ended": WorkerState.ENDED,
        "gone": WorkerState.GONE,
    }
    assert list(listed) == ["busy", "idle", "ended", "gone"]


def test_who_was_seen_once_keeps_its_start_and_comes_back_after_being_gone(session: Session):
    workers.seen(session, identity("a"), workers.WAITS, NOW)
    workers.ended(session, "a", NOW + SECOND)
    workers.seen(session, identity("a"), "sends mass mail 9", NOW + 60 * SECOND)
    (listed,) = workers.listing(session, NOW + 61 * SECOND)
    assert (listed.state, listed.worker.doing) == (WorkerState.WORKING, "sends mass mail 9")
    assert (listed.worker.started_at, listed.worker.queues) == (NOW, ["massmail"])


def test_a_worker_gone_for_a_day_is_forgotten_by_the_next_that_lives_but_the_last_one_never(session: Session):
    workers.seen(session, identity("old"), workers.WAITS, NOW)
    later = NOW + timedelta(days=3)
    assert workers.missing_since(session, later) == NoWorker(NOW)
    workers.seen(session, identity("new"), workers.WAITS, later)
    assert list(session.scalars(select(KnownWorker.id))) == ["new"]


@pytest.mark.parametrize("state", list(BroadcastState))
def test_a_worker_is_wanted_while_something_is_scheduled_or_sending(sqlite_session: Session, state: BroadcastState):
    factories.broadcast(sqlite_session, state=state)
    wanted = state in (BroadcastState.SCHEDULED, BroadcastState.SENDING)
    assert workers.is_anything_waiting(sqlite_session) is wanted
