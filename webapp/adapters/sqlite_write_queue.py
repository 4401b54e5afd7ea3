"""Whose turn it is to write to a SQLite database.

SQLite lets one write at a time and has no queue: who waits looks again after up to 100 ms, and whoever writes one transaction after the
other, as a sender and a freeze do, is always back before. So writers pass a turnstile, a locked file beside the database: one of all who
wait stands in it and looks every millisecond, and is next; who has just written gets in behind. It is only good manners: where there can be
no file there is no order, and a process that was stopped inside is soon passed by.
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
"""Nobody stands in the turnstile for so long while the database is free, unless stopped. Then others go past, and for a while at once."""

PASSED_BY_S = 30.0
"""So long this process goes past at once after it has met somebody stopped there."""

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
        turnstile = open(f"{database}-turn", "ab", opener=private.opener)  # noqa: SIM115 - closed below
    except OSError:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    driver.execute("PRAGMA busy_timeout=0")
    try:
        if not _has_begun(driver, turnstile, time.monotonic() + patience_ms / 1000):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # which most likely fails, in the words that callers know
    finally:
        with suppress(OSError):
            fcntl.flock(turnstile, fcntl.LOCK_UN)  # closing is not enough if another thread has forked meanwhile
        turnstile.close()
        driver.execute(f"PRAGMA busy_timeout={patience_ms}")


def _has_begun(driver: sqlite3.Connection, turnstile: IO[bytes], end: float) -> bool:
    """Wait for the turnstile, and in it for the database, until `end`; False if it was in vain."""
    global _passing_until
    is_inside, polite_until = False, min(time.monotonic() + MANNERS_S, end)
    while True:
        now = time.monotonic()
        try:
            is_inside = is_inside or _enters(turnstile)
            if is_inside or now >= polite_until or now < _passing_until:
                driver.execute("BEGIN IMMEDIATE")
                if is_inside:
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


def _enters(turnstile: IO[bytes]) -> bool:
    try:
        fcntl.flock(turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
