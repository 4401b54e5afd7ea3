"""The rows of an import that were refused or repaired: a list to read, and a CSV file to mend and upload again."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp.core.imports.mapping import FIELDS
from webapp.core.rules import csv_cells
from webapp.core.tables.imports import ImportIssue, ImportRun

PAGE = 50


@dataclass(frozen=True)
class IssuePage:
    """Some issues in the order of the file, the first one being number `first` of `total`, and how many there are of each field."""

    issues: list[ImportIssue]
    first: int
    total: int
    by_field: list[tuple[str, int]]


def listing(
    session: Session, import_id: int, *, refused: bool, field: str | None = None, offset: int = 0, limit: int = PAGE
) -> IssuePage:
    """The issues of refused rows, or of repaired ones; of one field, if one is given."""
    these: tuple[ColumnElement[bool], ...] = (ImportIssue.import_id == import_id, ImportIssue.refused == refused)
    by_field = session.execute(
        select(ImportIssue.field, func.count())
        .where(*these)
        .group_by(ImportIssue.field)
        .order_by(func.count().desc(), ImportIssue.field)
    )
    counts = [(name, count) for name, count in by_field]
    if field:
        these = (*these, ImportIssue.field == field)
    total = sum(count for name, count in counts if not field or name == field)
    found = session.scalars(
        select(ImportIssue).where(*these).order_by(ImportIssue.line, ImportIssue.id).offset(offset).limit(limit)
    )
    return IssuePage(list(found), offset + 1, total, counts)


def label(run: ImportRun, field: str) -> str:
    """How people call the field of an issue."""
    return next((one.label for one in FIELDS[run.kind] if one.name == field), "Whole row")


def as_csv(session: Session, run: ImportRun, *, refused: bool) -> Iterator[str]:
    """The rows with issues as they stood in the file, with the line and the reasons behind, under the file's own header and with its own
    separator, so that it can be mended and uploaded again. Cells that a spreadsheet would execute are made harmless.
    """
    delimiter = run.delimiter or ","
    yield "\ufeff" + csv_cells.row([*run.header, "Line", "Reason"], delimiter)
    found = session.scalars(
        select(ImportIssue)
        .where(ImportIssue.import_id == run.id, ImportIssue.refused == refused)
        .order_by(ImportIssue.line, ImportIssue.id)
        .execution_options(yield_per=1000)
    )
    line: int | None = None
    cells: list[str] = []
    reasons: list[str] = []
    for issue in found:
        if issue.line != line:
            if line is not None:
                yield csv_cells.row(_cells(run, cells, line, reasons), delimiter)
            line, cells, reasons = issue.line, issue.row, []
        reasons.append(f"{label(run, issue.field)}: {issue.reason}")
    if line is not None:
        yield csv_cells.row(_cells(run, cells, line, reasons), delimiter)


def _cells(run: ImportRun, cells: list[str], line: int, reasons: list[str]) -> list[str]:
    padded = cells + [""] * (len(run.header) - len(cells))
    return [*padded, str(line), "; ".join(reasons)]
