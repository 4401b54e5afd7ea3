"""Big databases, filled once in a run and shared by the benchmarks that need one; they go when the process ends."""

import atexit
import sqlite3
import tempfile
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import flask_migrate
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import postgres
from tests.benchmarks.audience_data import fill
from tests.databases import make_app
from webapp.demo import children
from webapp.extensions import db

KINDS = ("SQLite", "PostgreSQL")
_WRITTEN = ("attempt", "delivery", "tally", "minute_count", "pace_use")
_stack = ExitStack()
atexit.register(_stack.close)


@cache
def filled(kind: str, clients: int) -> Flask:
    """The app on a database of `kind` with so many clients and twice as many services, as durable as it is deployed."""
    folder = Path(_stack.enter_context(tempfile.TemporaryDirectory(prefix="mm-")))
    folder.chmod(0o711)
    url = f"sqlite:///{folder / 'big.sqlite3'}"
    if kind == "PostgreSQL":
        (folder / "pg").mkdir()
        _stack.callback(children.stop, postgres.start(folder / "pg", durable=True))
        url = postgres.url(folder / "pg", "postgres")
    app = make_app(url, folder)
    with app.app_context():
        flask_migrate.upgrade()
        engine = db.engine
    _stack.callback(engine.dispose)
    with Session(engine) as session:
        fill(session, clients)
    settle(app)
    return app


def settle(app: Flask) -> None:
    """What the database would do at leisure, so that it does not fall into a measurement."""
    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))
        else:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def forget(app: Flask) -> None:
    """Empty the ledger, at once and past all checks."""
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {', '.join(_WRITTEN)}"))
    else:
        engine.dispose()
        # A plain connection checks no foreign keys, and then SQLite drops a table's rows in one go.
        with closing(sqlite3.connect(engine.url.database or "")) as plain:
            for table in _WRITTEN:
                plain.execute(f"DELETE FROM {table}")
            plain.commit()
    settle(app)
