"""PostgreSQL behind a pooler such as PgBouncer in transaction mode, which lends a server's connection for one transaction at a time.

What a session keeps on the server is lost there, or worse, found by somebody else: prepared statements, SET, advisory locks, LISTEN. So
nothing of that is used on such a connection (https://www.pgbouncer.org/features.html, "SQL feature map for pooling modes").
"""

from typing import Any

from psycopg import Connection
from psycopg.pq import ExecStatus

KEY = "is_pooled"
"""Under which `Connection.info` knows it."""


def is_pooled(driver: Connection[Any]) -> bool:
    """Whether somebody stands between psycopg's connection and the server. A pooler has to make up the process id by which a statement is
    cancelled, since it does not know yet which server's process that will be. A round trip, in no transaction."""
    pgconn = driver.pgconn
    answer = pgconn.exec_(b"SELECT pg_backend_pid()")
    told = answer.get_value(0, 0) if answer.status == ExecStatus.TUPLES_OK else None
    return told is None or int(told) != pgconn.backend_pid


def settle(driver: Connection[Any], info: dict[str, Any]) -> None:
    """Find out, note it in `info`, and have psycopg prepare no statements through a pooler
    (https://www.psycopg.org/psycopg3/docs/advanced/prepare.html#using-prepared-statements-with-pgbouncer)."""
    info[KEY] = is_pooled(driver)
    if info[KEY]:
        driver.prepare_threshold = None
