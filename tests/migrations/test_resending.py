"""Databases made before failed mails could be sent again get the same tables and triggers as new ones, and keep what they hold."""

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState

MINE = "0008"


def schema(session: Session) -> set[tuple[str, ...]]:
    """Everything the database knows of its tables and triggers, but in which order a table has its columns."""
    if session.get_bind().dialect.name == "sqlite":
        queries = [
            "SELECT name, sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL",
            'SELECT m.name, c.name, c.type, c."notnull", c.dflt_value FROM sqlite_master m, pragma_table_info(m.name) c '
            "WHERE m.type = 'table'",
        ]
    else:
        queries = [
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
            "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint",
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
            "WHERE table_schema = 'public'",
        ]
    found = {tuple(map(str, row)) for query in queries for row in session.execute(text(query))}
    session.rollback()
    return found


def before(app: Flask) -> None:
    """The database as it was before, with what it holds."""
    with app.app_context():
        script = ScriptDirectory(str(app.extensions["migrate"].directory))
        flask_migrate.downgrade(revision=str(script.get_revision(MINE).down_revision))


def test_an_older_database_becomes_the_same_as_a_new_one_and_keeps_its_rows(app: Flask, session: Session):
    new = schema(session)
    broadcast = factories.broadcast(session, state=BroadcastState.FINISHED)
    factories.delivery(session, broadcast, state=DeliveryState.FAILED, reason="policy")
    session.commit()
    rows = text("SELECT b.state, d.state, d.reason FROM broadcast b JOIN delivery d ON d.broadcast_id = b.id")
    held = session.execute(rows).all()
    session.rollback()
    before(app)
    assert schema(session) != new
    reopen = text("UPDATE broadcast SET state = 'sending'")
    with pytest.raises(DBAPIError, match="illegal"):
        session.execute(reopen)
    session.rollback()
    with app.app_context():
        flask_migrate.upgrade()
    assert schema(session) == new
    assert session.execute(rows).all() == held
    session.execute(reopen)
