"""The way of a list of suppressions from upload to done: uploaded -> checking -> checked -> running -> done, each step a compare-and-set.

Both steps read the file in slices, each of them one transaction of the caller in which the counts and the report grow as well. So whoever
goes on after a worker that died begins with the next row; and what was taken over before a stop or a failure stays.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from webapp.core.consent import list_reports
from webapp.core.consent.lists import JudgedRow, ListCounts, SuppressionList
from webapp.core.errors import Conflict, NotFound
from webapp.core.imports import attempts
from webapp.core.imports.attempts import WORKING
from webapp.core.imports.reading import Layout, Source
from webapp.core.rules.consent import SuppressionKind
from webapp.core.rules.suppression_lists import ListPart, ListReading
from webapp.core.tables.imports import ImportState
from webapp.core.tables.list_imports import ListImport, ListReport

S = ImportState
IDLE = tuple(state for state in S if state not in WORKING.values())
MOST_REFUSED = 100_000
"""A file of which so many rows are refused is not read to its end: it is no list of addresses, or read in a wrong way."""
_NO_COUNTS: Mapping[str, Any] = {field.name: 0 for field in fields(ListCounts)} | {"kinds": {}, "error": None}


def create(
    session: Session, given: SuppressionList, *, stored_as: str, size: int, by: str, now: datetime
) -> ListImport:
    """An uploaded list, and how it is read. `size` is in bytes, `by` the address of a user."""
    reading = given.reading
    run = ListImport(
        state=S.UPLOADED,
        file_name=given.name[-255:],
        stored_as=stored_as,
        size=size,
        encoding=given.layout.encoding,
        delimiter=given.layout.delimiter,
        header=list(given.layout.header),
        layout=given.layout.as_stored(),
        reading={
            "columns": {part.value: at for part, at in reading.columns.items()},
            "kind": reading.kind,
            "system": reading.system,
            "remark": reading.remark,
        },
        otherwise=SuppressionKind.IMPORTED,
        created_by=by,
        created_at=now,
    )
    session.add(run)
    session.flush()
    return run


def get(session: Session, import_id: int, *, lock: bool = False) -> ListImport:
    """The import; with `lock` nobody else changes it until the end of the transaction. Raises NotFound."""
    run = session.get(ListImport, import_id, populate_existing=True, with_for_update=lock or None)
    if run is None:
        raise NotFound("This list does not exist any more.")
    return run


def listing(session: Session, limit: int = 50) -> Sequence[ListImport]:
    """The latest ones, the newest first."""
    return session.scalars(select(ListImport).order_by(ListImport.id.desc()).limit(limit)).all()


def layout_of(run: ListImport) -> Layout:
    return Layout.from_stored(run.encoding, run.delimiter, run.header, run.layout)


def list_of(run: ListImport, source: Source) -> SuppressionList:
    """The list as it was found to be read when it was uploaded."""
    said = run.reading
    kind = SuppressionKind(said["kind"]) if said["kind"] else None
    columns = {ListPart(part): at for part, at in said["columns"].items()}
    reading = ListReading(columns, kind, said["system"], said["remark"])
    return SuppressionList(source, layout_of(run), reading, run.file_name)


def begin(session: Session, import_id: int, step: str, now: datetime, otherwise: SuppressionKind | None = None) -> bool:
    """Ask for a step, "check" or "run"; True if it has to be worked on now, False if that was asked for already. `otherwise` is what rows
    are that do not say it: chosen anew with "check", and with "run" what a person saw. Raises Conflict or NotFound."""
    run = get(session, import_id, lock=True)
    if step == "run" and run.state is S.DONE:
        return False
    if not run.stored_as:
        raise Conflict("The uploaded file has been removed. Upload it again.")
    stale = attempts.is_stale(run, now)
    if run.state is WORKING[step] and not stale:
        return False
    sources = (*IDLE, *WORKING.values()) if step == "check" else (S.CHECKED, S.RUNNING)
    if run.state is S.DONE or run.state not in sources or (run.state in WORKING.values() and not stale):
        raise Conflict(_busy_or_done(run))
    columns: dict[str, Any] = dict(_NO_COUNTS) | {"beat_at": None}
    if step == "check":
        columns |= {"rows_total": None, "otherwise": otherwise or run.otherwise}
    elif otherwise not in (None, run.otherwise):
        raise Conflict("Somebody said meanwhile that the rows of this list are something else. Look at it again.")
    return attempts.move(session, ListImport, import_id, (run.state,), WORKING[step], **columns)


def stop(session: Session, import_id: int) -> int:
    """Give up the step that is worked on or waits for a worker, which notices with its next slice. Returns how many addresses were taken
    over before that: they stay."""
    run = get(session, import_id, lock=True)
    taken = taken_over(run)
    if not attempts.move(
        session, ListImport, import_id, tuple(WORKING.values()), S.UPLOADED, beat_at=None, rows_total=None, **_NO_COUNTS
    ):
        raise Conflict(_busy_or_done(run))
    return taken


def taken_over(run: ListImport) -> int:
    """Addresses that are suppressed by it so far."""
    return run.new + run.wider if run.state in (S.RUNNING, S.DONE) else 0


def demand_idle(session: Session, import_id: int) -> None:
    """Raises Conflict while it is worked on."""
    if get(session, import_id).state in WORKING.values():
        raise Conflict("Stop this import first.")


def discard(session: Session, import_id: int) -> str:
    """Delete an import that is not worked on; the name of the file to remove. Suppressions stay as they are."""
    demand_idle(session, import_id)
    run = get(session, import_id)
    stored_as = run.stored_as
    session.delete(run)
    session.flush()
    return stored_as


def forget_files(session: Session, before: datetime) -> None:
    """Forget the files from before that nobody went on with; the caller removes them."""
    unused = ListImport.created_at < before, ListImport.stored_as != "", ListImport.state.in_(IDLE)
    session.execute(update(ListImport).where(*unused).values(stored_as=""))


def forget_reports(session: Session, before: datetime, most: int) -> int:
    """Remove reports of lists that were uploaded before, so many pieces at most, since they hold personal data; the numbers stay. Returns
    how many pieces."""
    is_kept = exists().where(ListReport.import_id == ListImport.id)
    old = select(ListImport.id).where(ListImport.created_at < before, ListImport.state.in_(IDLE), is_kept)
    import_id = session.scalar(old.order_by(ListImport.id).limit(1))
    return list_reports.clear(session, import_id, most) if import_id else 0


@dataclass
class ListStep:
    """One attempt at a step, as values: it outlives each transaction. `counts` are as far as they are committed."""

    import_id: int
    step: str
    attempt: int
    given: SuppressionList
    otherwise: SuppressionKind
    by: str
    counts: ListCounts

    @classmethod
    def of(cls, run: ListImport, step: str, attempt: int, source: Source) -> "ListStep":
        """The attempt that `attempts.take` began."""
        counts = ListCounts(**{one.name: getattr(run, one.name) for one in fields(ListCounts)})
        counts.kinds = Counter(run.kinds)
        return cls(run.id, step, attempt, list_of(run, source), run.otherwise, run.created_by, counts)

    def beat(self, session: Session, now: datetime, **columns: Any) -> None:
        """A sign of life, under the fence. Raises Conflict when another attempt took over or the import was stopped."""
        target = columns.pop("state", WORKING[self.step])
        columns = {"beat_at": now} | columns
        working = (WORKING[self.step],)
        if not attempts.move(session, ListImport, self.import_id, working, target, attempt=self.attempt, **columns):
            raise Conflict("This import was stopped, or another worker has taken it over.")

    def record(self, session: Session, judged: Sequence[JudgedRow], now: datetime) -> ListCounts:
        """Count a slice that was looked at or taken over in this transaction, and keep what became of it. Returns the counts that hold once
        the caller has committed. Raises Conflict behind `MOST_REFUSED` rows that were refused, and as `beat`."""
        counts = ListCounts(**vars(self.counts) | {"kinds": self.counts.kinds.copy()})
        counts.add(judged)
        list_reports.keep(session, self.import_id, self.counts.rows_seen, judged)
        self.beat(session, now, **vars(counts) | {"kinds": dict(counts.kinds)})
        if counts.refused >= MOST_REFUSED:
            raise Conflict(
                f"{counts.refused:,} of the first {counts.rows_seen:,} rows were refused. Is this a list of addresses?"
            )
        return counts

    def finish(self, session: Session, now: datetime) -> None:
        """All rows are done; the file of a list that was taken over is not needed any more."""
        if self.step == "run":
            self.beat(session, now, state=S.DONE, stored_as="", finished_at=now)
        else:
            self.beat(session, now, state=S.CHECKED, rows_total=self.counts.rows_seen)

    def fail(self, session: Session, words: str, now: datetime) -> None:
        """It cannot go on; `words` say why. Raises as `beat`."""
        taken = self.counts.new + self.counts.wider if self.step == "run" else 0
        stay = f" {taken:,} addresses were taken over before that, and stay." if taken else " Nothing was changed."
        self.beat(session, now, state=S.FAILED, error=words + stay)


def _busy_or_done(run: ListImport) -> str:
    return {
        S.UPLOADED: "This list has to be looked through first.",
        S.CHECKING: "This list is being looked through.",
        S.RUNNING: "This list is being taken over.",
        S.DONE: "This list is taken over.",
        S.FAILED: "This list has to be looked through again first.",
    }.get(run.state, "This import was changed meanwhile.")
