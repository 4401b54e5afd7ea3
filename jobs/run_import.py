"""Check an uploaded file, or import it; for a slice of time while others wait for this worker."""

from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.orm import Session

from jobs.runtime import Turn, inside_app
from webapp.adapters import clock, import_jobs, uploads, wakeups
from webapp.core.cadence import IMPORT_TURN
from webapp.core.errors import Conflict, NotFound
from webapp.core.imports import running, runs
from webapp.core.imports.uploads import GONE
from webapp.core.tables.imports import ImportState
from webapp.extensions import db


class Missing:
    """In place of a file that is not in the database, and not on this machine either."""

    def open(self, _mode: str, /) -> BinaryIO:
        raise Conflict(GONE)


def ask_for_waiting() -> None:
    """Ask for the steps that wait for a worker, or whose worker has fallen silent. Call it inside the app's context."""
    with Session(db.engine) as session:
        asking = runs.asking(session, clock.now())
    for import_id, step in asking:
        import_jobs.run_import(import_id, step)


def run_import(import_id: int, step: str) -> None:
    """Do the step "check" or "run" of an import, or a part of it."""
    with inside_app() as app:
        wakeups.begins(import_jobs.key(import_id, step))
        turn = Turn()
        instance = Path(app.config["INSTANCE"])

        def lay_down(busy: timedelta) -> bool:
            return turn.must_stop() or (busy > IMPORT_TURN and turn.somebody_waits())

        with Session(db.engine) as session:
            try:
                name = runs.get(session, import_id).stored_as
            except NotFound:
                return
            source = uploads.find(db.engine, name, instance) or Missing()
            run = running.work(session, import_id, step, source, clock.now, lay_down)
            if run is None:
                return
            if run.state is ImportState.DONE:
                uploads.remove(db.engine, name, instance)
            elif run.state is runs.WORKING[step]:
                import_jobs.run_import(import_id, step)
