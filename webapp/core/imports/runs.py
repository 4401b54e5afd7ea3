"""An import's way from upload to done: uploaded -> checking -> checked -> running -> done, each step a compare-and-set.

A worker that died is known by its silence (`IMPORT_SILENT`): the sweep asks for the step again, and it goes on with the next row.
Nothing of an import can be seen in the client list before the one transaction that takes all of it over.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.cadence import IMPORT_SILENT
from webapp.core.errors import Conflict, NotFound
from webapp.core.imports import asking as questions
from webapp.core.imports import attempts
from webapp.core.imports import mapping as mappings
from webapp.core.imports.answers import NO_ANSWERS, Answers
from webapp.core.imports.reading import Layout
from webapp.core.rules import digests
from webapp.core.tables.imports import WAITING, ImportChange, ImportIssue, ImportKind, ImportRun, ImportState

S = ImportState
WORKING, is_stale = attempts.WORKING, attempts.is_stale
_NO_COUNTS = {
    "rows_seen": 0,
    "new": 0,
    "changed": 0,
    "unchanged": 0,
    "refused": 0,
    "blank": 0,
    "repaired": 0,
    "error": None,
}


class Reassigned(Conflict):
    """The file is not read any more as it was when somebody looked at what an import would do."""

    def __init__(self, run: ImportRun):
        then = {
            S.CHECKED: "Nothing was imported. Below is what an import would do now; or assign them anew, and check again.",
            S.CHECKING: "Nothing was imported. The file is being checked as they are assigned now.",
            S.RUNNING: "The file is being imported so.",
            S.DONE: "The file was imported so.",
        }.get(run.state, "Nothing was imported: check again.")
        super().__init__(f"The columns were assigned differently since you looked. {then}")


def create(
    session: Session,
    *,
    file_name: str,
    stored_as: str,
    size: int,
    layout: Layout,
    kind: ImportKind,
    mapping: Mapping[str, int],
    answers: Answers = NO_ANSWERS,
    user_id: int | None,
    now: datetime,
) -> ImportRun:
    """An uploaded file, with what was guessed about it. `size` is in bytes."""
    run = ImportRun(
        kind=kind,
        state=S.UPLOADED,
        file_name=file_name[-255:],
        stored_as=stored_as,
        size=size,
        encoding=layout.encoding,
        delimiter=layout.delimiter,
        header=list(layout.header),
        reading=layout.as_stored(),
        mapping=dict(mapping),
        answers=answers.as_json(),
        created_by=user_id,
        created_at=now,
    )
    session.add(run)
    session.flush()
    return run


def get(session: Session, import_id: int, *, lock: bool = False) -> ImportRun:
    """The import; with `lock` nobody else changes it until the end of the transaction. Raises NotFound."""
    run = session.get(ImportRun, import_id, populate_existing=True, with_for_update=lock or None)
    if run is None:
        raise NotFound("This import does not exist any more.")
    return run


def listing(session: Session, limit: int = 50) -> list[ImportRun]:
    """The latest imports, the newest first."""
    return list(session.scalars(select(ImportRun).order_by(ImportRun.id.desc()).limit(limit)))


def layout_of(run: ImportRun) -> Layout:
    return Layout.from_stored(run.encoding, run.delimiter, run.header, run.reading)


def digest(run: ImportRun) -> str:
    """Equal for equal kind, columns and way of reading. With it a page tells which reading of the file it shows the outcome of."""
    return digests.digest([run.kind, run.encoding, run.delimiter, run.header, run.mapping, run.reading, run.answers])


def remap(
    session: Session,
    import_id: int,
    kind: ImportKind,
    mapping: Mapping[str, int],
    layout: Layout,
    answers: Answers = NO_ANSWERS,
) -> ImportRun:
    """Read the file in another way; it has to be checked again. Raises Invalid for a mapping that does not do, Conflict while it is
    worked on or done."""
    mapping = mappings.checked(kind, mapping, len(layout.header), answers.constants)
    changed = attempts.move(
        session,
        ImportRun,
        import_id,
        (S.UPLOADED, S.CHECKED, S.FAILED),
        S.UPLOADED,
        kind=kind,
        mapping=mapping,
        answers=answers.as_json(),
        findings={},
        encoding=layout.encoding,
        delimiter=layout.delimiter,
        header=list(layout.header),
        reading=layout.as_stored(),
        rows_total=None,
        **_NO_COUNTS,
    )
    if not changed:
        raise Conflict(_busy_or_done(get(session, import_id)))
    return get(session, import_id)


def reopen(
    session: Session,
    import_id: int,
    kind: ImportKind,
    mapping: Mapping[str, int],
    answers: Answers,
    layout: Layout | None = None,
) -> ImportRun:
    """Propose anew what the file is, and note how it is written where `layout` is given; it has to be checked again. The mapping need not
    do yet. Raises Conflict while it is worked on or done."""
    sources = (S.UPLOADED, S.CHECKED, S.FAILED)
    columns: dict[str, Any] = {"kind": kind, "mapping": dict(mapping), "answers": answers.as_json()}
    columns |= {"findings": {}, "rows_total": None}
    if layout is not None:
        columns |= {"encoding": layout.encoding, "delimiter": layout.delimiter, "header": list(layout.header)}
        columns["reading"] = layout.as_stored()
    if not attempts.move(session, ImportRun, import_id, sources, S.UPLOADED, **columns, **_NO_COUNTS):
        raise Conflict(_busy_or_done(get(session, import_id)))
    return get(session, import_id)


def rename_file(session: Session, import_id: int, old: str, new: str) -> None:
    """The uploaded file is kept under a new name. Nothing happens if it is not the `old` one any more."""
    session.execute(
        update(ImportRun).where(ImportRun.id == import_id, ImportRun.stored_as == old).values(stored_as=new)
    )


def begin(
    session: Session, import_id: int, step: str, now: datetime, *, unchecked: bool = False, seen: str | None = None
) -> bool:
    """Ask for a step, "check" or "run"; True if it has to be worked on now, False if that was asked for already.

    "run" wants a checked file, unless `unchecked` is meant, and no other import running. `seen` is the `digest` of the import when it
    was decided. Raises Conflict or NotFound, also where something has to be said first; Reassigned when the file is read in another way
    by now.
    """
    run = get(session, import_id, lock=True)
    if seen is not None and seen != digest(run):
        raise Reassigned(run)
    if step == "run" and run.state is S.DONE:
        return False
    if not run.stored_as:
        raise Conflict("The uploaded file has been removed. Upload it again.")
    stale = is_stale(run, now)
    if run.state is WORKING[step] and not stale:
        return False
    sources = {"check": (S.UPLOADED, S.CHECKED, S.FAILED, S.CHECKING, S.RUNNING), "run": (S.CHECKED, S.RUNNING)}[step]
    if unchecked:
        sources = (*sources, S.UPLOADED)
    if run.state not in sources or (run.state in WORKING.values() and not stale):
        raise Conflict(_busy_or_done(run))
    questions.demand_answers(run, step)
    if step == "run":
        _end_stale_others(session, import_id, now)
    try:
        moved = attempts.move(
            session, ImportRun, import_id, (run.state,), WORKING[step], beat_at=None, rows_total=None, **_NO_COUNTS
        )
    except IntegrityError:
        session.rollback()
        raise Conflict("Another import is running. Start this one when it is done.") from None
    return moved


def asking(session: Session, now: datetime) -> list[tuple[int, str]]:
    """The imports that wait for a worker, or whose worker has fallen silent, each with its step: a worker is to be asked (again)."""
    return attempts.asking(session, ImportRun, now)


def take(session: Session, import_id: int, step: str, now: datetime) -> int | None:
    """Take up the step that was asked for; the number of the attempt, or None if nobody asks or somebody else is at it. Commits."""
    taken = attempts.take(session, ImportRun, import_id, step, now)
    session.commit()
    return taken


def beat(session: Session, import_id: int, step: str, attempt: int, **columns: Any) -> None:
    """Write the columns of the step that is worked on, under its fence. The first statement of its transaction: on SQLite it takes the
    write lock. Raises Conflict when another attempt took over or the import was stopped.
    """
    held = attempts.move(
        session, ImportRun, import_id, (WORKING[step],), columns.pop("state", WORKING[step]), attempt=attempt, **columns
    )
    if not held:
        session.rollback()
        raise Conflict("This import was stopped, or another worker has taken it over.")


def hold_stopped(session: Session, import_id: int, attempt: int) -> None:
    """The first statement of a transaction that tidies up after the attempt which was stopped. Raises Conflict where it is not stopped, or
    another one has begun."""
    idle = tuple(state for state in S if state not in WORKING.values())
    condition = ImportRun.id == import_id, ImportRun.attempt == attempt, ImportRun.state.in_(idle)
    if not guarded.change_one(session, update(ImportRun).where(*condition).values(beat_at=None), synchronize="auto"):
        session.rollback()
        raise Conflict("This import is worked on.")


def stop(session: Session, import_id: int) -> ImportRun:
    """Give up the step that is worked on or waits for a worker. The worker notices before its next batch and throws away what it had laid
    out; the file can be checked again."""
    run = get(session, import_id)
    if not attempts.move(
        session, ImportRun, import_id, tuple(WORKING.values()), S.UPLOADED, beat_at=None, rows_total=None, **_NO_COUNTS
    ):
        raise Conflict(_busy_or_done(run))
    return get(session, import_id)


def discard(session: Session, import_id: int) -> str:
    """Delete an import that is not worked on, with its issues; the name of the file to remove. Clients stay as they are."""
    run = get(session, import_id)
    if run.state in WORKING.values():
        raise Conflict("Stop this import first.")
    stored_as = run.stored_as
    session.delete(run)
    session.flush()
    return stored_as


def forget_old(session: Session, *, files_before: datetime, issues_before: datetime) -> None:
    """Forget the refused, repaired and changed rows of imports that began before `issues_before`, since they hold personal data, and the
    files from before `files_before` that nobody went on with (the caller removes them). The numbers of an import stay."""
    old = select(ImportRun.id).where(ImportRun.created_at < issues_before)
    for told in (ImportIssue, ImportChange):
        session.execute(delete(told).where(told.import_id.in_(old)))
    idle = select(ImportRun.id).where(ImportRun.state.not_in(WORKING.values()))
    for waiting in WAITING.values():  # what a worker left that died before it could tidy up
        session.execute(delete(waiting).where(waiting.c.import_id.in_(idle)))
    unused = (
        ImportRun.created_at < files_before,
        ImportRun.stored_as != "",
        ImportRun.state.not_in(WORKING.values()),
    )
    session.execute(update(ImportRun).where(*unused).values(stored_as=""))


def _end_stale_others(session: Session, import_id: int, now: datetime) -> None:
    session.execute(
        update(ImportRun)
        .where(ImportRun.id != import_id, ImportRun.state == S.RUNNING, ImportRun.beat_at < now - IMPORT_SILENT)
        .values(state=S.FAILED, error="The worker stopped before it was done. Nothing was imported.", beat_at=None)
    )


def _busy_or_done(run: ImportRun) -> str:
    return {
        S.UPLOADED: "This file has to be checked first.",
        S.CHECKING: "This file is being checked.",
        S.RUNNING: "This import is running.",
        S.DONE: "This import is done.",
        S.FAILED: "This file has to be checked again first.",
    }.get(run.state, "This import was changed meanwhile.")
