"""Ask a worker for a step of an import. What is to be done stands in the database; see `core/imports/runs.py`."""

from webapp.adapters import wakeups
from webapp.adapters.wakeups import Call

RUN_IMPORT = "jobs.run_import.run_import"


def run_import(import_id: int, step: str) -> bool:
    """Ask for the step "check" or "run". Call it after the commit. False when Redis could not be asked; then the sweep does it later."""
    return wakeups.ask(step_of(import_id, step))


def step_of(import_id: int, step: str) -> Call:
    return Call(RUN_IMPORT, (import_id, step), f"import-{import_id}-{step}")
