"""Two people, two tabs or eight workers at the same instant: on both databases it happens once."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.factories import NOW
from webapp.adapters import database
from webapp.core import broadcasts, ledger
from webapp.core.errors import DomainError
from webapp.core.rules.lifecycle import BroadcastState

MANY = 8


def at_once(engine: Engine, call: Callable[[Session], object]) -> list[object]:
    """What `call` gave in so many threads that begin together, each in a transaction of its own; a refusal is a result, too."""
    barrier = threading.Barrier(MANY)
    results: list[object] = []

    def run() -> None:
        with Session(engine) as session:
            barrier.wait()
            database.will_write(session)
            try:
                results.append(call(session))
                session.commit()
            except DomainError as error:
                results.append(error)

    threads = [threading.Thread(target=run) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def scheduled(session: Session) -> int:
    for _ in range(20):
        factories.client(session)
    broadcast = factories.broadcast(session, batch_size=0, interval_s=0)
    broadcasts.schedule(session, broadcast.id, None, NOW)
    session.commit()
    return broadcast.id


def test_of_many_editors_one_wins_and_the_others_are_told(app: Flask, session: Session):
    draft = factories.broadcast(session)
    key = draft.id
    session.commit()
    results = at_once(
        engine.engine_of(app), lambda s: broadcasts.edit(s, key, 1, {"name": threading.current_thread().name}, NOW)
    )
    assert sum(not isinstance(result, DomainError) for result in results) == 1
    session.refresh(draft)
    assert draft.version == 2


def test_eight_schedulers_at_the_same_instant_start_it_once_and_freeze_it_once(
    app: Flask, session: Session, scheduled: int
):
    where = engine.engine_of(app)
    assert at_once(where, lambda s: broadcasts.start(s, scheduled, NOW)).count(True) == 1
    while not all(at_once(where, lambda s: ledger.freeze_chunk(s, scheduled, NOW, chunk=3))):
        pass
    assert engine.states(session, scheduled) == engine.tallied(session, scheduled) == {"pending": 20}
    assert broadcasts.get(session, scheduled).frozen_count == 20


def test_pressing_eight_times_at_once_schedules_once(app: Flask, session: Session):
    draft = factories.broadcast(session)
    key = draft.id
    session.commit()
    results = at_once(engine.engine_of(app), lambda s: broadcasts.schedule(s, key, 1, NOW).state)
    assert results == [BroadcastState.SCHEDULED] * MANY
