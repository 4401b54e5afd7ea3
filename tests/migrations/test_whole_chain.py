"""A database in use goes back to the fourth migration and forward again: what it held then it holds now, and it is made as a new one."""

from datetime import timedelta

import flask_migrate
from flask import Flask
from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.migrations.test_resending import schema
from webapp.core.rules.lifecycle import BroadcastState as B
from webapp.core.rules.lifecycle import DeliveryState as D
from webapp.core.rules.limits import Limits
from webapp.core.settings import limits
from webapp.extensions import db

BEFORE = "0004"
NO_SCHEMA_OF_OURS = {"alembic_version"}


def columns(connection: Connection) -> dict[str, list[str]]:
    """The tables and their columns."""
    seen = inspect(connection)
    names = set(seen.get_table_names()) - NO_SCHEMA_OF_OURS
    return {name: sorted(column["name"] for column in seen.get_columns(name)) for name in names}


def values(session: Session, of: dict[str, list[str]]) -> dict[str, list[str]]:
    """What stands in these columns, row by row."""
    session.invalidate()  # a connection of SQLite may remember tables as they were
    found = {
        name: sorted(str(tuple(row)) for row in session.execute(text(f"SELECT {', '.join(which)} FROM {name}")))
        for name, which in of.items()
    }
    session.rollback()
    return found


def fill(session: Session) -> None:
    """Something of all that people care for."""
    factories.user(session)
    client = factories.client(session)
    service = factories.service(session, client, factories.product(session))
    factories.addon_assignment(session, service, factories.addon(session))
    limits.save(session, Limits(per_second=7, waits_for=timedelta(hours=3)))
    for state in B:
        factories.delivery(session, factories.broadcast(session, state=state))
    busy = factories.broadcast(session, state=B.PAUSED)
    for kind in D:
        factories.delivery(session, busy, state=kind)
    engine.sending_broadcast(session, 3)
    session.commit()


def test_what_a_database_holds_survives_the_way_back_and_forth(app: Flask, session: Session):
    new = schema(session)
    fill(session)
    with app.app_context():
        flask_migrate.downgrade(revision=BEFORE)
        db.engine.dispose()
        session.invalidate()
        then = columns(session.connection())
        session.rollback()
        assert "relay" not in then and "wait_minutes" not in then["sending_limits"]
        held = values(session, then)
        assert len(held["broadcast"]) == len(B) + 2 and len(held["delivery"]) > len(B) + len(D)
        session.invalidate()
        flask_migrate.upgrade()
        db.engine.dispose()
    assert values(session, then) == held
    assert schema(session) == new
