"""The rows of an import that were refused or repaired: a list to read, and a CSV file to mend and upload again."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp.core.imports.mapping import FIELDS
from webapp.core.rules import csv_cells
from webapp.core.tables.imports import ImportIssue, ImportRun

ISSUES_A_PAGE = 50
BEHIND = ("Line", "Reason", "Text of the line")
"""The columns behind those of the file in a download of rows."""


@dataclass(frozen=True)
class IssuePage:
    """Some issues in the order of the file, the first one being number `first` of `total`, and how many there are of each field."""

    issues: list[ImportIssue]
    first: int
    total: int
    by_field: list[tuple[str, int]]


def listing(
    session: Session,
    import_id: int,
    *,
    refused: bool,
    field: str | None = None,
    offset: int = 0,
    limit: int = ISSUES_A_PAGE,
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
    separator, so that it can be mended and uploaded again. What could not be told apart stands whole in the last column, and in
    the others where it fits. Cells that a spreadsheet would execute are made harmless.
    """
    delimiter = run.delimiter or ","
    yield "\ufeff" + csv_cells.row([*run.header, *BEHIND], delimiter)
    found = session.scalars(
        select(ImportIssue)
        .where(ImportIssue.import_id == run.id, ImportIssue.refused == refused)
        .order_by(ImportIssue.line, ImportIssue.id)
        .execution_options(yield_per=1000)
    )
    for _, group in groupby(found, key=lambda issue: issue.line):
        issues = list(group)
        first = issues[0]
        reasons = "; ".join(f"{label(run, issue.field)}: {issue.reason}" for issue in issues)
        missing = [""] * (len(run.header) - len(first.row))
        yield csv_cells.row([*first.row, *missing, first.line, reasons, first.text], delimiter)
