"""How connections to SQLite and PostgreSQL are set up."""

import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from webapp import private
from webapp.adapters import clock, pooler, sqlite_write_queue
from webapp.core.cadence import SQLITE_WAITS_S
from webapp.core.rules.address_hashes import address_hash

BUSY_TIMEOUT_MS = int(SQLITE_WAITS_S * 1000)
ALWAYS = ("foreign_keys=ON", "cache_size=-65536", "temp_store=MEMORY")
LITTLE = "cache_size=-2048"
CALM = ("synchronous=FULL", "wal_autocheckpoint=1000")
HASTY = ("synchronous=NORMAL", "wal_autocheckpoint=0")
LOOK_S = 0.02
"""So often the write-ahead log is looked at while somebody writes much."""
LONG_LOG = 8_000
"""Pages in a write-ahead log that is to begin anew: 32 MB."""
OF_A_ROW = re.compile(r"\n(?:DETAIL|CONTEXT):")


def tune(engine: Engine) -> None:
    """Install per-connection settings. On SQLite: write-ahead log, every commit durable, foreign keys checked, and
    transactions begun by us, because the driver's own lazy BEGIN would let a read turn into a write that is refused. On PostgreSQL: what
    a pooler in between asks for. On both, an error tells no values (beside `hide_parameters`, which leaves out those of the statement).
    """
    event.listen(engine, "handle_error", _tell_no_values)
    if engine.dialect.name != "sqlite":
        event.listen(engine, "connect", lambda driver, record: pooler.settle(driver, record.info))
        return

    _keep_private(engine)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        connection.create_function("address_hash", 2, address_hash, deterministic=True)
        _set(connection, (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", *CALM, *ALWAYS))

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("hastily"):
            connection.info["is_hasty"] = True
            _set(connection.connection.driver_connection, HASTY)
        if options.get("will_write"):
            sqlite_write_queue.begin_writing(connection, BUSY_TIMEOUT_MS)
        else:
            connection.exec_driver_sql("BEGIN DEFERRED")

    @event.listens_for(engine, "checkin")
    def calm_down(connection: sqlite3.Connection | None, record: ConnectionPoolEntry) -> None:
        if record.info.pop("is_hasty", False) and connection is not None:
            _set(connection, CALM)


def _keep_private(engine: Engine) -> None:
    """Have a SQLite database be its user's alone. SQLite gives its log, journal and shared memory the rights of the database
    (https://www.sqlite.org/src/file?name=src/os_unix.c, findCreateFileMode)."""
    path = engine.url.database
    if not path or path == ":memory:":
        return
    for suffix in ("", "-wal", "-shm", "-journal", "-turn"):
        private.shut(Path(path + suffix))
    event.listen(engine, "do_connect", lambda *_: private.file(Path(path)))


def _tell_no_values(context: ExceptionContext) -> None:
    """Leave out what PostgreSQL says about the row (DETAIL:  Key (email)=(ada@example.com) already exists.): logs do not need it, and
    would keep what belongs to clients."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args and isinstance(error.args[0], str):
            error.args = (OF_A_ROW.split(error.args[0], maxsplit=1)[0], *error.args[1:])


def now(session: Session) -> datetime:
    """The present instant by the clock of the database, which all hosts share; of this machine, where the database is a file on it."""
    if session.get_bind().dialect.name == "postgresql":
        at: datetime = session.scalars(text("SELECT clock_timestamp()")).one()
        return at
    return clock.now()


def _set(connection: Any, pragmas: Iterable[str]) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")


def remember_little(engine: Engine) -> None:
    """Have this process keep at most 2 MB of a SQLite database per connection from now on: it goes through its rows once, in order, and
    what it leaves free the system uses to keep the file in memory for everybody."""
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _keep_little):
        event.listen(engine, "connect", _keep_little)
        engine.dispose()


def _keep_little(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    connection.execute(f"PRAGMA {LITTLE}")


def look_through(engine: Engine, work: Callable[[Session], object]) -> None:
    """Do something that reads a whole table, once, and keep nothing of what SQLite remembers of it: processes that are forked later would
    carry that along."""
    with Session(engine) as session:
        if engine.dialect.name == "sqlite":
            session.connection().exec_driver_sql(f"PRAGMA {LITTLE}")
        work(session)
    engine.dispose()


def will_write(session: Session, *, hastily: bool = False) -> None:
    """Begin the session's transaction as a writing one. Call it before the first statement of a transaction that reads and
    then writes: on SQLite a read snapshot cannot become a write once somebody else has written (SQLITE_BUSY_SNAPSHOT).
    On PostgreSQL it only begins the transaction.

    `hastily`: the commit may come before the disk has it; do it inside `writing_much`. For what is of use only together with a later
    transaction that is not hasty: both databases write their logs in order, so whoever finds that one finds all before it.
    """
    connection = session.connection(execution_options={"will_write": True, "hastily": hastily})
    if hastily and connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def writes_from_here(session: Session) -> None:
    """Let go of what was read, and begin to write. Others could write until here, so ask anew what may have changed."""
    session.rollback()
    will_write(session)


def take_time(session: Session) -> None:
    """Have a transaction that began hastily, and all before it, on the disk when its commit returns. SQLite has them there at the end of
    `writing_much`."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL synchronous_commit = on"))


@contextmanager
def writing_much(engine: Engine) -> Iterator[Callable[[], None]]:
    """While somebody writes much in haste, a thread beside moves a SQLite database's write-ahead log to its place, so that who writes need
    not; at the end everything is on the disk. Who reads or writes waits for none of it.

    Call what it gives between two transactions: it lets the log begin anew when it has grown long. It could not by itself, because the
    next transaction is always there before the last was moved; and a long one takes long to cut off, while nobody may write.
    """
    path = engine.url.database if engine.dialect.name == "sqlite" else None
    if not path or path == ":memory:":
        yield lambda: None
        return
    with closing(_Mover(path)) as mover:
        yield mover.begin_anew_if_long


class _Mover(threading.Thread):
    """Moves a write-ahead log until it is closed."""

    def __init__(self, path: str) -> None:
        super().__init__(name="write-ahead log", daemon=True)
        self._path = path
        self._is_over = threading.Event()
        self._is_moving = threading.Lock()
        self._frames = 0
        self.start()

    def run(self) -> None:
        with suppress(sqlite3.Error), closing(self._connect()) as connection:
            while not self._is_over.wait(LOOK_S):
                self._move(connection)
            self._move(connection)
            # Only now, when there is next to nothing to move, because who writes has to wait for this one.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def begin_anew_if_long(self) -> None:
        """Move what is left of a long log: nobody has written since, and so whoever writes next begins it anew."""
        if self._frames >= LONG_LOG:
            with suppress(sqlite3.Error), closing(self._connect()) as connection:
                self._move(connection)
            self._frames = 0

    def close(self) -> None:
        self._is_over.set()
        self.join()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=0, isolation_level=None)

    def _move(self, connection: sqlite3.Connection) -> None:
        with self._is_moving:  # SQLite would do nothing for the second of two
            _, self._frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def leave_no_locks(engine: Engine, seconds: float) -> None:
    """Have PostgreSQL undo a transaction in which this process does nothing for so long: it was stopped, or its machine is gone, and others
    wait for the rows it has locked. SQLite's lock ends with the process alone. For processes that never wait inside a transaction.
    Through a pooler each transaction says so itself, since what a session sets would stay with a connection that others are lent, too.
    """
    if engine.dialect.name != "postgresql":
        return
    timeout = f"idle_in_transaction_session_timeout = {int(seconds * 1000)}"

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: ConnectionPoolEntry) -> None:
        if not record.info[pooler.KEY]:
            connection.execute(f"SET {timeout}")
            connection.commit()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if (
            connection.info.get(pooler.KEY)
            and connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT"
        ):
            connection.exec_driver_sql(f"SET LOCAL {timeout}")
