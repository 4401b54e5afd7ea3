"""A database in use gets the tables of pictures and attachments, and loses them again."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.core.media.test_library import document, picture
from webapp.core.media import attachments, library

TABLES = {"media_file", "media_bytes", "attachment", "own_files", "own_file"}


def test_mails_carry_files_after_the_way_there_and_back(app: Flask, session: Session):
    content_id = factories.broadcast(session).content.id
    picture(session)
    document(session, content_id)
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision="0024")
        assert not TABLES & set(inspect(engine.engine_of(app)).get_table_names())
        flask_migrate.upgrade()
    session.expire_all()
    assert library.listing(session) == ([], 0)
    document(session, content_id)
    session.commit()
    assert [one.name for one in attachments.listing(session, content_id)] == ["terms.txt"]
