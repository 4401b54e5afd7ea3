"""Ask a worker for a step of an import. What is to be done stands in the database; see `core/imports/runs.py`."""

from webapp.adapters import wakeups

RUN_IMPORT = "jobs.run_import.run_import"


def run_import(import_id: int, step: str) -> bool:
    """Ask for the step "check" or "run". Call it after the commit. False when Redis could not be asked; then the sweep does it later."""
    return wakeups.enqueue(RUN_IMPORT, import_id, step, key=key(import_id, step))


def key(import_id: int, step: str) -> str:
    return f"import-{import_id}-{step}"
