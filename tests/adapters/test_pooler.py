"""PostgreSQL behind PgBouncer in transaction mode: nothing that a session would have to remember."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from tests import engine, pgbouncer, run
from tests.databases import make_app
from tests.pgbouncer import Bouncer
from webapp.adapters import database, pooler
from webapp.adapters.watch import DatabaseWatch
from webapp.core import broadcasts
from webapp.core.cadence import WATCH_OLDEST_S


@pytest.fixture
def bouncer(postgresql_url: str) -> Iterator[Bouncer]:
    folder = run.folder() / f"bouncer-{time.monotonic_ns()}"
    with pgbouncer.in_front_of(postgresql_url, folder) as bouncer:
        yield bouncer
        assert not bouncer.complaints()


@pytest.fixture
def pooled(bouncer: Bouncer, tmp_path: Path) -> Iterator[Flask]:
    app = make_app(bouncer.url, tmp_path)
    yield app
    with app.app_context():
        engine.db.engine.dispose()


def test_a_pooler_is_noticed_and_none_is_not(bouncer: Bouncer, postgresql_url: str):

    direct = postgresql_url.replace("+psycopg", "")
    with psycopg.connect(direct) as one, psycopg.connect(bouncer.url.replace("+psycopg", "")) as other:
        assert not pooler.is_pooled(one)
        assert pooler.is_pooled(other)


def test_statements_said_often_find_what_they_need_on_any_server_connection(pooled: Flask):
    where = engine.engine_of(pooled)
    with Session(where) as one, Session(where) as other:
        pids = set()
        for number in range(40):
            for session in (one, other) if number % 2 else (other, one):
                pids.add(session.scalar(text("SELECT pg_backend_pid() + :zero"), {"zero": 0}))
                if number % 3:
                    session.commit()
        assert len(pids) > 1, "both held a transaction open at a time"


def test_a_transaction_says_itself_how_long_it_may_stand_still(pooled: Flask, bouncer: Bouncer):
    where = engine.engine_of(pooled)
    database.leave_no_locks(where, 7.0)
    shown = text("SHOW idle_in_transaction_session_timeout")
    with Session(where) as session:
        assert session.scalar(shown) == "7s"
        session.commit()
        assert session.scalar(shown) == "7s"
    with psycopg.connect(bouncer.url.replace("+psycopg", "")) as somebody_else:
        assert somebody_else.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("0",)


def test_without_a_pooler_it_is_said_once_for_the_connection(postgresql_url: str, tmp_path: Path):
    where = engine.engine_of(make_app(postgresql_url, tmp_path))
    database.leave_no_locks(where, 7.0)
    said: list[str] = []
    event.listen(where, "before_cursor_execute", lambda *call: said.append(call[2]))
    with Session(where) as session:
        for _ in range(2):
            assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "7s"
            session.commit()
    assert len(said) == 2
    where.dispose()


def test_a_pause_is_known_at_the_next_look(pooled: Flask):
    where = engine.engine_of(pooled)
    with Session(where) as session:
        broadcast = engine.sending_broadcast(session)
        watch = DatabaseWatch(where, broadcast.id)
        with Session(where) as busy:
            busy.execute(text("SELECT 1"))  # holds the server's connection that the watch was lent first
            for _ in range(3):
                assert watch.is_sending()
                broadcasts.pause(session, broadcast.id, None, engine.NOW)
                session.commit()
                time.sleep(2 * WATCH_OLDEST_S)
                assert not watch.is_sending()
                broadcasts.resume(session, broadcast.id, engine.NOW)
                session.commit()
                time.sleep(2 * WATCH_OLDEST_S)
        watch.close()
