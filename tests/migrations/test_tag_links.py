"""A database in use gets the table of links from a pattern, and loses it again."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.factories import NOW
from webapp.core.settings import tag_links


def test_links_can_be_made_after_the_way_there_and_back(app: Flask, session: Session):
    factories.broadcast(session)
    tag_links.add(session, "portal_url", "Your account", "https://p.example/{{ client_id }}", NOW)
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision="0030")
        assert "tag_link" not in inspect(engine.engine_of(app)).get_table_names()
        flask_migrate.upgrade()
    session.expire_all()
    assert tag_links.listing(session) == []
    tag_links.add(session, "portal_url", "Your account", "https://p.example/{{ client_id }}", NOW)
    session.commit()
