"""Writers of a SQLite database take turns."""

import fcntl
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from webapp.adapters import database, sqlite_write_queue


def engine_on(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}")
    database.tune(engine)
    return engine


def test_who_wants_to_write_gets_in_between_the_transactions_of_a_busy_writer(tmp_path: Path):
    engine = engine_on(tmp_path / "one.sqlite3")
    written, is_over = 0, threading.Event()

    def write_and_write() -> None:
        nonlocal written
        while not is_over.is_set():
            with Session(engine) as session:
                database.will_write(session)
                time.sleep(0.02)
                session.commit()
                written += 1

    writer = threading.Thread(target=write_and_write)
    writer.start()
    try:
        seen = []
        for _ in range(10):
            time.sleep(0.005)
            before = written
            with Session(engine) as session:
                database.will_write(session)
                seen.append(written - before)
                session.rollback()
    finally:
        is_over.set()
        writer.join()
    assert sorted(seen)[8] <= 2, seen
    engine.dispose()


def test_who_was_stopped_at_the_head_of_the_queue_is_passed_by_and_soon_at_once(tmp_path: Path):
    engine = engine_on(tmp_path / "one.sqlite3")
    with (tmp_path / "one.sqlite3-turn").open("ab") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        took = []
        for _ in range(3):
            began = time.monotonic()
            with Session(engine) as session:
                database.will_write(session)
                session.commit()
            took.append(time.monotonic() - began)
    assert took[0] >= sqlite_write_queue.MANNERS_S and max(took) < database.BUSY_TIMEOUT_MS / 1000 / 2
    assert max(took[1:]) < took[0]
    assert sqlite_write_queue._passing_until
    with Session(engine) as session:
        database.will_write(session)
    assert not sqlite_write_queue._passing_until


def test_a_database_that_stays_locked_is_an_error_in_the_end_and_waits_as_before_afterwards(
    tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    engine = engine_on(tmp_path / "one.sqlite3")
    with (
        closing(sqlite3.connect(tmp_path / "one.sqlite3", isolation_level=None)) as stubborn,
        Session(engine) as session,
    ):
        stubborn.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="database is locked"):
            database.will_write(session)
        session.rollback()
        stubborn.execute("ROLLBACK")
        database.will_write(session)
        [(patience,)] = session.connection().exec_driver_sql("PRAGMA busy_timeout")
        assert patience == 50
    engine.dispose()
