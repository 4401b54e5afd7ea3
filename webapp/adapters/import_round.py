"""A worker's part in imports: a step of one, for a slice of time while others wait for this worker."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock, uploads
from webapp.core.cadence import IMPORT_TURN
from webapp.core.errors import NotFound
from webapp.core.imports import running, runs
from webapp.core.tables.imports import ImportState


def work_on(
    engine: Engine,
    import_id: int,
    step: str,
    instance: Path,
    must_stop: Callable[[], bool],
    somebody_waits: Callable[[], bool],
) -> bool:
    """Do the step "check" or "run" of an import, or a part of it; True when it is to be asked for again. The file of an import that is done
    is removed. `instance` is where files lay before they were kept in the database."""

    def lay_down(busy: timedelta) -> bool:
        return must_stop() or (busy > IMPORT_TURN and somebody_waits())

    with Session(engine) as session:
        try:
            name = runs.get(session, import_id).stored_as
        except NotFound:
            return False
        source = uploads.find(engine, name, instance) or uploads.MissingFile()
        run = running.work(session, import_id, step, source, clock.now, lay_down)
        if run is None:
            return False
        if run.state is ImportState.DONE:
            uploads.remove(engine, name, instance)
        return run.state is runs.WORKING[step]


def waiting(engine: Engine) -> list[tuple[int, str]]:
    """The steps that wait for a worker, or whose worker has fallen silent: import and step."""
    with Session(engine) as session:
        return runs.asking(session, clock.now())
