"""A database from before the preflight keeps its drafts and tests, and goes back to what it was."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from tests import engine, factories
from webapp.core.tables.trial_sends import TestSend

TABLES = {"preflight_tick", "step_save", "draft_visit"}


def test_drafts_and_tests_stay(app: Flask, session: Session):
    draft = factories.broadcast(session, text="By hand")
    session.add(
        TestSend(broadcast_id=draft.id, broadcast_name="x", user_email="u", sender="s", address="a", sent_at=engine.NOW)
    )
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision="0021")
        assert not TABLES & set(inspect(engine.engine_of(app)).get_table_names())
        assert session.execute(text("SELECT text FROM content")).scalar() == "By hand"
        session.rollback()
        flask_migrate.upgrade()
    session.expire_all()
    assert set(inspect(engine.engine_of(app)).get_table_names()) >= TABLES
    assert (draft.content.text, draft.content.text_for) == ("By hand", None)
    assert [row.variant for row in session.query(TestSend)] == [""]
