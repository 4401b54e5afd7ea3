"""Suppressions as CSV, for people and for other systems; `lists.py` reads it again as it was."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from webapp.core.consent import listing
from webapp.core.consent.listing import SuppressionSearch
from webapp.core.rules import csv_cells

COLUMNS = ("Address", "Kind", "Scope", "Reason", "Source", "Evidence", "Since (UTC)", "By")
PIECE = 65536
"""Characters that are given out at a time."""


def as_csv(session: Session, wanted: SuppressionSearch) -> Iterator[str]:
    """CSV in UTF-8 with a byte order mark (spreadsheets need it), times in UTC, in pieces of many lines, so that memory stays flat."""
    written, size = ["\ufeff", csv_cells.row(COLUMNS)], 0
    for row in listing.stream(session, wanted):
        since = row.created_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        cells = (row.address_key, row.kind.label, row.scope.label, row.reason, row.source, row.evidence, since)
        written.append(csv_cells.row((*cells, row.created_by)))
        size += len(written[-1])
        if size > PIECE:
            yield "".join(written)
            written, size = [], 0
    yield "".join(written)
