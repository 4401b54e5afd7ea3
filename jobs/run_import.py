"""Check an uploaded file, or import it; for a slice of time while others wait for this worker."""

from pathlib import Path

from jobs.runtime import Turn, inside_app
from webapp.adapters import import_jobs, import_round, wakeups
from webapp.extensions import db


def run_import(import_id: int, step: str) -> None:
    """Do the step "check" or "run" of an import, or a part of it."""
    with inside_app() as app:
        call, turn = import_jobs.step_of(import_id, step), Turn()
        wakeups.begins(call.key)
        instance = Path(app.config["INSTANCE"])
        if import_round.work_on(db.engine, import_id, step, instance, turn.must_stop, turn.somebody_waits):
            wakeups.ask(call)
