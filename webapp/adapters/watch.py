"""Watching one broadcast's state while its mails go out, so that a pause is known before the next mail and not with the next group; and
whether anybody declined, so that whoever did gets no mail that has not begun.

On SQLite a look at shared memory before each mail tells whether anything was committed. On PostgreSQL a question is under way all the
time, and no mail is handed over on an answer that is older than a few milliseconds.
"""

import logging
import mmap
import os
import select
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from webapp.adapters import pooler
from webapp.core.cadence import WATCH_AGAIN_S, WATCH_ASKS_S, WATCH_OLDEST_S, WATCH_PATIENCE_S
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.stamps import SUPPRESSIONS

HEADER = 48
"""Octets of the WAL index's header."""

LOOK = f"SELECT state, ({{stamps}} FROM audience_stamp WHERE block = {SUPPRESSIONS}) FROM broadcast WHERE id = {{id}}"
"""The state, and all stamps of who declined: a transaction that was slower than another leaves its own beside it."""
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
        self._last_known = self._eye.is_sending()
        self.consent = self._eye.consent

    def is_sending(self) -> bool:
        try:
            if self._connection is None and time.monotonic() >= self._listen_again_at:
                self._listen()
            if self._connection is not None:
                self._last_known = self._eye.is_sending()
                self.consent = self._eye.consent
            else:
                self.consent = object()  # like no other
        except Exception as error:
            log.warning("the broadcast cannot be watched: %s", error)
            self.consent = object()
            self.close()
            self._listen_again_at = time.monotonic() + WATCH_AGAIN_S
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
        if self._engine.dialect.name == "sqlite":
            self._eye: _Commits | _SendingQuestion = _Commits(driver, str(self._engine.url.database), self._id)
        else:
            is_pooled = self._connection.info.get(pooler.KEY, True)
            self._eye = _SendingQuestion(driver.pgconn, self._id, is_pooled)


class _Commits:
    """SQLite: the state is read again when anybody has committed anything. That tells the header of the WAL's index, which lies in memory
    that all processes share and which every commit changes before it returns (https://sqlite.org/walformat.html, section 2.1).
    `PRAGMA data_version` tells the same, but begins and ends a read transaction for it: ten times the cost, a tenth of what a mail takes.
    """

    def __init__(self, driver: Any, path: str, broadcast_id: int) -> None:
        self._cursor, self._id = driver.cursor(), broadcast_id
        self.consent: object = None
        self._read()  # now there is an index
        self._index = _index_of(path)
        self._header: bytes | None = None

    def is_sending(self) -> bool:
        header = self._index[:HEADER] if self._index is not None else None
        if header is None or header != self._header:
            self._header = header
            self._read()
        return self._sending

    def _read(self) -> None:
        row = self._cursor.execute(LOOK.format(stamps="SELECT group_concat(stamp)", id="?"), (self._id,)).fetchone()
        state, self.consent = row or (None, None)
        self._sending = state == BroadcastState.SENDING


_INDEXES: dict[tuple[int, int], mmap.mmap] = {}
"""Views of WAL indexes by device and inode, open to the end of the process: to close any view of a file lets go of all locks that the
process has on it (POSIX), and SQLite's own are on these."""


def _index_of(path: str) -> mmap.mmap | None:
    """None where the database has none, as on file systems that cannot share memory: it keeps no write-ahead log there."""
    index = Path(f"{path}-shm")
    try:
        found = index.stat()
    except FileNotFoundError:
        return None
    key = found.st_dev, found.st_ino
    if key not in _INDEXES:
        fd = os.open(index, os.O_RDONLY)
        _INDEXES[key] = mmap.mmap(fd, HEADER, mmap.MAP_SHARED, mmap.PROT_READ)
    return _INDEXES[key]


class _SendingQuestion:
    """PostgreSQL: one question after the other, none of which is waited for as long as the last answer is fresh. It is prepared, which
    spares the server half of the work, but not through a pooler, where each question may come to another server's process."""

    def __init__(self, pgconn: Any, broadcast_id: int, is_pooled: bool) -> None:
        self._pgconn = pgconn
        self._key = [str(broadcast_id).encode()]
        self._readable = select.poll()
        self._readable.register(pgconn.socket, select.POLLIN)
        stamps = "SELECT string_agg(stamp::text, ',' ORDER BY stamp)"
        question = LOOK.format(stamps=stamps, id="$1").encode()
        if is_pooled:
            self._send = partial(pgconn.send_query_params, question, self._key)
        else:
            pgconn.prepare(b"watch", question)
            self._send = partial(pgconn.send_query_prepared, b"watch", self._key)
        self._asked_at: float | None = None
        self._as_of = self._next_at = float("-inf")
        self._typical_s = 0.0
        self._sending = True
        self.consent: object = None

    def is_sending(self) -> bool:
        now = time.monotonic()
        if self._asked_at is not None and self._readable.poll(0):
            self._hear()
        if self._asked_at is None and now >= self._next_at:
            self._ask(now)
        while now - self._as_of > max(WATCH_OLDEST_S, 3 * self._typical_s):
            if self._asked_at is None:
                self._ask(now)
            is_waited_for = self._asked_at == now
            if not self._readable.poll(WATCH_PATIENCE_S * 1000):
                raise TimeoutError(f"no answer from the database for {WATCH_PATIENCE_S:g} s")
            self._hear(is_waited_for)
        return self._sending

    def _ask(self, now: float) -> None:
        self._send()
        self._asked_at, self._next_at = now, now + WATCH_ASKS_S

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
        state, self.consent = (answer.get_value(0, 0), answer.get_value(0, 1)) if answer.ntuples else (None, None)
        self._sending = state == BroadcastState.SENDING.value.encode()
        took = time.monotonic() - self._asked_at
        if is_waited_for or took < self._typical_s:
            self._typical_s += (took - self._typical_s) / 16
        self._as_of, self._asked_at = self._asked_at, None
