"""Watching one broadcast's state while its mails go out, so that a pause is known before the next mail and not with the next group.

On SQLite the database's change counter is read every few mails. On PostgreSQL a question is under way all the time, and no mail is
handed over on an answer that is older than a few milliseconds.
"""

import logging
import select
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine

from webapp.core.rules.lifecycle import BroadcastState

READ_EVERY_S = 0.0002
"""SQLite's counter is not read more often: that is fewer mails than there are connections."""

ASK_EVERY_S = 0.001
OLDEST_S = 0.003
"""An older answer is not good enough, unless the database is so far away that it never answers faster."""

PATIENCE_S = 5.0
LISTEN_AGAIN_S = 0.5
STATE = "SELECT state FROM broadcast WHERE id = "
log = logging.getLogger(__name__)


class DatabaseWatch:
    """`ports.Watch` over a connection of its own.

    When the database cannot be reached it says what it knew last, and now and then tries a new connection: as long as there is none, the
    lease ends the sending.
    """

    def __init__(self, engine: Engine, broadcast_id: int) -> None:
        self._engine, self._id = engine, broadcast_id
        self._connection: Connection | None = None
        self._listen_again_at = 0.0
        self._listen()
        self._last_known = self._look()

    def is_sending(self) -> bool:
        try:
            if self._connection is None and time.monotonic() >= self._listen_again_at:
                self._listen()
            if self._connection is not None:
                self._last_known = self._look()
        except Exception as error:
            log.warning("the broadcast cannot be watched: %s", error)
            self.close()
            self._listen_again_at = time.monotonic() + LISTEN_AGAIN_S
        return self._last_known

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # A question may still be under way: the connection must not go back to the pool.
            connection.invalidate()
            connection.close()

    def _listen(self) -> None:
        # Nothing here may hold a transaction open: SQLite could not shorten its write-ahead log meanwhile.
        self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        driver: Any = self._connection.connection.driver_connection
        self._look: Callable[[], bool]
        if self._engine.dialect.name == "sqlite":
            self._look = _ChangeCounter(driver, self._id).is_sending
        else:
            self._look = _Questions(driver.pgconn, self._id).is_sending


class _ChangeCounter:
    """SQLite: the state is read again when anybody has committed anything."""

    def __init__(self, driver: Any, broadcast_id: int) -> None:
        self._cursor, self._id = driver.cursor(), broadcast_id
        self._version: int | None = None
        self._next_at = float("-inf")
        self._sending = True

    def is_sending(self) -> bool:
        now = time.monotonic()
        if now >= self._next_at:
            self._next_at = now + READ_EVERY_S
            version: int = self._cursor.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                self._version = version
                row = self._cursor.execute(f"{STATE}?", (self._id,)).fetchone()
                self._sending = row is not None and row[0] == BroadcastState.SENDING
        return self._sending


class _Questions:
    """PostgreSQL: one question after the other, none of which is waited for as long as the last answer is fresh."""

    def __init__(self, pgconn: Any, broadcast_id: int) -> None:
        self._pgconn = pgconn
        self._key = [str(broadcast_id).encode()]
        self._readable = select.poll()
        self._readable.register(pgconn.socket, select.POLLIN)
        pgconn.prepare(b"watch", f"{STATE}$1".encode())
        self._asked_at: float | None = None
        self._as_of = self._next_at = float("-inf")
        self._typical_s = 0.0
        self._sending = True

    def is_sending(self) -> bool:
        now = time.monotonic()
        if self._asked_at is not None and self._readable.poll(0):
            self._hear()
        if self._asked_at is None and now >= self._next_at:
            self._ask(now)
        while now - self._as_of > max(OLDEST_S, 3 * self._typical_s):
            if self._asked_at is None:
                self._ask(now)
            is_waited_for = self._asked_at == now
            if not self._readable.poll(PATIENCE_S * 1000):
                raise TimeoutError(f"no answer from the database for {PATIENCE_S:g} s")
            self._hear(is_waited_for)
        return self._sending

    def _ask(self, now: float) -> None:
        self._pgconn.send_query_prepared(b"watch", self._key)
        self._asked_at, self._next_at = now, now + ASK_EVERY_S

    def _hear(self, is_waited_for: bool = False) -> None:
        """The answer to the question that is under way; the state was so at some moment after it was asked. How fast the database is shows
        where the answer is waited for from the question on; another may have lain there for as long as no mail was handed over."""
        assert self._asked_at is not None
        self._pgconn.consume_input()
        if self._pgconn.is_busy():
            return
        answer = self._pgconn.get_result()
        while self._pgconn.get_result() is not None:
            pass
        if answer.error_message:
            raise RuntimeError(answer.error_message.decode("utf-8", "replace"))
        self._sending = answer.ntuples == 1 and answer.get_value(0, 0) == BroadcastState.SENDING.value.encode()
        took = time.monotonic() - self._asked_at
        if is_waited_for or took < self._typical_s:
            self._typical_s += (took - self._typical_s) / 16
        self._as_of, self._asked_at = self._asked_at, None
