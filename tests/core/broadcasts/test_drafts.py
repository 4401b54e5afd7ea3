"""Broadcasts from draft to finished: who may change what when, and that pressing twice happens once."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.factories import NOW
from webapp.core import audience, broadcasts
from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Content, FromAddress, Pick, PickKind, UncertainPolicy

S = BroadcastState
READY = {
    "subject": "News",
    "html": "<p>Hello</p>",
    "from_address": "Example <news@example.com>",
    "purpose": Purpose.IMPORTANT,
    "important_reason": "A new law",
}


@pytest.fixture
def session(sqlite_session: Session) -> Session:
    """What a broadcast may do is the same on both databases; where they race is in test_races.py."""
    return sqlite_session


@pytest.fixture
def draft(session: Session):
    draft = broadcasts.create(session, MessageType.GENERAL, None, NOW)
    return broadcasts.edit(session, draft.id, None, READY, NOW)


def test_a_new_draft_is_from_the_default_sender_and_has_a_secret_of_its_own(session: Session):
    session.add(FromAddress(name="Example", address="news@example.com", is_default=True))
    first, second = (broadcasts.create(session, MessageType.ADDONS, None, NOW) for _ in range(2))
    assert first.state is S.DRAFT and first.version == 1
    assert first.from_address == "Example <news@example.com>"
    assert len(first.secret) == 32 and first.secret != second.secret
    assert (first.content.subject, first.content.html, first.content.text) == ("", "", None)


def test_what_does_not_exist_is_not_found(session: Session):
    for call in (
        lambda: broadcasts.get(session, 4711),
        lambda: broadcasts.edit(session, 4711, 1, {"name": "x"}, NOW),
        lambda: broadcasts.schedule(session, 4711, 1, NOW),
        lambda: broadcasts.pause(session, 4711, None, NOW),
        lambda: broadcasts.cancel(session, 4711, NOW),
    ):
        with pytest.raises(NotFound):
            call()


def test_an_edit_takes_the_next_version_and_changes_broadcast_and_content(session: Session, draft):
    version = draft.version
    changes = {"name": "Autumn", "text": "Hello", "batch_size": 5, "uncertain_policy": UncertainPolicy.RETRY}
    edited = broadcasts.edit(session, draft.id, version, changes, NOW + timedelta(minutes=1))
    assert (edited.version, edited.name, edited.batch_size) == (version + 1, "Autumn", 5)
    assert edited.uncertain_policy is UncertainPolicy.RETRY
    assert session.scalar(select(Content.text).where(Content.broadcast_id == draft.id)) == "Hello"
    assert edited.updated_at == NOW + timedelta(minutes=1)


def test_of_two_tabs_the_second_is_told_that_it_is_late(session: Session, draft):
    version = draft.version
    broadcasts.edit(session, draft.id, version, {"name": "one"}, NOW)
    with pytest.raises(Conflict, match="Somebody else"):
        broadcasts.edit(session, draft.id, version, {"name": "two"}, NOW)
    assert broadcasts.get(session, draft.id).name == "one"


def test_an_edit_of_something_else_is_a_mistake_of_the_program(session: Session, draft):
    with pytest.raises(ValueError, match="state"):
        broadcasts.edit(session, draft.id, None, {"state": "finished"}, NOW)


def test_the_start_is_an_instant_of_its_zone(session: Session, draft):
    edited = broadcasts.edit(
        session, draft.id, None, {"start_wall": "2026-12-24T18:00", "time_zone": "Europe/Berlin"}, NOW
    )
    assert edited.starts_at is not None and edited.starts_at.isoformat() == "2026-12-24T17:00:00+00:00"
    moved = broadcasts.edit(session, draft.id, None, {"time_zone": "UTC"}, NOW)
    assert moved.starts_at is not None and moved.starts_at.hour == 18
    now = broadcasts.edit(session, draft.id, None, {"start_wall": None}, NOW)
    assert now.starts_at is None and now.start_wall is None


def test_of_a_wall_time_that_comes_twice_the_second_can_be_chosen(session: Session, draft):
    start = {"start_wall": "2027-10-31T02:30", "time_zone": "Europe/Berlin"}
    first = broadcasts.edit(session, draft.id, None, start, NOW).starts_at
    second = broadcasts.edit(session, draft.id, None, start | {"start_second": True}, NOW).starts_at
    assert first is not None and second is not None and second - first == timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start_wall": "2026-11-01T09:00"}, "start_wall"),
        ({"start_wall": "2027-03-28T02:30", "time_zone": "Europe/Berlin"}, "start_wall"),
        ({"start_wall": "2026-12-24T18:00", "time_zone": "Middle/Earth"}, "time_zone"),
        ({"batch_size": -1}, "batch_size"),
        ({"interval_s": -30}, "interval_s"),
    ],
)
def test_a_start_or_pace_that_cannot_be_is_refused_with_its_field(session: Session, draft, changes, field):
    with pytest.raises(Invalid) as refusal:
        broadcasts.edit(session, draft.id, None, changes, NOW)
    assert refusal.value.field == field


def test_pressing_create_broadcast_twice_schedules_once(session: Session, draft):
    first = broadcasts.schedule(session, draft.id, draft.version, NOW)
    again = broadcasts.schedule(session, draft.id, draft.version, NOW + timedelta(seconds=1))
    assert first.state is again.state is S.SCHEDULED and again.scheduled_at == NOW
    broadcasts.start(session, draft.id, NOW)
    assert broadcasts.schedule(session, draft.id, draft.version, NOW).state is S.SENDING


def test_what_was_changed_after_the_review_is_not_scheduled(session: Session, draft):
    seen = draft.version
    broadcasts.edit(session, draft.id, None, {"subject": "Other"}, NOW)
    with pytest.raises(Conflict, match="changed meanwhile"):
        broadcasts.schedule(session, draft.id, seen, NOW)
    assert broadcasts.get(session, draft.id).state is S.DRAFT


@pytest.mark.parametrize(
    ("missing", "field"),
    [({"from_address": ""}, "from_address"), ({"subject": " "}, "subject"), ({"html": " ", "text": None}, "html")],
)
def test_nothing_is_scheduled_without_sender_subject_and_text(session: Session, draft, missing, field):
    broadcasts.edit(session, draft.id, None, missing, NOW)
    with pytest.raises(Invalid) as refusal:
        broadcasts.schedule(session, draft.id, None, NOW)
    assert refusal.value.field == field


def test_a_start_that_has_passed_meanwhile_is_refused(session: Session, draft):
    broadcasts.edit(session, draft.id, None, {"start_wall": "2026-11-23T10:00", "time_zone": "UTC"}, NOW)
    with pytest.raises(Invalid, match="passed"):
        broadcasts.schedule(session, draft.id, None, NOW + timedelta(hours=2))


def test_what_is_scheduled_is_edited_only_after_it_was_taken_off_the_calendar(session: Session, draft):
    broadcasts.schedule(session, draft.id, None, NOW)
    with pytest.raises(Conflict, match="press Edit"):
        broadcasts.edit(session, draft.id, None, {"name": "again"}, NOW)
    taken = broadcasts.unschedule(session, draft.id, draft.version, NOW)
    assert taken.state is S.DRAFT and taken.scheduled_at is None
    assert broadcasts.edit(session, draft.id, None, {"name": "again"}, NOW).name == "again"


def test_once_sending_has_begun_nothing_can_be_edited_or_deleted(session: Session):
    broadcast = engine.sending_broadcast(session)
    with pytest.raises(Conflict, match="sending has begun"):
        broadcasts.edit(session, broadcast.id, None, {"name": "late"}, NOW)
    with pytest.raises(Conflict):
        broadcasts.delete_draft(session, broadcast.id)


def test_it_starts_when_it_is_due_and_once(session: Session, draft):
    broadcasts.edit(session, draft.id, None, {"start_wall": "2026-11-23T10:00", "time_zone": "UTC"}, NOW)
    broadcasts.schedule(session, draft.id, None, NOW)
    assert not broadcasts.start(session, draft.id, NOW + timedelta(minutes=59))
    assert broadcasts.start(session, draft.id, NOW + timedelta(minutes=60))
    assert not broadcasts.start(session, draft.id, NOW + timedelta(minutes=61))
    assert draft.started_at == NOW + timedelta(minutes=60)


@pytest.mark.parametrize("state", [state for state in S if state is not S.SCHEDULED])
def test_a_look_left_over_starts_nothing_but_what_is_scheduled(session: Session, state: BroadcastState):
    before = NOW - timedelta(hours=1)
    broadcast = factories.broadcast(session, state=state, started_at=before)
    assert not broadcasts.start(session, broadcast.id, NOW)
    assert (broadcast.state, broadcast.started_at) == (state, before)


def test_a_resume_keeps_the_start_and_takes_only_the_pause_that_was_seen(session: Session):
    broadcast = engine.sending_broadcast(session)
    broadcasts.pause(session, broadcast.id, "lunch", NOW)
    started, seen = broadcast.started_at, broadcast.paused_at
    broadcasts.resume(session, broadcast.id, NOW, paused_at=seen)
    assert broadcasts.stop(session, broadcast.id, "The relay refuses", NOW + timedelta(minutes=1), probing=True)
    with pytest.raises(Conflict, match="paused anew"):
        broadcasts.resume(session, broadcast.id, NOW + timedelta(minutes=2), paused_at=seen)
    assert (broadcast.state, broadcast.started_at) == (S.PAUSED, started)


@pytest.mark.parametrize("state", [state for state in S if state is not S.SENDING])
def test_the_program_itself_pauses_only_what_is_sending(session: Session, state: BroadcastState):
    broadcast = factories.broadcast(session, state=state)
    assert not broadcasts.stop(session, broadcast.id, "The relay refuses", NOW, probing=True)
    assert (broadcast.state, broadcast.pause_reason, broadcast.probing) == (state, None, False)


HALF_AN_HOUR = timedelta(minutes=30)


def test_a_start_that_was_missed_waits_for_somebody_to_confirm_it(session: Session, draft):
    broadcasts.schedule(session, draft.id, None, NOW)
    late = NOW + timedelta(minutes=31)
    assert broadcasts.missed_start(draft, NOW + HALF_AN_HOUR, HALF_AN_HOUR) is None
    assert broadcasts.missed_start(draft, late, HALF_AN_HOUR) == NOW
    assert broadcasts.missed_start(draft, late, None) is None
    assert not broadcasts.start(session, draft.id, late, ask_after=HALF_AN_HOUR)
    assert draft.state is S.SCHEDULED
    broadcasts.confirm_start(session, draft.id, late)
    assert broadcasts.missed_start(draft, late, HALF_AN_HOUR) is None
    even_later = late + timedelta(minutes=31)
    assert broadcasts.missed_start(draft, even_later, HALF_AN_HOUR) == late
    assert not broadcasts.start(session, draft.id, even_later, ask_after=HALF_AN_HOUR)
    assert broadcasts.start(session, draft.id, late + HALF_AN_HOUR, ask_after=HALF_AN_HOUR)


def test_a_start_at_a_time_counts_from_that_time(session: Session, draft):
    broadcasts.edit(session, draft.id, None, {"start_wall": "2026-11-23T10:00", "time_zone": "UTC"}, NOW)
    broadcasts.schedule(session, draft.id, None, NOW)
    at_ten = draft.starts_at
    assert at_ten is not None
    assert not broadcasts.start(session, draft.id, at_ten + timedelta(minutes=31), ask_after=HALF_AN_HOUR)
    with pytest.raises(Conflict, match="another time"):
        broadcasts.confirm_start(session, draft.id, at_ten - timedelta(minutes=1))
    assert broadcasts.start(session, draft.id, at_ten + timedelta(days=9))


def test_what_is_taken_off_the_calendar_forgets_that_a_start_was_confirmed(session: Session, draft):
    broadcasts.schedule(session, draft.id, None, NOW)
    broadcasts.confirm_start(session, draft.id, NOW + timedelta(hours=1))
    broadcasts.unschedule(session, draft.id, None, NOW + timedelta(hours=1))
    assert draft.start_confirmed_at is None
    with pytest.raises(Conflict, match="is draft by now"):
        broadcasts.confirm_start(session, draft.id, NOW + timedelta(hours=1))


def test_pause_and_resume_remember_why_and_do_nothing_twice(session: Session):
    broadcast = engine.sending_broadcast(session)
    broadcasts.pause(session, broadcast.id, "lunch", NOW)
    broadcasts.pause(session, broadcast.id, "dinner", NOW)
    assert (broadcast.state, broadcast.pause_reason, broadcast.paused_at) == (S.PAUSED, "lunch", NOW)
    broadcasts.resume(session, broadcast.id, NOW)
    broadcasts.resume(session, broadcast.id, NOW)
    assert (broadcast.state, broadcast.pause_reason, broadcast.paused_at) == (S.SENDING, None, None)


def test_what_is_not_sending_can_be_neither_paused_nor_resumed(session: Session, draft):
    for call in (
        lambda: broadcasts.pause(session, draft.id, None, NOW),
        lambda: broadcasts.resume(session, draft.id, NOW),
    ):
        with pytest.raises(Conflict, match="draft"):
            call()


def test_a_cancel_is_for_good_and_harmless_twice(session: Session, draft):
    broadcasts.cancel(session, draft.id, NOW)
    assert broadcasts.cancel(session, draft.id, NOW).state is S.CANCELLED
    with pytest.raises(Conflict):
        broadcasts.schedule(session, draft.id, None, NOW)


def test_it_is_finished_only_when_the_rows_add_up_and_none_is_open(session: Session):
    broadcast = engine.sending_broadcast(session, mails=0)
    for _ in range(2):
        factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED)
    broadcast.frozen_count = 3
    session.flush()
    with pytest.raises(AssertionError, match="add up"):
        broadcasts.finish_if_done(session, broadcast.id, NOW)
    waiting = factories.delivery(session, broadcast)
    assert broadcasts.finish_if_done(session, broadcast.id, NOW) is S.SENDING
    assert waiting.state is DeliveryState.PENDING
    with pytest.raises(Conflict, match="finished"):
        broadcast.state = S.FINISHED
        session.flush()
        broadcasts.cancel(session, broadcast.id, NOW)


def test_an_audience_of_nobody_is_finished_at_once(session: Session):
    broadcast = engine.sending_broadcast(session, mails=0)
    assert broadcasts.finish_if_done(session, broadcast.id, NOW) is S.FINISHED


def test_when_only_uncertain_rows_are_left_it_needs_attention(session: Session):
    broadcast = engine.sending_broadcast(session, mails=0)
    factories.delivery(session, broadcast, state=DeliveryState.UNCERTAIN)
    broadcast.frozen_count = 1
    session.flush()
    assert broadcasts.finish_if_done(session, broadcast.id, NOW) is S.NEEDS_ATTENTION
    assert broadcasts.finish_if_done(session, broadcast.id, NOW) is S.NEEDS_ATTENTION


def test_a_duplicate_has_the_same_content_audience_pace_and_picks_but_starts_afresh(session: Session, draft):
    chosen = factories.client(session)
    broadcasts.edit(
        session,
        draft.id,
        None,
        {"name": "Autumn", "audience_filter": {"countries": ["DE"]}, "batch_size": 7, "text": "Hi"},
        NOW,
    )
    audience.pick(session, draft.id, chosen.id, PickKind.ADDED)
    broadcasts.cancel(session, draft.id, NOW)
    copy = broadcasts.duplicate(session, draft.id, None, NOW)
    assert broadcasts.duplicate(session, copy.id, None, NOW).name == "Autumn (copy 2)", "each has a name of its own"
    assert (copy.name, copy.state, copy.batch_size, copy.version) == ("Autumn (copy)", S.DRAFT, 7, 1)
    assert copy.audience_filter == {"countries": ["DE"]} and copy.secret != draft.secret
    assert (copy.content.subject, copy.content.text) == ("News", "Hi")
    assert [pick.client_id for pick in session.scalars(select(Pick).where(Pick.broadcast_id == copy.id))] == [chosen.id]


def test_a_draft_can_be_deleted_with_all_that_belongs_to_it(session: Session, draft):
    audience.pick(session, draft.id, factories.client(session).id, PickKind.LEFT_OUT)
    key = draft.id
    broadcasts.delete_draft(session, key)
    session.commit()
    with pytest.raises(NotFound):
        broadcasts.get(session, key)
    assert session.scalars(select(Content)).all() == [] and session.scalars(select(Pick)).all() == []
