"""Who works on an import: a worker takes its step up under a number, the fence, and gives signs of life. One that has fallen silent for
`IMPORT_SILENT` is taken for dead; whoever holds an older number writes nothing any more. The same for each kind of import."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.cadence import IMPORT_SILENT
from webapp.core.tables.imports import ImportRun, ImportState
from webapp.core.tables.list_imports import ListImport

Imports = type[ImportRun] | type[ListImport]

WORKING = {"check": ImportState.CHECKING, "run": ImportState.RUNNING}
"""The state in which a step is worked on."""


def is_stale(run: ImportRun | ListImport, now: datetime) -> bool:
    """Whether the worker of the step that is being worked on has fallen silent. One that still waits for a worker is not stale."""
    return run.state in WORKING.values() and run.beat_at is not None and now - run.beat_at > IMPORT_SILENT


def asking(session: Session, imports: Imports, now: datetime) -> list[tuple[int, str]]:
    """Those that wait for a worker, or whose worker has fallen silent, each with its step: a worker is to be asked (again)."""
    steps = {state: step for step, state in WORKING.items()}
    found = session.execute(
        select(imports.id, imports.state)
        .where(imports.state.in_(steps), or_(imports.beat_at.is_(None), imports.beat_at < now - IMPORT_SILENT))
        .order_by(imports.id)
    )
    return [(import_id, steps[state]) for import_id, state in found]


def take(session: Session, imports: Imports, import_id: int, step: str, now: datetime) -> int | None:
    """Take up the step that was asked for; the number of the attempt, or None if nobody asks or somebody else is at it. The caller
    commits."""
    taken = (
        update(imports)
        .where(
            imports.id == import_id,
            imports.state == WORKING[step],
            or_(imports.beat_at.is_(None), imports.beat_at < now - IMPORT_SILENT),
        )
        .values(beat_at=now, attempt=imports.attempt + 1)
    )
    return session.execute(taken.returning(imports.attempt)).scalar()


def move(
    session: Session,
    imports: Imports,
    import_id: int,
    sources: Sequence[ImportState],
    target: ImportState,
    *,
    attempt: int | None = None,
    **columns: Any,
) -> bool:
    """Compare-and-set; with `attempt` under its fence."""
    condition = [imports.id == import_id, imports.state.in_(sources)]
    if attempt is not None:
        condition.append(imports.attempt == attempt)
    moved = update(imports).where(*condition).values(state=target, **columns)
    return guarded.change_one(session, moved, synchronize="auto")
