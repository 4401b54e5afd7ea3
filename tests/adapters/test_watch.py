"""Watching a broadcast: a commit elsewhere is known at the next look, and looking costs next to nothing."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests import engine
from webapp.adapters.watch import LISTEN_AGAIN_S, OLDEST_S, DatabaseWatch
from webapp.core import broadcasts


def test_a_pause_and_a_resume_are_known_at_the_next_look(app: Flask, session: Session):
    broadcast = engine.sending_broadcast(session)
    watch = DatabaseWatch(engine.engine_of(app), broadcast.id)
    for _ in range(3):
        assert watch.is_sending()
        broadcasts.pause(session, broadcast.id, None, engine.NOW)
        assert watch.is_sending(), "not committed yet"
        session.commit()
        assert known(watch, is_sending=False)
        broadcasts.resume(session, broadcast.id, engine.NOW)
        session.commit()
        assert known(watch, is_sending=True)
    watch.close()


def known(watch: DatabaseWatch, *, is_sending: bool) -> bool:
    """Whether the watch says so as soon as an answer from before must be too old for it."""
    end = time.monotonic() + 0.02
    while watch.is_sending() is not is_sending and time.monotonic() < end:
        time.sleep(0.0001)
    return watch.is_sending() is is_sending


def test_who_looks_seldom_hears_nothing_old(app: Flask, session: Session):
    broadcast = engine.sending_broadcast(session)
    watch = DatabaseWatch(engine.engine_of(app), broadcast.id)
    for pause in (0.0015, 0.02) * 30:
        assert watch.is_sending()
        time.sleep(pause)
    assert watch.is_sending()
    broadcasts.pause(session, broadcast.id, None, engine.NOW)
    session.commit()
    time.sleep(2 * OLDEST_S)
    assert not watch.is_sending()
    watch.close()


def test_what_happens_to_others_is_none_of_its_business(app: Flask, session: Session):
    watched, other = (engine.sending_broadcast(session) for _ in range(2))
    watch = DatabaseWatch(engine.engine_of(app), watched.id)
    broadcasts.cancel(session, other.id, engine.NOW)
    session.commit()
    assert watch.is_sending()
    watch.close()


def test_a_connection_that_is_lost_leaves_what_was_known_until_there_is_another(app: Flask, session: Session):
    broadcast = engine.sending_broadcast(session)
    watch = DatabaseWatch(engine.engine_of(app), broadcast.id)
    assert watch._connection is not None
    driver: Any = watch._connection.connection.driver_connection
    (driver.pgconn.finish if hasattr(driver, "pgconn") else driver.close)()
    broadcasts.pause(session, broadcast.id, None, engine.NOW)
    session.commit()
    begin = time.monotonic()
    assert watch.is_sending()
    assert time.monotonic() - begin < 1
    while watch.is_sending() and time.monotonic() < begin + 2 * LISTEN_AGAIN_S:
        time.sleep(0.01)
    assert not watch.is_sending()
    watch.close()


def test_it_holds_no_transaction_open(sqlite_app: Flask, sqlite_session: Session):
    broadcast = engine.sending_broadcast(sqlite_session)
    watch = DatabaseWatch(engine.engine_of(sqlite_app), broadcast.id)
    assert watch.is_sending()
    broadcasts.pause(sqlite_session, broadcast.id, None, engine.NOW)
    sqlite_session.commit()
    assert not watch.is_sending()
    with engine.engine_of(sqlite_app).connect() as connection:
        blocked, _written, _moved = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    assert not blocked
    watch.close()


def test_on_sqlite_the_very_next_look_knows(sqlite_app: Flask, sqlite_session: Session):
    broadcast = engine.sending_broadcast(sqlite_session)
    watch = DatabaseWatch(engine.engine_of(sqlite_app), broadcast.id)
    for _ in range(20):
        assert watch.is_sending()
        broadcasts.pause(sqlite_session, broadcast.id, None, engine.NOW)
        sqlite_session.commit()
        assert not watch.is_sending()
        broadcasts.resume(sqlite_session, broadcast.id, engine.NOW)
        sqlite_session.commit()
        assert watch.is_sending()
    watch.close()


@pytest.mark.parametrize("how", ["PASSIVE", "FULL", "RESTART", "TRUNCATE"])
def test_on_sqlite_it_knows_of_what_is_committed_after_the_log_was_moved(
    sqlite_app: Flask, sqlite_session: Session, how: str
):
    """After each the next commit lies elsewhere: behind the last one, at the log's begin, or in a log that is empty."""
    broadcast_id = engine.sending_broadcast(sqlite_session).id
    sqlite_session.commit()  # who reads holds the log where it is
    watch = DatabaseWatch(engine.engine_of(sqlite_app), broadcast_id)
    for is_sending in (False, True, False):
        _move_log(sqlite_app, how)
        assert watch.is_sending() is not is_sending
        change = broadcasts.resume if is_sending else partial(broadcasts.pause, reason=None)
        change(sqlite_session, broadcast_id, now=engine.NOW)
        sqlite_session.commit()
        assert watch.is_sending() is is_sending
        _move_log(sqlite_app, how)
        assert watch.is_sending() is is_sending
    watch.close()


def _move_log(app: Flask, how: str) -> None:
    with engine.engine_of(app).connect() as connection:
        blocked, _written, _moved = connection.exec_driver_sql(f"PRAGMA wal_checkpoint({how})").one()
    assert not blocked


def test_on_sqlite_it_knows_of_a_commit_of_a_process_that_came_when_all_others_had_gone(sqlite_app: Flask):
    database = engine.engine_of(sqlite_app)
    with Session(database) as session:
        broadcast_id = engine.sending_broadcast(session).id
    watch = DatabaseWatch(database, broadcast_id)
    assert watch.is_sending()
    watch.close()
    database.dispose()  # who closes last removes log and index
    assert not Path(f"{database.url.database}-shm").exists()
    watch = DatabaseWatch(database, broadcast_id)
    assert watch.is_sending()
    pause = f"UPDATE broadcast SET state = 'paused' WHERE id = {broadcast_id}"
    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit(); c.close()"
    subprocess.run([sys.executable, "-c", program, str(database.url.database), pause], check=True)
    assert not watch.is_sending()
    watch.close()


def test_a_sqlite_database_without_a_write_ahead_log_is_watched_too(sqlite_app: Flask, sqlite_session: Session):
    broadcast_id = engine.sending_broadcast(sqlite_session).id
    database = engine.engine_of(sqlite_app)
    sqlite_session.close()
    database.dispose()
    with closing(sqlite3.connect(str(database.url.database))) as alone:
        assert alone.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    without = create_engine(database.url)
    watch = DatabaseWatch(without, broadcast_id)
    assert watch.is_sending()
    with Session(without) as session:
        broadcasts.pause(session, broadcast_id, None, engine.NOW)
        session.commit()
    assert not watch.is_sending()
    watch.close()
    without.dispose()
