"""A database from before missed starts were asked about keeps what is on its calendar."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from tests import engine, factories
from webapp.core import broadcasts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast


def test_what_is_scheduled_and_sent_stays_and_can_be_confirmed(app: Flask, session: Session):
    sending = engine.sending_broadcast(session)
    scheduled = factories.broadcast(session)
    broadcasts.schedule(session, scheduled.id, None, engine.BEFORE)
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision="0004")
        columns = {column["name"] for column in inspect(engine.engine_of(app)).get_columns("broadcast")}
        assert "start_confirmed_at" not in columns
        assert session.execute(text("SELECT count(*) FROM broadcast")).scalar() == 2
        session.rollback()
        flask_migrate.upgrade()
    session.expire_all()
    found = {row.id: row.state for row in session.query(Broadcast)}
    assert found == {sending.id: BroadcastState.SENDING, scheduled.id: BroadcastState.SCHEDULED}
    assert engine.states(session, sending) == {"pending": 3}
    broadcasts.confirm_start(session, scheduled.id, engine.NOW)
    assert broadcasts.start(session, scheduled.id, engine.NOW)
