"""Look through a list of suppressions, or take it over; for a slice of time while others wait for this worker."""

from pathlib import Path

from jobs.runtime import Turn, inside_app
from webapp.adapters import list_round, wakeups
from webapp.extensions import db


def import_list(import_id: int, step: str) -> None:
    """Do the step "check" or "run" of a list, or a part of it."""
    with inside_app() as app:
        call, turn = list_round.step_of(import_id, step), Turn()
        wakeups.begins(call.key)
        instance = Path(app.config["INSTANCE"])
        if list_round.work_on(db.engine, import_id, step, instance, turn.must_stop, turn.somebody_waits):
            wakeups.ask(call)
