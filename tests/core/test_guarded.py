"""Guarded changes: what the guard lets through, is counted, and who was late is told."""

from datetime import timedelta

from sqlalchemy import Update, delete, select, update
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import guarded
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast


def paced(broadcast: Broadcast, batch_size: int, version: int) -> Update:
    guard = Broadcast.id == broadcast.id, Broadcast.version == version
    return update(Broadcast).where(*guard).values(batch_size=batch_size, version=version + 1)


def test_of_two_who_saw_the_same_one_changes_it(session: Session):
    broadcast = factories.broadcast(session)
    seen = broadcast.version
    assert guarded.change_one(session, paced(broadcast, 7, seen))
    assert not guarded.change_one(session, paced(broadcast, 8, seen))
    session.refresh(broadcast)
    assert (broadcast.batch_size, broadcast.version) == (7, seen + 1)


def test_an_object_at_hand_keeps_what_was_loaded_unless_it_is_to_follow(session: Session):
    broadcast = factories.broadcast(session)
    before, seen = broadcast.batch_size, broadcast.version
    assert guarded.change_one(session, paced(broadcast, before + 1, seen))
    assert broadcast.batch_size == before
    assert guarded.change_one(session, paced(broadcast, before + 2, seen + 1), synchronize="fetch")
    assert broadcast.batch_size == before + 2


def test_it_counts_the_rows_for_which_the_guard_held(session: Session):
    three = [factories.broadcast(session) for _ in range(3)]
    late = NOW + timedelta(days=1)
    some = Broadcast.id.in_([broadcast.id for broadcast in three[:2]])
    assert guarded.change(session, update(Broadcast).where(some).values(updated_at=late)) == 2
    gone = delete(Broadcast).where(some, Broadcast.state == BroadcastState.FINISHED)
    assert guarded.change(session, gone, synchronize="auto") == 0
    left = session.scalars(select(Broadcast.updated_at).order_by(Broadcast.id)).all()
    assert [at == late for at in left] == [True, True, False]
