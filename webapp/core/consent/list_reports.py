"""What became of the rows of a list, as people read it: a page at a time, or all of it as CSV. It is kept in small compressed pieces."""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.core.consent.lists import JudgedRow
from webapp.core.rules import csv_cells
from webapp.core.rules.consent import EntryFate
from webapp.core.tables.list_imports import ListReport

ROWS_A_PAGE = 50
COLUMNS = ("Line", "Address or row", "What became of it", "Why")
NUMBERS_AT_ONCE = 20
"""Slices of which the report is read at a time."""
CLEARED_AT_ONCE = 200
"""Pieces that are removed in a transaction."""


class ReportedRow(NamedTuple):
    """A row: its line, from 1; the address as it is kept, or what stands there; and why, where its fate does not say it."""

    line: int
    text: str
    why: str


@dataclass(frozen=True)
class ReportPage:
    """Some rows of one fate in the order of the file, the first one being number `first` of `total`."""

    rows: Sequence[ReportedRow]
    first: int
    total: int

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def keep(session: Session, import_id: int, number: int, judged: Sequence[JudgedRow]) -> None:
    """Keep what became of a slice, in the transaction in which it did. `number` grows from slice to slice."""
    by_fate: dict[EntryFate, list[JudgedRow]] = {}
    for row in judged:
        by_fate.setdefault(row.fate, []).append(row)
    pieces: list[dict[str, Any]] = [
        {"import_id": import_id, "fate": fate, "number": number, "count": len(rows), "data": _packed(rows)}
        for fate, rows in by_fate.items()
    ]
    if pieces:
        session.execute(ListReport.__table__.insert(), pieces)


def page(session: Session, import_id: int, fate: EntryFate, offset: int = 0) -> ReportPage:
    """The rows of a fate behind the first `offset` ones."""
    mine = ListReport.import_id == import_id, ListReport.fate == fate
    counts = session.execute(select(ListReport.number, ListReport.count).where(*mine).order_by(ListReport.number)).all()
    total = sum(count for _, count in counts)
    found: list[ReportedRow] = []
    before = 0
    for number, count in counts:
        if before + count > offset and len(found) < ROWS_A_PAGE:
            data = session.scalars(select(ListReport.data).where(*mine, ListReport.number == number)).one()
            found += _unpacked(data)[max(0, offset - before) :]
        before += count
    return ReportPage(found[:ROWS_A_PAGE], offset + 1, total)


def as_csv(session: Session, import_id: int, fate: EntryFate | None) -> Iterator[str]:
    """All rows, or those of one fate, in the order of the file: CSV in UTF-8 with a byte order mark, in pieces."""
    yield "\ufeff" + csv_cells.row(COLUMNS)
    mine = [ListReport.import_id == import_id, *([ListReport.fate == fate] if fate else [])]
    last = -1
    while True:
        numbers = select(ListReport.number).where(*mine, ListReport.number > last).distinct()
        some = session.scalars(numbers.order_by(ListReport.number).limit(NUMBERS_AT_ONCE)).all()
        if not some:
            return
        last = some[-1]
        read = select(ListReport.number, ListReport.fate, ListReport.data).where(*mine, ListReport.number.in_(some))
        pieces = session.execute(read.order_by(ListReport.number)).all()
        session.rollback()  # each piece sees the present: a long snapshot would keep the database from tidying up
        for _, group in groupby(pieces, key=lambda piece: piece.number):
            lines = [(row, piece.fate) for piece in group for row in _unpacked(piece.data)]
            lines.sort(key=lambda line: line[0].line)
            yield "".join(csv_cells.row((row.line, row.text, of.label, row.why)) for row, of in lines)


def clear(session: Session, import_id: int, most: int = CLEARED_AT_ONCE) -> int:
    """Remove some pieces of the report, and return how many. The caller commits."""
    some = select(ListReport.fate, ListReport.number).where(ListReport.import_id == import_id).limit(most)
    keys = sorted(tuple(key) for key in session.execute(some))
    for fate, group in groupby(keys, key=lambda key: key[0]):
        numbers = [number for _, number in group]
        piece = ListReport.import_id == import_id, ListReport.fate == fate, ListReport.number.in_(numbers)
        session.execute(delete(ListReport).where(*piece), execution_options={"synchronize_session": False})
    return len(keys)


def _packed(rows: Sequence[JudgedRow]) -> bytes:
    return zlib.compress(json.dumps([(row.line, row.text, row.why) for row in rows], ensure_ascii=False).encode(), 1)


def _unpacked(data: bytes) -> list[ReportedRow]:
    return [ReportedRow(*row) for row in json.loads(zlib.decompress(data))]
