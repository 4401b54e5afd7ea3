"""A worker's part in imports of lists of suppressions: a step of one, in slices, for a while when others wait for this worker."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock, uploads, wakeups
from webapp.adapters.database import will_write
from webapp.adapters.uploads import MissingFile
from webapp.adapters.wakeups import Call
from webapp.core.cadence import IMPORT_TURN, LIST_SLICE_S
from webapp.core.consent import list_reports, list_runs, lists
from webapp.core.consent.list_runs import ListStep
from webapp.core.consent.lists import ListRow
from webapp.core.errors import Conflict, DomainError, NotFound
from webapp.core.imports import attempts
from webapp.core.imports.reading import Record
from webapp.core.tables.list_imports import ListImport

IMPORT_LIST = "jobs.import_list.import_list"

FIRST_SLICE, SMALLEST_SLICE, LARGEST_SLICE = 200, 20, lists.SLICE
"""Rows in a slice. FIRST_SLICE is for the first one, when nobody knows yet how long a slice takes here."""

SKIPPED_AT_ONCE = 20_000
"""Rows that are gone over between two signs of life, because they are done already."""

log = logging.getLogger(__name__)


def step_of(import_id: int, step: str) -> Call:
    return Call(IMPORT_LIST, (import_id, step), f"list-{import_id}-{step}")


def waiting(engine: Engine) -> list[Call]:
    """The steps that wait for a worker, or whose worker has fallen silent."""
    with Session(engine) as session:
        found = attempts.asking(session, ListImport, clock.now())
    return [step_of(import_id, step) for import_id, step in found]


def ask(import_id: int, step: str) -> bool:
    """Ask for the step "check" or "run". Call it after the commit. False when Redis could not be asked; then the sweep does it later."""
    return wakeups.ask(step_of(import_id, step))


def next_slice(rows: int, took_s: float) -> int:
    """The size of the next slice, when `rows` took `took_s` seconds; at most twice as many."""
    fitting = int(rows * min(LIST_SLICE_S / max(took_s, 0.001), 2.0))
    return min(max(fitting, SMALLEST_SLICE), LARGEST_SLICE)


def work_on(
    engine: Engine,
    import_id: int,
    step: str,
    instance: Path,
    must_stop: Callable[[], bool],
    somebody_waits: Callable[[], bool],
) -> bool:
    """Do the step "check" or "run" of a list, or a part of it; True when it is to be asked for again. The file of a list that is done is
    removed. `instance` is where files lay before they were kept in the database."""
    with Session(engine) as session:
        will_write(session)
        attempt = attempts.take(session, ListImport, import_id, step, clock.now())
        session.commit()
        if attempt is None:
            return False
        try:
            run = list_runs.get(session, import_id)
        except NotFound:
            return False
        name = run.stored_as
        work = ListStep.of(run, step, attempt, uploads.find(engine, name, instance) or MissingFile())
        session.rollback()
        try:
            is_whole = _go_on(session, work, must_stop, somebody_waits)
            if is_whole:
                with _writing(session):
                    work.finish(session, clock.now())
        except Exception as error:
            session.rollback()
            _fail(session, work, error)
            if not isinstance(error, (DomainError, OSError)):
                raise
            return False
    if is_whole:
        _tell(work)
        if step == "run":
            uploads.remove(engine, name, instance)
    return not is_whole


def _go_on(session: Session, work: ListStep, must_stop: Callable[[], bool], somebody_waits: Callable[[], bool]) -> bool:
    """Do slice after slice; False if the work was laid down before the end of the file."""
    if not work.counts.rows_seen:
        _clear(session, work)
    records = work.given.records()
    _skip(session, work, records)
    found, size, begun_at = lists.rows(records, work.given, work.otherwise, clock.now()), FIRST_SLICE, clock.ticks()
    while rows := list(islice(found, size)):
        took_s = _slice(session, work, rows)
        size = next_slice(len(rows), took_s)
        if must_stop() or (clock.ticks() - begun_at > IMPORT_TURN.total_seconds() and somebody_waits()):
            with _writing(session):
                work.beat(session, clock.now(), beat_at=None)
            return False
    return True


def _slice(session: Session, work: ListStep, rows: Sequence[ListRow]) -> float:
    """One slice; for how many seconds it kept others from writing."""
    judged = [] if work.step == "run" else lists.foresee(session, rows)
    with _writing(session):
        began = clock.ticks()
        if work.step == "run":
            judged = lists.take_over(session, rows, clock.now(), by=work.by)
        counts = work.record(session, judged, clock.now())
    work.counts = counts
    session.expunge_all()
    return clock.ticks() - began


def _skip(session: Session, work: ListStep, records: Iterator[Record]) -> None:
    """Go over those records that are done already."""
    left = work.counts.rows_seen
    while left > 0:
        left -= sum(1 for _ in islice(records, min(left, SKIPPED_AT_ONCE))) or left
        with _writing(session):
            work.beat(session, clock.now())


def _clear(session: Session, work: ListStep) -> None:
    """Remove the report of an earlier step."""
    cleared = True
    while cleared:
        with _writing(session):
            work.beat(session, clock.now())
            cleared = list_reports.clear(session, work.import_id) > 0


def _fail(session: Session, work: ListStep, error: Exception) -> None:
    if isinstance(error, DomainError):
        words = str(error)
    elif isinstance(error, OSError):
        words = f"The uploaded file cannot be read: {error.strerror or error}."
    else:
        words = f"It stopped at a fault ({type(error).__name__}); the worker's log says more."
    with suppress(Conflict), _writing(session):
        work.fail(session, words, clock.now())


def _tell(work: ListStep) -> None:
    counts = {name: count for name, count in vars(work.counts).items() if name != "kinds"}
    event = "list_taken_over" if work.step == "run" else "list_checked"
    words = ", ".join(f"{name} {count}" for name, count in counts.items())
    log.info("list %s: %s, %s", work.import_id, event, words, extra={"event": event, "import": work.import_id} | counts)


@contextmanager
def _writing(session: Session) -> Iterator[None]:
    """A transaction that writes, committed at its end."""
    session.rollback()
    will_write(session)
    try:
        yield
    except BaseException:
        session.rollback()
        raise
    session.commit()
