"""The ledger as CSV, streamed: memory stays flat at any length."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from webapp.core.broadcasts import delivery_list, mail_uses
from webapp.core.broadcasts.mail_uses import DeliveryUses
from webapp.core.broadcasts.progress import Group
from webapp.core.rules import csv_cells
from webapp.core.rules.relay_event import Fact

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
    "Reported",
    "Reported at (UTC)",
    "Reason code",
    "Delivery ID",
)
"""In the words of the page; codes and ids, for programs, come last."""

OF_USES = (
    "Clicked first (UTC)",
    "Clicks",
    "Clicks of filters",
    "Opened first (UTC)",
    "Opens",
    "Fetched by the mail program",
)
"""Further columns, behind the others, of a mass mail whose clicks or opens are counted."""

AT_ONCE = 1000
"""Mails whose clicks and opens are looked up together."""

PIECE_CHARACTERS = 65536
"""Characters that are given out at a time."""


def lines(
    session: Session, broadcast_id: int, group: Group | Fact | None, search: str, *, with_uses: bool = False
) -> Iterator[str]:
    """CSV in UTF-8 with a byte order mark (spreadsheets need it), times in UTC, in pieces of many lines."""
    written, size = ["\ufeff", csv_cells.row(COLUMNS + (OF_USES if with_uses else ()))], 0
    deliveries = delivery_list.stream(session, broadcast_id, group=group, search=search)
    for cells in _with_uses(session, deliveries) if with_uses else map(_cells, deliveries):
        written.append(csv_cells.row(cells))
        size += len(written[-1])
        if size > PIECE_CHARACTERS:
            yield "".join(written)
            written, size = [], 0
    yield "".join(written)


def _cells(row: delivery_list.DeliveryRow) -> tuple[object, ...]:
    return (
        row.client_number,
        row.name,
        row.company,
        row.address,
        row.state_word,
        row.reason_words,
        row.reply,
        row.stage or "",
        row.attempts,
        _instant(row.stamped_at),
        _instant(row.next_at),
        _instant(row.changed_at),
        row.report.words if row.report else "",
        _instant(row.report.at) if row.report else "",
        row.reason or "",
        row.id,
    )


def _with_uses(session: Session, deliveries: Iterator[delivery_list.DeliveryRow]) -> Iterator[tuple[object, ...]]:
    while some := list(islice(deliveries, AT_ONCE)):
        found = mail_uses.of_deliveries(session, [row.id for row in some])
        for row in some:
            yield (*_cells(row), *_cells_of_uses(found.get(row.id, DeliveryUses())))


def _cells_of_uses(uses: DeliveryUses) -> tuple[object, ...]:
    clicks = (_instant(uses.clicked_at), uses.clicks, uses.machine_clicks)
    return (*clicks, _instant(uses.opened_at), uses.opens, uses.fetches)


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""
