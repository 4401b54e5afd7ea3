"""Fixtures: the app and a session on a fresh, migrated database of its own, on SQLite and on PostgreSQL."""

import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import flask_migrate
import psycopg
import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.orm import Session

from tests import postgres, run
from tests.as_seen import Visitor
from webapp.app import create_app
from webapp.demo import caught_mails, sample_clients
from webapp.extensions import db

TEMPLATE = "massmail_template"
ANOTHER = "UPDATE installation SET database_id = ?"
"""A copy of the template is a database of its own, and not an older one."""

numbers = itertools.count(1)


class CompiledOnce(BytecodeCache):
    """What templates were compiled to, for all apps of this process: each would begin with compiling those it shows, which takes longer
    than to show them. A template that was changed is compiled anew."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], object] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code


templates = CompiledOnce()


def new_sqlite(folder: Path) -> str:
    """The URL of a fresh migrated SQLite database in `folder`."""
    with run.alone("sqlite"):
        template = run.folder() / "template.sqlite3"
        if not template.exists():
            new = run.folder() / f"new-{os.getpid()}.sqlite3"
            _migrate(f"sqlite:///{new}", folder)
            new.rename(template)
    path = folder / "test.sqlite3"
    shutil.copyfile(template, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(ANOTHER, [uuid4().hex])
    return f"sqlite:///{path}"


@contextmanager
def new_postgresql(folder: Path) -> Iterator[str]:
    """The URL of a fresh migrated PostgreSQL database, dropped afterwards. `folder` is for what the migration writes beside it."""
    server = run.postgres_folder()
    name = f"test_{os.getpid()}_{next(numbers)}"
    with psycopg.connect(postgres.conninfo(server, "postgres"), autocommit=True) as connection:
        with run.alone("template"):
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
                connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}_new WITH (FORCE)")
                connection.execute(f"CREATE DATABASE {TEMPLATE}_new")
                _migrate(postgres.url(server, f"{TEMPLATE}_new"), folder)
                connection.execute(f"ALTER DATABASE {TEMPLATE}_new RENAME TO {TEMPLATE}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        with psycopg.connect(postgres.conninfo(server, name)) as new:
            new.execute(ANOTHER.replace("?", "%s"), [uuid4().hex])
        yield postgres.url(server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A fresh migrated SQLite database."""
    return new_sqlite(tmp_path)


@pytest.fixture
def postgresql_url(tmp_path: Path) -> Iterator[str]:
    """A fresh migrated PostgreSQL database, dropped afterwards."""
    with new_postgresql(tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database: the test runs once on each kind."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The app on a fresh database, once on SQLite and once on PostgreSQL. No app context is pushed, as it would leak from one
    request of a test client into the next."""
    yield from _app(database_url, tmp_path)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session on the database of `app`. Commit what the app, a job or another session is to see."""
    yield from _session(app)


@pytest.fixture
def sqlite_app(sqlite_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The app on a fresh SQLite database, for tests in which the kind of database does not matter."""
    yield from _app(sqlite_url, tmp_path)


@pytest.fixture
def sqlite_session(sqlite_app: Flask) -> Iterator[Session]:
    """A session on the database of `sqlite_app`."""
    yield from _session(sqlite_app)


def make_app(url: str, instance: Path, **config: object) -> Flask:
    """The app on the database `url` with its own instance folder, set up for tests: CSRF is off, and what is created goes
    out at once. `config` is laid over its settings."""
    environ = {
        "MASSMAIL_INSTANCE": str(instance / "instance"),
        "DATABASE_URL": url,
        "SECRET_KEY": "for tests",
        "MASSMAIL_UNDO": "0",
        "MASSMAIL_DNS": "off",
    }
    app = create_app({"TESTING": True, "WTF_CSRF_ENABLED": False, "WEBHOOK_INSIDE": True} | config, environ)
    if caught_mails.bp.name not in app.blueprints:
        # Only a demo has them; what is asked of all addresses is asked of these, too.
        app.register_blueprint(caught_mails.bp)
        app.register_blueprint(sample_clients.bp)
    app.test_client_class = Visitor
    app.jinja_env.bytecode_cache = templates
    return app


def _app(url: str, tmp_path: Path) -> Iterator[Flask]:
    app = make_app(url, tmp_path)
    yield app
    with app.app_context():
        db.engine.dispose()


def _session(app: Flask) -> Iterator[Session]:
    with app.app_context():
        engine = db.engine
    with Session(engine) as session:
        yield session


def _migrate(url: str, tmp_path: Path) -> None:
    app = make_app(url, tmp_path)
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()
