"""How connections to SQLite and PostgreSQL are set up."""

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from webapp.adapters import turnstile

BUSY_TIMEOUT_MS = 10_000


def tune(engine: Engine) -> None:
    """Install per-connection settings. On SQLite: write-ahead log, every commit durable, foreign keys checked, and
    transactions begun by us, because the driver's own lazy BEGIN would let a read turn into a write that is refused.
    """
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def configure(connection, _record):
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection):
        if connection.get_execution_options().get("will_write"):
            turnstile.begin_writing(connection, BUSY_TIMEOUT_MS)
        else:
            connection.exec_driver_sql("BEGIN DEFERRED")


def remember_little(engine: Engine) -> None:
    """Have this process keep at most 8 MB of a SQLite database per connection from now on: it goes through its rows once, in order, and
    what it leaves free the system uses to keep the file in memory for everybody."""
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _keep_little):
        event.listen(engine, "connect", _keep_little)
        engine.dispose()


def _keep_little(connection, _record) -> None:
    connection.execute("PRAGMA cache_size=-8192")


def will_write(session: Session) -> None:
    """Begin the session's transaction as a writing one. Call it before the first statement of a transaction that reads and
    then writes: on SQLite a read snapshot cannot become a write once somebody else has written (SQLITE_BUSY_SNAPSHOT).
    On PostgreSQL it only begins the transaction.
    """
    session.connection(execution_options={"will_write": True})


def leave_no_locks(engine: Engine, seconds: float) -> None:
    """Have PostgreSQL undo a transaction in which this process does nothing for so long: it was stopped, or its machine is gone, and others
    wait for the rows it has locked. SQLite's lock ends with the process alone. For processes that never wait inside a transaction.
    """
    if engine.dialect.name != "postgresql":
        return

    @event.listens_for(engine, "connect")
    def configure(connection, _record):
        connection.execute(f"SET idle_in_transaction_session_timeout = {int(seconds * 1000)}")
        connection.commit()
