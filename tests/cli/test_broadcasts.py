"""`flask broadcasts`: hold, held and release, as an operator calls them."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import engine
from webapp.adapters import clock
from webapp.adapters.pulse import Pulse, is_held
from webapp.core import ledger
from webapp.core.settings import installation
from webapp.core.tables.installation import Installation


@pytest.fixture
def flask(app: Flask, redis_url: str):
    """Call `flask broadcasts …`; its result."""
    app.config["REDIS_URL"] = redis_url
    return lambda *words: app.test_cli_runner().invoke(args=["broadcasts", *words])


def held(session: Session) -> installation.Hold | None:
    session.rollback()
    session.expire_all()
    return installation.hold_of(session)


def test_everything_is_held_with_words_and_released(flask, session: Session):
    broadcast = engine.sending_broadcast(session, mails=2, name="Spring offer")
    result = flask("hold", "--all", "--reason", "We move.")
    assert result.exit_code == 0 and "No sending process is left." in result.output
    assert held(session).reason == "We move."
    assert (
        "We move." in flask("held").output
        and f"  {broadcast.id}\tsending\t2 waiting\tSpring offer" in flask("held").output
    )
    assert "1 mass mail goes on" in flask("release", "--all").output
    assert held(session) is None and "Nothing is held." in flask("held").output
    assert "Nothing is held." in flask("release", "--all").output


def test_what_is_meant_has_to_be_said(flask, session: Session):
    assert flask("hold").exit_code == 2 and flask("release").exit_code == 2
    assert flask("release", "--all", "3").exit_code == 2
    assert held(session) is None


def test_a_process_that_does_not_end_is_told(flask, session: Session):
    broadcast = engine.sending_broadcast(session, mails=1)
    ledger.open_lease(session, broadcast.id, host="h", pid=1, journal="j", reading=clock.reading())
    session.commit()
    result = flask("hold", "--all", "--wait", "0.1")
    assert result.exit_code == 1 and "1 sending process has not ended yet" in result.output
    assert "1 sending process has not ended yet" in flask("held").output


def test_a_restored_database_is_described_and_released_one_by_one(flask, app: Flask, session: Session):
    broadcast = engine.sending_broadcast(session, mails=1)
    with app.app_context():
        from jobs.runtime import markers

        marks = markers(app)
    with Pulse(session.get_bind(), marks, broadcast.id):
        pass
    session.rollback()
    session.get_one(Installation, 1).generation = 0
    session.commit()
    assert is_held(session.get_bind(), marks, broadcast.id)
    assert "restored from a back-up" in flask("held").output
    assert "does not exist" in flask("release", "99").output
    assert "1 mass mail goes on" in flask("release", str(broadcast.id)).output
    assert f"{broadcast.id}\treleased" in flask("held").output
    assert not is_held(session.get_bind(), marks, broadcast.id) and is_held(session.get_bind(), marks, 99)
    flask("release", "--all")
    assert held(session) is None
    assert not is_held(session.get_bind(), marks, 99)
