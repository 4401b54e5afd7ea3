"""How a broadcast begins: chunk by chunk, told in the log, and interrupted between two chunks."""

from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.spoken import spoken
from webapp.core import broadcasts, sending
from webapp.core.sending.beginning import LARGEST_CHUNK, SMALLEST_CHUNK, Begun, next_chunk
from webapp.core.tables.broadcasts import Broadcast


@pytest.fixture
def where(app: Flask) -> Engine:
    return engine.engine_of(app)


def scheduled(session: Session, mails: int) -> Broadcast:
    for _ in range(mails):
        factories.client(session)
    broadcast = factories.broadcast(session)
    broadcasts.schedule(session, broadcast.id, None, engine.NOW)
    session.commit()
    return broadcast


def test_chunks_of_a_freeze_become_smaller_where_they_take_long_and_larger_again():
    assert next_chunk(10_000, 0.1) == 5_000
    assert next_chunk(2_000, 0.025) == 4_000 and next_chunk(2_000, 0.001) == 4_000
    assert next_chunk(1_200, 60) == SMALLEST_CHUNK and next_chunk(LARGEST_CHUNK, 0) == LARGEST_CHUNK


def test_all_chunks_but_the_first_are_written_in_haste_and_the_last_takes_time(where: Engine, session: Session):
    broadcast = scheduled(session, mails=5)
    done: list[str] = []

    @contextmanager
    def in_haste():
        done.append("haste begins")
        yield lambda _session: done.append("hasty")
        done.append("haste is over")

    given = engine.runtime(where, in_haste=in_haste, take_time=lambda _session: done.append("takes time"))
    assert sending.begin(given, broadcast.id, ask_after=None, first_chunk=2) == Begun(True)
    assert done == ["haste begins", "hasty", "takes time", "haste is over"]
    assert engine.states(session, broadcast) == {"pending": 5}


def test_a_process_that_is_asked_to_end_leaves_the_rest_of_the_freeze_to_the_next_look(where: Engine, session: Session):
    broadcast = scheduled(session, mails=5)
    with spoken() as heard:
        stopped = sending.begin(
            engine.runtime(where, must_stop=lambda: True), broadcast.id, ask_after=None, first_chunk=2
        )
        assert stopped == Begun(False) and engine.states(session, broadcast) == {"pending": 2}
        assert sending.begin(engine.runtime(where), broadcast.id, ask_after=None, first_chunk=2) == Begun(True)
    assert engine.states(session, broadcast) == {"pending": 5}
    assert [one["event"] for one in heard.events()] == ["freeze_begun", "freeze_stopped", "freeze_begun", "freeze_done"]


def test_a_freeze_is_told_when_it_begins_and_is_done_and_once(where: Engine, session: Session):
    broadcast = scheduled(session, mails=3)
    with spoken() as heard:
        for _ in range(2):
            assert sending.begin(engine.runtime(where), broadcast.id, ask_after=None).is_ready
    begun, done = heard.events()
    assert (begun["event"], begun["broadcast"]) == ("freeze_begun", broadcast.id)
    assert (done["event"], done["broadcast"], done["frozen"]) == ("freeze_done", broadcast.id, 3)


def test_a_group_is_large_enough_for_two_mails_on_each_connection():
    assert sending.SenderSettings.for_connections(10).group == sending.SenderSettings().group
    assert sending.SenderSettings.for_connections(500).group == 1000
