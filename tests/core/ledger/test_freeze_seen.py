"""What holds at every look while recipients are collected, as `ledger/freeze.py` says it; and that a look would show if it did not."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import BEFORE
from tests.faults.sampler import Sampler
from webapp.core import broadcasts, ledger

CLIENTS, CHUNK = 7, 2
Change = Callable[[Session, int], object]


def collecting(session: Session) -> int:
    """A broadcast of which one chunk is frozen; one of its clients has no address."""
    for number in range(CLIENTS):
        factories.client(session, **({"email": None} if number == 1 else {}))
    key = factories.broadcast(session).id
    broadcasts.schedule(session, key, None, BEFORE)
    broadcasts.start(session, key, BEFORE)
    ledger.freeze_chunk(session, key, BEFORE, chunk=CHUNK)
    session.commit()
    return key


def test_at_every_look_during_a_freeze_that_is_paused_and_resumed_it_adds_up(app: Flask, session: Session):
    sampler = Sampler(engine.engine_of(app))
    sampler.look()
    key = collecting(session)
    sampler.look()
    for change in (
        lambda: broadcasts.pause(session, key, "lunch", BEFORE),
        lambda: broadcasts.resume(session, key, BEFORE),
    ):
        change()
        session.commit()
        sampler.look()
    is_complete = False
    while not is_complete:
        is_complete = ledger.freeze_chunk(session, key, BEFORE, chunk=CHUNK)
        session.commit()
        sampler.look()
    assert sampler.wrong == []
    assert sampler.while_collecting == 5 and engine.states(session, key) == {"pending": 6, "skipped": 1}


def test_a_freeze_that_is_cancelled_never_gets_a_number(app: Flask, session: Session):
    sampler = Sampler(engine.engine_of(app))
    key = collecting(session)
    sampler.look()
    broadcasts.cancel(session, key, BEFORE)
    session.commit()
    sampler.look()
    ledger.cancel_waiting(session, key, BEFORE)
    session.commit()
    sampler.look()
    assert not ledger.freeze_chunk(session, key, BEFORE)
    assert sampler.wrong == [] and engine.states(session, key) == {"cancelled": 1, "skipped": 1}


WRONG: dict[str, str] = {
    "UPDATE broadcast SET frozen_count = 2": "2 are said to be frozen",
    "UPDATE broadcast SET frozen_count = 3, frozen_at = started_at": "2 in the tally, 3 frozen",
    "UPDATE tally SET count = 0": "0 in the tally after 2",
    "UPDATE tally SET state = 'accepted' WHERE state = 'pending'": "rows that are accepted while",
    "UPDATE tally SET count = count + 1": "rows {",
    "UPDATE broadcast SET started_at = NULL": "before its start",
}


@pytest.mark.parametrize("change", WRONG)
def test_what_does_not_hold_is_seen(app: Flask, session: Session, change: str):
    sampler = Sampler(engine.engine_of(app))
    collecting(session)
    sampler.look()
    session.execute(text(change))
    session.commit()
    sampler.look()
    assert any(WRONG[change] in words for words in sampler.wrong), sampler.wrong
