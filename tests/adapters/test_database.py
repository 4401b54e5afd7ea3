"""How connections are set up."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import engine
from tests.databases import make_app
from webapp.adapters import database


def test_who_stands_still_in_a_transaction_does_not_keep_others_waiting(postgresql_url: str, tmp_path: Path):
    theirs = engine.engine_of(make_app(postgresql_url, tmp_path))
    ours = engine.engine_of(make_app(postgresql_url, tmp_path))
    database.leave_no_locks(theirs, 0.1)
    with theirs.connect() as stopped, ours.connect() as waiting:
        stopped.execute(text("CREATE TABLE thing AS SELECT 1 AS number"))
        stopped.commit()
        stopped.execute(text("LOCK TABLE thing"))
        waiting.execute(text("SET LOCAL lock_timeout = '20s'"))
        waiting.execute(text("LOCK TABLE thing"))
        stopped.invalidate()
    theirs.dispose()
    ours.dispose()


def setting(connection, name: str) -> int:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_haste_on_sqlite_ends_with_its_transaction(sqlite_app):
    ours = engine.engine_of(sqlite_app)
    with Session(ours) as session:
        database.will_write(session, hastily=True)
        assert [setting(session.connection(), name) for name in ("synchronous", "wal_autocheckpoint")] == [1, 0]
        session.rollback()
        database.will_write(session)
        assert [setting(session.connection(), name) for name in ("synchronous", "wal_autocheckpoint")] == [2, 1000]


def test_haste_on_postgresql_ends_with_its_transaction_or_before_it(postgresql_url: str, tmp_path: Path):
    def is_durable(session: Session) -> bool:
        return session.scalar(text("SHOW synchronous_commit")) == "on"

    ours = engine.engine_of(make_app(postgresql_url, tmp_path))
    with Session(ours) as session:
        session.execute(text("SET synchronous_commit = on"))  # the server of the tests forgets
        session.commit()
        database.will_write(session, hastily=True)
        assert not is_durable(session)
        database.take_time(session)
        assert is_durable(session)
    ours.dispose()


def test_who_writes_much_leaves_no_log_behind_and_keeps_nobody_waiting(sqlite_app):
    ours = engine.engine_of(sqlite_app)
    log = Path(f"{ours.url.database}-wal")
    with ours.connect() as reader, database.writing_much(ours), Session(ours) as session:
        database.will_write(session, hastily=True)
        session.execute(text("CREATE TABLE thing AS SELECT zeroblob(20000000) AS bytes"))
        session.commit()
        assert log.stat().st_size > 20_000_000
        reader.execute(text("SELECT count(*) FROM client"))
        reader.rollback()
    assert log.stat().st_size == 0
    with ours.connect() as reader, database.writing_much(ours):
        reader.execute(text("SELECT count(*) FROM client"))


def test_the_log_of_who_writes_much_begins_anew_before_it_is_long(sqlite_app):
    ours = engine.engine_of(sqlite_app)
    log = Path(f"{ours.url.database}-wal")
    with database.writing_much(ours) as pause, Session(ours) as session:
        for number in range(80):
            database.will_write(session, hastily=True)
            session.execute(text(f"CREATE TABLE thing_{number} AS SELECT zeroblob(5000000) AS bytes"))
            session.commit()
            pause()
        assert log.stat().st_size < 200_000_000
    with ours.connect() as reader:
        assert reader.scalar(text("SELECT length(bytes) FROM thing_79")) == 5_000_000
