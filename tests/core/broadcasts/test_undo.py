"""Undo: what was created can be taken back for a while, and until then nothing of it begins, on whichever way it came to its start."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts, ledger
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import BroadcastState as S
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery

UNDO = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


@pytest.fixture
def draft(session: Session) -> Broadcast:
    factories.client(session)
    return factories.broadcast(session, subject="News")


def later(session: Session, draft: Broadcast, minutes: int = 60) -> None:
    wall = (NOW + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M")
    broadcasts.edit(session, draft.id, None, {"start_wall": wall, "time_zone": "UTC"}, NOW)


def begins(session: Session, draft: Broadcast, at) -> bool:
    """Whether a look at that instant starts it and freezes somebody."""
    started = broadcasts.start(session, draft.id, at, ask_after=timedelta(minutes=30))
    ledger.freeze_chunk(session, draft.id, at)
    assert started is bool(session.scalar(select(func.count()).select_from(Delivery)))
    return started


def test_nothing_begins_before_it_is_over(session: Session, draft: Broadcast):
    broadcasts.schedule(session, draft.id, None, NOW, undo=UNDO, by="robin@example.org")
    assert not begins(session, draft, NOW + UNDO - SECOND)
    assert broadcasts.begins_at(draft) == NOW + UNDO and draft.started_by == "robin@example.org"
    assert begins(session, draft, NOW + UNDO)


def test_a_time_that_is_nearer_waits_for_it_too(session: Session, draft: Broadcast):
    later(session, draft, minutes=0)
    broadcasts.schedule(session, draft.id, None, NOW, undo=UNDO)
    assert not begins(session, draft, NOW + UNDO - SECOND)
    assert begins(session, draft, NOW + UNDO)


def test_send_now_waits_for_it_and_keeps_the_time_that_was_chosen(session: Session, draft: Broadcast):
    later(session, draft)
    broadcasts.schedule(session, draft.id, None, NOW, undo=UNDO)
    at = NOW + timedelta(minutes=5)
    assert not begins(session, draft, at)
    for _press in range(2):
        broadcasts.send_now(session, draft.id, draft.version, at, undo=UNDO, by="uma@example.org")
        at += SECOND
    at = NOW + timedelta(minutes=5)
    assert (draft.start_confirmed_at, draft.started_by) == (at, "uma@example.org")
    assert not begins(session, draft, at + UNDO - SECOND)
    broadcasts.undo(session, draft.id, draft.version, at + SECOND)
    assert draft.state is S.DRAFT and draft.starts_at == NOW + timedelta(hours=1)


def test_a_missed_start_that_is_confirmed_waits_for_it(session: Session, draft: Broadcast):
    broadcasts.schedule(session, draft.id, None, NOW)
    at = NOW + timedelta(hours=2)
    assert not begins(session, draft, at)
    broadcasts.confirm_start(session, draft.id, at, undo=UNDO)
    broadcasts.confirm_start(session, draft.id, at + SECOND, undo=UNDO)
    assert draft.undo_until == at + UNDO
    assert not begins(session, draft, at + UNDO - SECOND)
    assert begins(session, draft, at + UNDO)


def test_a_long_undo_is_no_missed_start(session: Session, draft: Broadcast):
    broadcasts.schedule(session, draft.id, None, NOW, undo=timedelta(minutes=10))
    ask_after, at = timedelta(minutes=1), NOW + timedelta(minutes=10)
    assert broadcasts.missed_start(draft, at, ask_after) is None
    assert broadcasts.start(session, draft.id, at, ask_after=ask_after)


def test_undone_it_is_the_draft_it_was_and_a_press_left_over_does_not_create_it(session: Session, draft: Broadcast):
    later(session, draft)
    before = {name: getattr(draft, name) for name in ("start_wall", "time_zone", "starts_at", "batch_size", "name")}
    seen = draft.version
    broadcasts.schedule(session, draft.id, seen, NOW, undo=UNDO, by="robin@example.org")
    for _press in range(2):
        broadcasts.undo(session, draft.id, seen, NOW + SECOND)
    assert draft.state is S.DRAFT and draft.version == seen + 1
    assert {name: getattr(draft, name) for name in before} == before
    assert (draft.undo_until, draft.scheduled_at, draft.started_by) == (None, None, "")
    with pytest.raises(Conflict, match="changed meanwhile"):
        broadcasts.schedule(session, draft.id, seen, NOW + 2 * SECOND, undo=UNDO)
    assert draft.state is S.DRAFT
    broadcasts.schedule(session, draft.id, draft.version, NOW + 2 * SECOND, undo=UNDO)
    assert draft.state is S.SCHEDULED


def test_an_undo_that_comes_late_takes_nothing_off_the_calendar(session: Session, draft: Broadcast):
    later(session, draft)
    broadcasts.schedule(session, draft.id, None, NOW, undo=UNDO)
    with pytest.raises(Conflict, match="time to undo is over"):
        broadcasts.undo(session, draft.id, draft.version, NOW + UNDO)
    assert draft.state is S.SCHEDULED


def test_while_no_worker_has_begun_a_late_undo_still_holds(session: Session, draft: Broadcast):
    broadcasts.schedule(session, draft.id, None, NOW, undo=UNDO)
    broadcasts.undo(session, draft.id, draft.version, NOW + 2 * UNDO)
    assert draft.state is S.DRAFT and not begins(session, draft, NOW + 3 * UNDO)


def test_once_it_sends_undo_says_what_can_be_done(session: Session, draft: Broadcast):
    broadcasts.schedule(session, draft.id, None, NOW, undo=UNDO)
    assert begins(session, draft, NOW + UNDO)
    with pytest.raises(Conflict, match="Too late to undo: this mass mail is sending by now"):
        broadcasts.undo(session, draft.id, draft.version, NOW + UNDO)
    assert draft.state is S.SENDING


def test_without_undo_there_is_none(session: Session, draft: Broadcast):
    broadcasts.schedule(session, draft.id, None, NOW)
    with pytest.raises(Conflict):
        broadcasts.undo(session, draft.id, draft.version, NOW)
    assert begins(session, draft, NOW)


def test_send_now_is_refused_for_another_version(session: Session, draft: Broadcast):
    later(session, draft)
    broadcasts.schedule(session, draft.id, None, NOW)
    with pytest.raises(Conflict, match="changed meanwhile"):
        broadcasts.send_now(session, draft.id, draft.version - 1, NOW)
    assert draft.start_confirmed_at is None
