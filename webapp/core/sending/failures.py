"""When something breaks: whether it may work later, and what is done when it will not."""

import logging

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from webapp.core import broadcasts
from webapp.core.sending.runtime import Runtime

log = logging.getLogger(__name__)


def is_of_the_database(engine: Engine, error: Exception) -> bool:
    """Whether it is the database, or the way to it, that failed; then the same may work later. What it was given and refused, it would
    refuse again."""
    driver = engine.dialect.loaded_dbapi
    if isinstance(error, (IntegrityError, DataError, driver.IntegrityError, driver.DataError)):
        return False
    return isinstance(error, (DBAPIError, driver.Error))


def pause_for(runtime: Runtime, broadcast_id: int, error: Exception) -> None:
    """Stop for a mistake of the program, in sight of those who can act: the next look would only run into it again."""
    # SQLAlchemy's own words hold the statement, and PostgreSQL's further lines the row: whose data that is concerns nobody here.
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
