"""A database from before texts in several languages: each broadcast has one text for all, and goes on as it was."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from tests import engine, factories
from webapp.core import audience
from webapp.core.broadcasts import languages
from webapp.core.rules.languages import WithoutText
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db


def test_what_was_made_before_has_one_text_for_all(app: Flask, session: Session):
    sending_id = engine.sending_broadcast(session).id
    draft = factories.broadcast(session)
    languages.add(session, draft.id, "de", engine.NOW)
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision="0026")
        db.engine.dispose()
        session.invalidate()
        columns = {column["name"] for column in inspect(session.connection()).get_columns("delivery")}
        assert "language" not in columns
        assert session.execute(text("SELECT count(*) FROM delivery")).scalar() == 3
        session.invalidate()
        flask_migrate.upgrade()
        db.engine.dispose()
    session.expire_all()
    for row in session.query(Broadcast):
        assert (row.main_language, row.other_languages, row.without_text) == ("", "", WithoutText.STOP)
        assert audience.audience_of(row).texts is None
    assert [row.language for row in engine.rows(session, sending_id)] == [None] * 3
