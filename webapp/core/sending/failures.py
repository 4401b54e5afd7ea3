"""When something breaks: whether it may work later, and what to do when it will not."""

import logging

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from webapp.core import broadcasts
from webapp.core.sending.runtime import Runtime

log = logging.getLogger(__name__)


def is_of_the_database(engine: Engine, error: Exception) -> bool:
    """Whether the database, or the way to it, failed; then the same may work later. Data that the database refused it would refuse
    again."""
    driver = engine.dialect.loaded_dbapi
    if isinstance(error, (IntegrityError, DataError, driver.IntegrityError, driver.DataError)):
        return False
    return isinstance(error, (DBAPIError, driver.Error))


def pause_for(runtime: Runtime, broadcast_id: int, error: Exception) -> None:
    """Pause a broadcast because of a mistake of the program, where people see it: the next look would only meet it again."""
    # SQLAlchemy's own words hold the statement, and PostgreSQL's further lines the row, with a client's data.
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = next(iter(str(cause).splitlines()), "") or type(cause).__name__
    reason = f"Sending stopped because of an unexpected error: {words}"
    with Session(runtime.engine) as session:
        runtime.prepare(session)
        has_paused = broadcasts.stop(session, broadcast_id, reason, runtime.reading().wall)
        session.commit()
    if has_paused:
        about = {"event": "breaker", "broadcast": broadcast_id, "kind": "fault", "why": type(cause).__name__}
        log.info("broadcast %s: paused, an unexpected error: %s", broadcast_id, type(cause).__name__, extra=about)
