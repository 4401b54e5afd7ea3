"""The ledger as CSV, streamed: memory stays flat at any length."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core import delivery_list
from webapp.core.progress import Group
from webapp.core.rules import csv_cells

COLUMNS = (
    "delivery_id",
    "client_id",
    "name",
    "company",
    "address",
    "state",
    "reason",
    "reason_code",
    "reply_code",
    "reply_text",
    "stage",
    "attempts",
    "first_attempt_at",
    "next_attempt_at",
    "changed_at",
)

PIECE = 65536
"""Characters that are given out at a time."""


def lines(session: Session, broadcast_id: int, group: Group | None, search: str) -> Iterator[str]:
    """CSV in UTF-8 with a byte order mark (spreadsheets need it), times in UTC, in pieces of many lines."""
    written, size = ["\ufeff", csv_cells.row(COLUMNS)], 0
    for delivery in delivery_list.stream(session, broadcast_id, group=group, search=search):
        written.append(csv_cells.row(_cells(delivery)))
        size += len(written[-1])
        if size > PIECE:
            yield "".join(written)
            written, size = [], 0
    yield "".join(written)


def _cells(delivery: delivery_list.Row) -> tuple[object, ...]:
    return (
        delivery.id,
        delivery.client_number,
        delivery.name,
        delivery.company,
        delivery.address,
        delivery.state.value,
        delivery.reason_words,
        delivery.reason or "",
        delivery.reply_code or "",
        " ".join((delivery.reply_text or "").split()),
        delivery.stage or "",
        delivery.attempts,
        _instant(delivery.stamped_at),
        _instant(delivery.due_at),
        _instant(delivery.changed_at),
    )


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""
