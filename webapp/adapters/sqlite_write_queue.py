"""Whose turn it is to write to a SQLite database.

SQLite lets one write at a time and has no queue: who waits looks again after up to 100 ms, and whoever writes one transaction after the
other, as a sender and a freeze do, is always back before; beside a freeze the console waited for seconds. So there is a file beside the
database: of all who wait, the one that has locked it is at the head of the queue, looks at the database every millisecond, and is next. Who
has just written queues again. It is only good manners: where there can be no file there is no order, and others soon pass by a process that
was stopped at the head.
"""

import fcntl
import sqlite3
import time
from contextlib import suppress
from typing import IO

from sqlalchemy import Connection

from webapp import private

LOOK_S = 0.001
MANNERS_S = 1.0
"""Nobody is at the head for so long while the database is free, unless it was stopped. Then others pass it by, and for a while at once."""

PASSED_BY_S = 30.0
"""For so long this process passes by at once after it has met somebody who was stopped there."""

_passing_until = 0.0
_PRIMARY = 0xFF
"""The bits of SQLite's result codes that say what kind of error it is."""


def begin_writing(connection: Connection, patience_ms: int) -> None:
    """BEGIN IMMEDIATE, when it is this connection's turn. Raises sqlalchemy.exc.OperationalError when it is not within `patience_ms`."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    database = connection.engine.url.database
    try:
        if not database or database == ":memory:":
            raise FileNotFoundError("a database in memory is nobody else's")
        queue = open(f"{database}-turn", "ab", opener=private.opener)  # noqa: SIM115 - closed below
    except OSError:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    driver.execute("PRAGMA busy_timeout=0")
    try:
        if not _has_begun(driver, queue, time.monotonic() + patience_ms / 1000):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # which most likely fails, in the words that callers know
    finally:
        with suppress(OSError):
            fcntl.flock(queue, fcntl.LOCK_UN)  # closing is not enough if another thread has forked meanwhile
        queue.close()
        driver.execute(f"PRAGMA busy_timeout={patience_ms}")


def _has_begun(driver: sqlite3.Connection, queue: IO[bytes], end: float) -> bool:
    """Wait for the head of the queue, and there for the database, until `end`; False if it was in vain."""
    global _passing_until
    at_head, polite_until = False, min(time.monotonic() + MANNERS_S, end)
    while True:
        now = time.monotonic()
        try:
            at_head = at_head or _is_first(queue)
            if at_head or now >= polite_until or now < _passing_until:
                driver.execute("BEGIN IMMEDIATE")
                if at_head:
                    _passing_until = 0.0
                elif now >= polite_until:
                    _passing_until = now + PASSED_BY_S
                return True
        except OSError:
            return False
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY:
                return False
        if now > end:
            return False
        time.sleep(LOOK_S)


def _is_first(queue: IO[bytes]) -> bool:
    try:
        fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
