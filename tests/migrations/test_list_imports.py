"""A database in use gets the tables of imports of suppressions, and loses them again; suppressions stay as they are."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from tests import engine
from tests.factories import NOW
from webapp.core.consent import list_runs, suppressions
from webapp.core.rules.consent import SuppressionKind

TABLES = {"list_import", "list_report"}


def test_suppressions_outlive_the_way_there_and_back(app: Flask, session: Session):
    suppressions.suppress(session, "ada@example.com", SuppressionKind.IMPORTED, NOW)
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision="0023")
        assert not TABLES & set(inspect(engine.engine_of(app)).get_table_names())
        flask_migrate.upgrade()
        assert set(inspect(engine.engine_of(app)).get_table_names()) >= TABLES
    assert list_runs.listing(session) == []
    assert len(suppressions.holding(session, ["ada@example.com"])) == 1
