"""The ledger as people read it: every recipient of a broadcast with what became of them, page by page at any length.

Pages go by key, never by offset: a cursor names the last row seen, and the next page begins behind it in the index. A group of
states is walked state by state along `ix_delivery_state`, everything along the primary key, which is in the order of clients.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.core.broadcasts import reported
from webapp.core.broadcasts.progress import Group
from webapp.core.broadcasts.reported import Report
from webapp.core.ledger.order import receiver_of
from webapp.core.rules import reasons
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.relay_event import Fact
from webapp.core.rules.texts import folded
from webapp.core.tables.clients import Client
from webapp.core.tables.deliveries import CLIENTS, Delivery, delivery_id
from webapp.core.tables.events import DeliveryEvent

DELIVERIES_A_PAGE = 50
FEW = 2000
"""Up to this many clients found by a search are looked up one by one; more are met often enough on the way."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery. `address` is where it goes, for skipped rows what stands in the client's record ("" for nothing)."""

    id: int
    client_id: int
    client_number: str
    name: str
    company: str
    address: str
    state: DeliveryState
    reason: str | None
    reply_code: int | None
    reply_text: str | None
    stage: str | None
    attempts: int
    due_at: datetime | None
    stamped_at: datetime | None
    changed_at: datetime
    reports: Sequence[Report] = ()

    @property
    def report(self) -> Report | None:
        """What is to be known first of what was reported later."""
        return self.reports[0] if self.reports else None

    @property
    def stands_in_line(self) -> bool:
        """Whether it waits for the limit of its recipient's domain."""
        return self.state is DeliveryState.PENDING and receiver_of(self.due_at) is not None

    @property
    def next_at(self) -> datetime | None:
        """When it may be tried, or might have been; None where nobody knows."""
        return self.due_at if receiver_of(self.due_at) is None else None

    @property
    def state_word(self) -> str:
        """The state as the console calls it: "Waiting" for what is pending."""
        if self.stands_in_line:
            return "Waiting for its domain"
        return _WORDS.get(self.state, self.state.value.capitalize())

    @property
    def reason_words(self) -> str:
        return reasons.in_words(self.state, self.reason)

    @property
    def whole_words(self) -> str:
        """State, reason, and what was reported since: "Accepted, bounced after 3 min: no such mailbox"."""
        state = f"{self.state_word}: {self.reason_words}" if self.reason_words else self.state_word
        return f"{state}, {self.report.words}" if self.report else state

    @property
    def reply(self) -> str:
        """The relay's own answer in one line: "550 5.1.1 user unknown"; "" when it gave none."""
        text = " ".join((self.reply_text or "").split())
        return f"{self.reply_code} {text}".strip() if self.reply_code else text


_WORDS = {
    DeliveryState.PENDING: "Waiting",
    DeliveryState.CLAIMED: "Sending",
    DeliveryState.SUPPRESSED: "Skipped",
}
"""The states that people call by another word."""


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Rows in order. `previous` and `next` are cursors of the neighbouring pages, None where there is none."""

    rows: Sequence[DeliveryRow]
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A run of the ledger that lies in one index: the rows under `where`, ordered by `keys`, each with whether it falls."""

    where: tuple[ColumnElement[bool], ...]
    keys: tuple[tuple[InstrumentedAttribute[Any], bool], ...]

    def legs(self, after: Sequence[Any], *, backwards: bool) -> Iterator[tuple[list[ColumnElement[bool]], list[Any]]]:
        """The conditions and orders that, one after the other, give every row behind the keys `after` (all rows for no keys).

        Rows that share the first keys come first, then those beyond: a comparison of pairs would not find its place in an index
        that rises in one key and falls in the other.
        """
        for length in range(len(after), 0, -1) if after else (0,):
            conditions = [key == value for (key, _falls), value in zip(self.keys, after[: length - 1], strict=False)]
            if length:
                key, falls = self.keys[length - 1]
                bound = after[length - 1]
                conditions.append(key < bound if falls != backwards else key > bound)
            rest = self.keys[max(length - 1, 0) :]
            yield conditions, [key.desc() if falls != backwards else key.asc() for key, falls in rest]


def listing(
    session: Session,
    broadcast_id: int,
    *,
    group: Group | Fact | None = None,
    search: str = "",
    after: str | None = None,
    before: str | None = None,
    limit: int = DELIVERIES_A_PAGE,
    few: int = FEW,
) -> DeliveryPage:
    """One page of a broadcast's deliveries: the first, or the one behind the cursor `after`, or the one that ends at `before`.

    `search` looks for all its words in names, company, number and address. A cursor that makes no sense gives the first page.
    When at most `few` clients have these words, their deliveries are looked up by id.
    """
    stretches = _stretches(broadcast_id, group)
    found = _found(session, broadcast_id, search, few)
    if before and (place := _place(before, stretches)):
        rows = _walk(session, stretches, found, place, limit + 1, backwards=True)
        more, rows = len(rows) > limit, rows[:limit][::-1]
        if more or rows:
            first, last = _cursors(stretches, rows)
            return DeliveryPage(_with_reports(session, [row for _number, row in rows]), first if more else None, last)
    place = _place(after, stretches) if after else None
    rows = _walk(session, stretches, found, place, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    first, last = _cursors(stretches, rows)
    shown = _with_reports(session, [row for _number, row in rows])
    return DeliveryPage(shown, first if place else None, last if more else None)


def stream(
    session: Session, broadcast_id: int, *, group: Group | Fact | None = None, search: str = ""
) -> Iterator[DeliveryRow]:
    """Every delivery under the same filters as the page, in the same order, read in chunks so that memory stays flat."""
    cursor: str | None = None
    while True:
        page = listing(session, broadcast_id, group=group, search=search, after=cursor, limit=1000)
        yield from page.rows
        session.rollback()  # each chunk sees the present: a long snapshot would keep the database from tidying up
        cursor = page.next
        if cursor is None:
            return


def get(session: Session, broadcast_id: int, delivery_id: int) -> DeliveryRow | None:
    row = session.execute(_rows().where(Delivery.broadcast_id == broadcast_id, Delivery.id == delivery_id)).first()
    return _with_reports(session, [_row(row)])[0] if row else None


def _stretches(broadcast_id: int, group: Group | Fact | None) -> list[_Stretch]:
    ours = Delivery.broadcast_id == broadcast_id
    if group is None:
        return [
            _Stretch(
                (Delivery.id.between(delivery_id(broadcast_id, 0), delivery_id(broadcast_id, CLIENTS - 1)),),
                ((Delivery.id, False),),
            )
        ]
    if isinstance(group, Fact):
        theirs = select(DeliveryEvent.delivery_id).where(*reported.of_broadcast(broadcast_id, group))
        return [_Stretch((Delivery.id.in_(theirs),), ((Delivery.id, False),))]
    stretches = []
    for state in group.states:
        here = (ours, Delivery.state == state)
        stretches.append(
            _Stretch((*here, Delivery.due_at.is_not(None)), ((Delivery.due_at, True), (Delivery.id, False)))
        )
        stretches.append(_Stretch((*here, Delivery.due_at.is_(None)), ((Delivery.id, False),)))
    return stretches


def _walk(
    session: Session,
    stretches: Sequence[_Stretch],
    found: Sequence[ColumnElement[bool]],
    place: tuple[int, tuple[Any, ...]] | None,
    limit: int,
    *,
    backwards: bool = False,
) -> list[tuple[int, DeliveryRow]]:
    """Up to `limit` rows, each with the number of its stretch, from `place` (exclusive) on through the stretches."""
    first = place[0] if place else len(stretches) - 1 if backwards else 0
    rows: list[tuple[int, DeliveryRow]] = []
    for number in range(first, -1, -1) if backwards else range(first, len(stretches)):
        stretch = stretches[number]
        after = place[1] if place and number == place[0] else ()
        for conditions, order in stretch.legs(after, backwards=backwards):
            query = _rows().where(*stretch.where, *conditions, *found).order_by(*order).limit(limit - len(rows))
            rows += [(number, _row(record)) for record in session.execute(query)]
            if len(rows) == limit:
                return rows
    return rows


def _rows() -> Select[*tuple[Any, ...]]:
    return select(
        Delivery.id,
        Delivery.client_id,
        Client.number,
        Client.first_name,
        Client.last_name,
        Client.company,
        Delivery.address,
        Client.email,
        Delivery.state,
        Delivery.reason,
        Delivery.reply_code,
        Delivery.reply_text,
        Delivery.stage,
        Delivery.attempts,
        Delivery.due_at,
        Delivery.stamped_at,
        Delivery.changed_at,
    ).join(Client, Client.id == Delivery.client_id)


def _row(record: Any) -> DeliveryRow:
    id_, client_id, number, first, last, company, address, email, *rest = record
    return DeliveryRow(id_, client_id, number, f"{first} {last}".strip(), company, address or email, *rest)


def _with_reports(session: Session, rows: Sequence[DeliveryRow]) -> list[DeliveryRow]:
    reports = reported.facts_of(session, [row.id for row in rows])
    return [replace(row, reports=reports[row.id]) if row.id in reports else row for row in rows]


def _found(session: Session, broadcast_id: int, search: str, few: int) -> list[ColumnElement[bool]]:
    words = folded(search).split()
    if not words:
        return []
    matching = [Client.search_text.contains(word, autoescape=True) for word in words]
    ids = session.scalars(select(Client.id).where(*matching).limit(few + 1)).all()
    return [Delivery.id.in_([delivery_id(broadcast_id, id_) for id_ in ids])] if len(ids) <= few else matching


def _cursors(stretches: Sequence[_Stretch], rows: Sequence[tuple[int, DeliveryRow]]) -> tuple[str | None, str | None]:
    """The cursors of the first and the last row: the number of the stretch, and the row's keys in it."""
    if not rows:
        return None, None
    first, last = (
        "~".join(
            str(part) for part in (number, *(_whole(getattr(row, key.key)) for key, _falls in stretches[number].keys))
        )
        for number, row in (rows[0], rows[-1])
    )
    return first, last


def _place(cursor: str, stretches: Sequence[_Stretch]) -> tuple[int, tuple[Any, ...]] | None:
    """The stretch and the keys that a cursor names; None for one that was made up."""
    try:
        number, *values = (int(part) for part in cursor.split("~"))
        keys = stretches[number].keys
        if number < 0 or len(values) != len(keys) or any(abs(value) >= 2**63 for value in values):
            return None
        return number, tuple(
            _EPOCH + timedelta(microseconds=value) if len(keys) == 2 and place == 0 else value
            for place, value in enumerate(values)
        )
    except (ValueError, IndexError, OverflowError):
        return None


def _whole(value: Any) -> int:
    return (value - _EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else value
