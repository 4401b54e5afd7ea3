"""A database that is not the one this program was written for is found out, and found well again, without a restart."""

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Engine, create_engine, text

from tests import engine
from tests.databases import make_app
from webapp.adapters import schema
from webapp.adapters.schema import Schema
from webapp.paths import ROOT


@pytest.fixture
def where(app: Flask) -> Engine:
    return engine.engine_of(app)


@pytest.fixture
def empty() -> Iterator[Engine]:
    where = create_engine("sqlite://")
    yield where
    where.dispose()


def head() -> str:
    """The revision that a right database has."""
    (revision,) = ScriptDirectory(str(ROOT / "webapp" / "migrations")).get_heads()
    return revision


def stamp(where: Engine, revision: str) -> None:
    """Have the database say that it was made by the migrations up to this one."""
    with where.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_the_database_that_the_migrations_make_is_right(where: Engine):
    assert Schema(where).look() is None


def test_an_older_one_a_newer_one_and_an_empty_one_are_told_apart(where: Engine, empty: Engine):
    stamp(where, "0001")
    assert Schema(where).look() == schema.OLD_DATABASE
    stamp(where, "9999")
    assert Schema(where).look() == schema.OLD_PROGRAM
    assert Schema(empty).look() == schema.NOT_MADE
    with where.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    assert Schema(where).look() == schema.NOT_MADE


def test_tables_that_are_made_later_are_found_also_by_a_connection_that_was_open_before(tmp_path: Path):
    app = make_app(f"sqlite:///{tmp_path / 'new.sqlite3'}", tmp_path)
    where = engine.engine_of(app)
    with where.connect() as kept:
        assert schema.problem_of(kept) == schema.NOT_MADE
        kept.rollback()
        with app.app_context():
            flask_migrate.upgrade()
        assert schema.problem_of(kept) is None
    where.dispose()


def test_what_is_wrong_is_looked_at_each_time_and_what_is_right_is_believed_for_a_while(sqlite_app: Flask):
    where = engine.engine_of(sqlite_app)
    looked = Schema(where)
    stamp(where, "0001")
    assert looked.problem() == schema.OLD_DATABASE
    stamp(where, head())
    assert looked.problem() is None
    stamp(where, "0001")
    assert looked.problem() is None
    looked._fine_until = float("-inf")  # the while is over
    assert looked.problem() == schema.OLD_DATABASE


def test_a_database_that_is_away_is_no_trouble_of_the_tables():
    assert Schema(create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")).problem() is None
