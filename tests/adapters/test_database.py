"""How connections are set up."""

from pathlib import Path

from sqlalchemy import text

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
