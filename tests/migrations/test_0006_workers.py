"""The table of workers comes to a database in use, and goes again, and neither touches what is there."""

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from tests import engine, factories
from webapp.core import workers
from webapp.core.tables import Base
from webapp.core.workers import Identity
from webapp.extensions import db


def contents(session: Session) -> dict[str, list[tuple]]:
    """All rows of all tables but the new one, and the triggers that guard them."""
    session.rollback()
    connection = session.connection()
    names = set(inspect(connection).get_table_names()) & set(Base.metadata.tables) - {"worker"}
    rows = {name: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {name}"))), key=str) for name in names}
    kept = "sqlite_master WHERE type = 'trigger'" if connection.dialect.name == "sqlite" else "pg_trigger"
    rows["triggers"] = [tuple(connection.execute(text(f"SELECT count(*) FROM {kept}")).one())]
    session.rollback()
    return rows


@pytest.mark.parametrize("before", ["0004"])
def test_a_filled_database_keeps_what_it_has(app: Flask, session: Session, before: str):
    broadcast = engine.sending_broadcast(session, 5)
    factories.user(session)
    session.commit()
    filled = contents(session)
    assert len(filled["delivery"]) == 5 and broadcast.id
    with app.app_context():
        flask_migrate.downgrade(revision=before)
        db.engine.dispose()  # a connection of SQLite may remember tables that are gone
    session.invalidate()
    assert not inspect(session.connection()).has_table("worker")
    assert contents(session) == filled
    with app.app_context():
        flask_migrate.upgrade()
    assert contents(session) == filled
    workers.seen(session, Identity("a", "mail1", 1, "1.0", ("massmail",)), workers.WAITS, factories.NOW)
    assert len(workers.listing(session, factories.NOW)) == 1
