"""The ledger as CSV, streamed: memory stays flat at any length."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core import delivery_list
from webapp.core.progress import Group

COLUMNS = (
    "Client ID",
    "Recipient",
    "Company",
    "Address",
    "State",
    "Reason",
    "The relay said",
    "Stage",
    "Attempts",
    "First attempt (UTC)",
    "Next attempt (UTC)",
    "At (UTC)",
    "Reason code",
    "Delivery ID",
)
"""In the words of the page; codes and ids, for programs, come last."""


def lines(session: Session, broadcast_id: int, group: Group | None, search: str) -> Iterator[str]:
    """CSV in UTF-8 with a byte order mark (spreadsheets need it), times in UTC, in pieces of many lines."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(COLUMNS)
    for row in delivery_list.stream(session, broadcast_id, group=group, search=search):
        writer.writerow(
            (
                harmless(row.client_number),
                harmless(row.name),
                harmless(row.company),
                harmless(row.address),
                row.state_word,
                row.reason_words,
                harmless(row.reply),
                row.stage or "",
                row.attempts,
                _instant(row.stamped_at),
                _instant(row.due_at),
                _instant(row.changed_at),
                row.reason or "",
                row.id,
            )
        )
        if buffer.tell() > 65536:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe stands before what would begin one."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""
