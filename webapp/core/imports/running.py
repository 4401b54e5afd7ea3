"""The work of an import: read the file in chunks, lay out what is to become of each row, and take all of it over at once.

Why this way: rows are laid out in tables of their own, a thousand at a time in short transactions, so that memory does not grow with the
file and nobody who writes waits longer than a few milliseconds. Only then one transaction takes them over by INSERT … SELECT: the clients
are there all at once or not at all, and the write lock of SQLite is held for seconds per million rows instead of for the whole import.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from webapp.core.clients.taking_over import take_over
from webapp.core.errors import Conflict, DomainError
from webapp.core.imports import asking, changes, memory, runs
from webapp.core.imports.answers import Answers
from webapp.core.imports.checking import CheckedRow, Checker
from webapp.core.imports.limits import BATCH_CELLS, BATCH_CHARACTERS, BATCH_ROWS, LONGEST_VALUE
from webapp.core.imports.placing import Placement, place
from webapp.core.imports.reading import Record, Source, records
from webapp.core.imports.survey import Findings, Survey
from webapp.core.tables.imports import WAITING, ImportChange, ImportIssue, ImportRun, ImportState, Verb

ROWS_A_TRANSACTION = BATCH_ROWS
"""Rows of the file that are checked and stored between two commits."""

LINES_CLEARED = 20_000
REASON_LENGTH = 300
MOST_REFUSED = 100_000
"""A file of which so many rows are refused is not read to its end: it is the mapping that is wrong, not the rows."""

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
LayDown = Callable[[timedelta], bool]
"""Given for how long it has been busy: whether the work is to be laid down."""


@dataclass
class ImportCounts:
    """What became of the rows: `rows_seen` is the sum of the others but `repaired`, which are new, changed or unchanged as well."""

    rows_seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    blank: int = 0
    repaired: int = 0

    def add(self, rows: list[CheckedRow], places: list[Placement]) -> None:
        verbs = {place.line: place.verb for place in places}
        self.rows_seen += len(rows)
        for row in rows:
            if row.refused:
                self.refused += 1
                continue
            if row.blank:
                self.blank += 1
                continue
            verb = verbs[row.line]
            self.new += verb is Verb.NEW
            self.changed += verb is Verb.CHANGED
            self.unchanged += verb is Verb.SEEN
            self.repaired += bool(row.issues)


def work(
    session: Session,
    import_id: int,
    step: str,
    source: Source,
    clock: Clock,
    lay_down: LayDown = lambda busy: False,
    *,
    rows: int = ROWS_A_TRANSACTION,
    most_refused: int = MOST_REFUSED,
) -> ImportRun | None:
    """Do the step that was asked for with `runs.begin`: "check" only counts and lists, "run" imports. Returns the import as it is then, or
    None when there was nothing to do here. The file of an import that is DONE is not needed any more. Commits, several times; refusals
    and faults end in the state FAILED with their words. `rows` of the file are checked and stored between two commits; a file of which
    `most_refused` rows are refused is not read to its end.

    Where `lay_down` says so the work is laid down: then the import still asks for its step, and the next call goes on with the next row.
    So it does after a crash, because what is laid out and how far it got stand in the same commits.
    """
    session.commit()  # so that the next transaction begins with a write: SQLite lets none begin in one that has read already
    attempt = runs.take(session, import_id, step, clock())
    if attempt is None:
        return None
    step_work = _Work(session, runs.get(session, import_id), step, attempt, source, clock, rows)
    try:
        if step_work.go_on(lay_down, most_refused):
            step_work.finish()
            step_work.tell()
    except Exception as error:
        session.rollback()
        step_work.fail(error)
        if not isinstance(error, (DomainError, OSError)):
            raise
    return runs.get(session, import_id)


class _Work:
    """One attempt at a step. Every transaction that writes begins with `hold`, the fence, so that an attempt which was taken for dead and
    comes back changes nothing."""

    def __init__(
        self, session: Session, run: ImportRun, step: str, attempt: int, source: Source, clock: Clock, rows: int
    ):
        self.session, self.step, self.attempt, self.source, self.clock = session, step, attempt, source, clock
        self.rows = rows
        self.id, self.kind, self.mapping, self.layout = run.id, run.kind, dict(run.mapping), runs.layout_of(run)
        self.begun, self.findings = run.rows_total is not None, Findings.of_json(run.findings)
        self.answers = Answers.of_json(run.answers)
        self.counts = ImportCounts(**{field.name: getattr(run, field.name) for field in fields(ImportCounts)})
        session.rollback()

    def hold(self, **columns: Any) -> None:
        runs.beat(self.session, self.id, self.step, self.attempt, **{"beat_at": self.clock()} | columns)

    def go_on(self, lay_down: LayDown, most_refused: int) -> bool:
        """Lay out the rows that are not yet; False if the work was laid down before the end of the file."""
        if not self.begun:
            self._begin()
        checker, found = self._checker(), self._records()
        begun_at = self.clock()
        self._skip(found, self.counts.rows_seen)
        for batch in in_batches(found, self.rows):
            self._lay_out([checker.check(record) for record in batch])
            if self.counts.refused >= most_refused:
                raise Conflict(
                    f"{self.counts.refused:,} of the first {self.counts.rows_seen:,} rows were refused. Is the mapping right?"
                )
            if lay_down(self.clock() - begun_at):
                self.hold(beat_at=None)
                self.session.commit()
                return False
        return True

    def _checker(self) -> Checker:
        return Checker(
            self.kind, self.mapping, len(self.layout.header), self.layout.delimiter, self.findings, self.answers
        )

    def _records(self) -> Iterator[Record]:
        """The same records whenever it is called for this import, so that they can be counted and gone on with."""
        return records(self.source, self.layout, self._checker().is_row)

    def _skip(self, found: Iterator[Record], count: int) -> None:
        """Go over those records that are laid out already."""
        for _ in in_batches(islice(found, count), 5 * self.rows):
            self.hold()
            self.session.commit()

    def finish(self) -> None:
        """Take over what is laid out, or after a dry run throw it away."""
        now = self.clock()
        if self.step == "run":
            self.hold(state=ImportState.DONE, stored_as="", finished_at=now)
            take_over(self.session, self.kind, self.id, now)
            memory.remember(self.session, runs.get(self.session, self.id), now)
            self.session.commit()
            self._clear(hold=lambda: None)  # done is for ever: nobody lays anything out for this import any more
        else:
            self._clear(self.hold)
            self.hold(state=ImportState.CHECKED)
            self.session.commit()

    def tell(self) -> None:
        counts = asdict(self.counts)
        done = "imported" if self.step == "run" else "checked"
        about = {"event": done, "import": self.id, "kind": self.kind.value} | counts
        log.info(
            "import %s: %s, %s", self.id, done, ", ".join(f"{name} {n}" for name, n in counts.items()), extra=about
        )

    def fail(self, error: Exception) -> None:
        if isinstance(error, DomainError):
            words = str(error)
        elif isinstance(error, OSError):
            words = f"The uploaded file cannot be read: {error.strerror or error}."
        else:
            words = f"It stopped at a fault ({type(error).__name__}). Nothing was imported; the worker's log says more."
        try:
            self.hold(state=ImportState.FAILED, error=words)
            self.session.commit()
        except Conflict:
            self.session.rollback()
        self._free()

    def _free(self) -> None:
        """Throw away what an attempt laid out that was stopped or has failed. Nothing is done where another attempt goes on with it."""

        def hold() -> None:
            runs.hold_stopped(self.session, self.id, self.attempt)

        try:
            self._clear(hold)
        except Conflict:
            self.session.rollback()

    def _begin(self) -> None:
        """Throw away what an earlier attempt left, and survey the file."""
        self._clear(self.hold)
        self.hold()
        self.session.execute(delete(ImportIssue).where(ImportIssue.import_id == self.id))
        while changes.clear(self.session, self.id):
            self.session.commit()
            self.hold()
        self.session.commit()
        survey = Survey(self.kind, self.mapping, self.answers, len(self.layout.header))
        for batch in in_batches(self._records(), 5 * self.rows):
            survey.add(batch)
            self.hold()
            self.session.commit()
        self.findings = survey.findings
        self.hold(rows_total=survey.total, date_order=self.findings.order.value, findings=self.findings.as_json())
        self.session.commit()
        if self.step == "run":
            asking.demand_clear(asking.of(self.kind, self.findings, self.answers))

    def _lay_out(self, rows: list[CheckedRow]) -> None:
        places = place(self.session, self.kind, self.id, rows)
        changed = changes.rows_of(self.session, self.id, places)
        self.session.rollback()  # ends the reading transaction, so that the next one can begin as a writing one
        self.counts.add(rows, places)
        self.hold(**vars(self.counts))
        table = ImportIssue.__table__
        self._insert(table, list(_issues(self.id, rows)))
        self._insert(ImportChange.__table__, changed)
        self._insert(WAITING[self.kind], [self._seen(one) for one in places if not self._waits(one)])
        self._insert(WAITING[self.kind], [{**self._seen(one), **one.columns} for one in places if self._waits(one)])
        self.session.commit()

    def _waits(self, place: Placement) -> bool:
        """Whether the whole row is needed later. In a dry run it is enough to know that its number was seen."""
        return self.step == "run" and place.verb is not Verb.SEEN

    def _seen(self, place: Placement) -> dict[str, Any]:
        verb = place.verb if self._waits(place) else Verb.SEEN
        return {"import_id": self.id, "line": place.line, "number": place.number, "verb": verb}

    def _insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.session.execute(table.insert(), rows)

    def _clear(self, hold: Callable[[], None]) -> None:
        """Throw away the rows that wait, also those an attempt before left, in short transactions that begin with `hold`."""
        table = WAITING[self.kind]
        last = self.session.scalar(select(func.max(table.c.line)).where(table.c.import_id == self.id))
        self.session.rollback()
        for start in range(0, (last or -1) + 1, LINES_CLEARED):
            hold()
            lines = table.c.line.between(start, start + LINES_CLEARED - 1)
            self.session.execute(delete(table).where(table.c.import_id == self.id, lines))
            self.session.commit()


def in_batches(found: Iterator[Record], rows: int) -> Iterator[list[Record]]:
    """The records in batches of so many `rows`, of fewer where they are wide or long (see `limits`)."""
    batch: list[Record] = []
    cells = characters = 0
    for record in found:
        batch.append(record)
        cells += len(record.cells)
        characters += len(record.text)
        if len(batch) >= rows or cells >= BATCH_CELLS * rows // BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, cells, characters = [], 0, 0
    if batch:
        yield batch


def _issues(import_id: int, rows: list[CheckedRow]) -> Iterator[dict[str, Any]]:
    """The issues of the rows as they are stored; of a refused row only what refused it."""
    for row in rows:
        for issue in row.issues:
            if issue.refused or not row.refused:
                yield {
                    "import_id": import_id,
                    "line": row.line,
                    "field": issue.field,
                    "value": issue.value[:LONGEST_VALUE].replace("\x00", ""),
                    "reason": issue.reason[:REASON_LENGTH],
                    "refused": issue.refused,
                    "row": [cell.replace("\x00", "") for cell in row.cells],
                    "text": row.text.replace("\x00", ""),
                }
