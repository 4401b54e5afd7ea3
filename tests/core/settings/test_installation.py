"""An older copy of a database is told from all else that may have happened, and held; its release says what nobody can know."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import TAKEN, Clocks
from webapp.core import broadcasts, ledger
from webapp.core.errors import Conflict
from webapp.core.ports import JournalFinding
from webapp.core.sending import releasing
from webapp.core.settings import installation
from webapp.core.settings.installation import HighWaterMark
from webapp.core.tables.installation import HoldKind, Installation

NOW = engine.NOW
NOWHERE = JournalFinding(is_here=False)


def beat(session: Session, count: int = 1) -> HighWaterMark:
    for _ in range(count):
        mark = installation.sign_of_life(session, NOW)
        session.commit()
    return mark


def restored(session: Session, ahead: int = 3) -> HighWaterMark:
    """Make the database older than its markers, and have that noticed; the newest marker. Commits."""
    known = beat(session)
    mark = HighWaterMark(known.database_id, known.generation + ahead, NOW + timedelta(minutes=40))
    assert installation.notice(session, [mark], NOW)
    session.commit()
    return mark


def release(session: Session, ids=None, marks=(), reading=None, find=lambda name: NOWHERE):
    mark = releasing.release(session, ids, marks, "Uma", reading or Clocks().reading(), find)
    session.commit()
    return mark


def test_each_sign_of_life_counts(session: Session):
    first, second = beat(session), beat(session)
    assert second.generation == first.generation + 1 and second.database_id == first.database_id and second.at == NOW


def test_a_marker_that_is_ahead_holds_everything_once(session: Session):
    mark = restored(session)
    hold = installation.hold_of(session)
    assert hold and hold.is_restored and hold.known_until == NOW and hold.sent_until == mark.at
    assert installation.is_held(session, 1)
    assert not installation.is_behind(session, [mark]) and not installation.notice(session, [mark], NOW)


@pytest.mark.parametrize(
    "markers",
    [
        lambda own: [],
        lambda own: [own],
        lambda own: [
            HighWaterMark(own.database_id, own.generation - 2, NOW),
            own,
            HighWaterMark(own.database_id, 0, None),
        ],
        lambda own: [HighWaterMark("another database", own.generation + 9, NOW)],
    ],
    ids=["all lost", "up to date", "of different age", "of another database"],
)
def test_no_false_alarm(session: Session, markers):
    marks = markers(beat(session, 5))
    assert not installation.is_behind(session, marks) and not installation.notice(session, marks, NOW)
    assert installation.hold_of(session) is None


def test_a_sign_of_life_that_was_not_committed_leaves_the_database_where_it_was(session: Session):
    before = beat(session)
    installation.sign_of_life(session, NOW)
    session.rollback()
    assert not installation.is_behind(session, [before])
    assert beat(session).generation == before.generation + 1


def test_the_release_goes_beyond_every_marker_so_that_it_holds_no_more(session: Session):
    mark = restored(session)
    newer = HighWaterMark(mark.database_id, mark.generation + 10, NOW)
    written = release(session, marks=[newer])
    assert written and written.generation == newer.generation + 1
    assert installation.hold_of(session) is None
    assert not installation.is_behind(session, [mark, newer, written])
    assert beat(session).generation == written.generation + 1
    assert release(session) is None


def test_one_broadcast_is_released_and_the_others_are_not(session: Session):
    restored(session)
    release(session, [7])
    assert not installation.is_held(session, 7) and installation.is_held(session, 8)
    release(session, [8])
    assert not installation.is_held(session, 7) and not installation.is_held(session, 8)


def test_a_second_restore_holds_again_what_was_released(session: Session):
    mark = restored(session)
    release(session, [7])
    assert installation.notice(session, [HighWaterMark(mark.database_id, mark.generation + 50, NOW)], NOW)
    assert installation.is_held(session, 7)


def test_who_holds_by_hand_says_why_and_takes_nothing_from_a_restored_one(session: Session):
    installation.hold(session, "Uma", "We move.", NOW)
    hold = installation.hold_of(session)
    assert hold and (hold.kind, hold.by, hold.reason) == (HoldKind.BY_HAND, "Uma", "We move.")
    mark = restored(session)
    installation.hold(session, "Uma", "Once more.", NOW)
    assert installation.hold_of(session).is_restored
    release(session, marks=[mark])
    assert installation.hold_of(session) is None


def claimed(session: Session, clocks: Clocks, mails: int = 3):
    broadcast = engine.sending_broadcast(session, mails=mails)
    lease = engine.lease_for(session, broadcast, clocks, journal="a.journal")
    found = ledger.claim(session, lease, mails, lambda holders: [["x"]] * len(holders), clocks.reading()).mails
    session.commit()
    return broadcast, found


def test_what_a_restored_database_had_in_hand_is_uncertain_but_for_what_a_journal_knows(session: Session):
    clocks = Clocks()
    broadcast, [first, *_] = claimed(session, clocks)
    restored(session)
    clocks.pass_(60)
    finding = JournalFinding(is_here=True, boot="this-boot", replies={(first.delivery_id, 1): TAKEN})
    release(session, reading=clocks.reading(), find=lambda name: finding)
    assert engine.states(session, broadcast) == {"accepted": 1, "uncertain": 2} == engine.tallied(session, broadcast)


def test_the_release_waits_for_senders_that_are_just_ending(session: Session):
    clocks = Clocks()
    broadcast, _ = claimed(session, clocks)
    restored(session)
    with pytest.raises(Conflict, match="20 seconds"):
        release(session, reading=clocks.reading())
    session.rollback()
    assert engine.states(session, broadcast) == {"claimed": 3}


def test_nothing_is_settled_when_it_was_held_by_hand(session: Session):
    clocks = Clocks()
    broadcast, _ = claimed(session, clocks)
    installation.hold(session, "Uma", "", NOW)
    session.commit()
    release(session, reading=clocks.reading())
    assert engine.states(session, broadcast) == {"claimed": 3}


def test_broadcasts_that_were_open_remember_that_mails_may_have_gone_twice(session: Session):
    was_open = engine.sending_broadcast(session, mails=1, now=NOW - timedelta(hours=2))
    over = engine.sending_broadcast(session, mails=1, now=NOW - timedelta(hours=2))
    broadcasts.cancel(session, over.id, NOW - timedelta(hours=1))
    mark = restored(session)
    release(session)
    later = engine.sending_broadcast(session, mails=1, now=NOW + timedelta(hours=1))
    [restore] = installation.restores_of(session, was_open)
    assert (restore.known_until, restore.sent_until) == (NOW, mark.at)
    assert installation.restores_of(session, over) == installation.restores_of(session, later) == []
    assert installation.restores_of(session, factories.broadcast(session)) == []


def test_only_what_would_leave_by_itself_is_listed(session: Session):
    sending = engine.sending_broadcast(session, mails=1)
    paused = engine.sending_broadcast(session, mails=1)
    broadcasts.pause(session, paused.id, None, NOW)
    factories.broadcast(session)
    assert [broadcast.id for broadcast in installation.would_send(session)] == [sending.id]


def test_the_row_is_there_from_the_beginning(session: Session):
    row = session.get_one(Installation, 1)
    assert len(row.database_id) == 32 and row.generation == 0
