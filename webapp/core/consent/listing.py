"""The list of suppressions as people read it: searched, narrowed, a page at a time by key, so that any page costs the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, and_, func, literal, or_, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from webapp.core.consent import settings
from webapp.core.rules.addresses import Address, usable
from webapp.core.rules.consent import SuppressionKind, SuppressionScope
from webapp.core.tables.base import UtcDateTime
from webapp.core.tables.clients import Client
from webapp.core.tables.consent import Suppression
from webapp.core.tables.deliveries import Delivery

PAGE = 50
STREAMED = 2_000
"""Rows of the whole list read at a time."""

FEW = 5_000
"""So many rows are sorted in no time."""

_KEY = (Suppression.created_at, Suppression.address_key, Suppression.kind)


@dataclass(frozen=True)
class SuppressionSearch:
    """What is looked for; empty parts restrict nothing. `words` stand in the address; a whole address finds its hash, too."""

    words: str = ""
    kind: SuppressionKind | None = None
    scope: SuppressionScope | None = None
    source: str = ""


class SuppressionPlace(NamedTuple):
    """Where a page begins: behind this row, or with `is_back` before it."""

    created_at: datetime
    address_key: str
    kind: str
    is_back: bool = False


@dataclass(frozen=True)
class SuppressionPage:
    """Suppressions, the latest first. `newer` and `older` are the places of the pages beside it, None where there is none."""

    rows: Sequence[Suppression]
    total: int
    newer: SuppressionPlace | None
    older: SuppressionPlace | None


def page(session: Session, wanted: SuppressionSearch, place: SuppressionPlace | None = None) -> SuppressionPage:
    """The page at a place; the first without one, and where nothing is left there."""
    conditions = _conditions(session, wanted)
    total = session.scalar(select(func.count()).select_from(Suppression).where(*conditions)) or 0
    if total > FEW:
        conditions = _conditions(session, wanted, in_order=True)
    back = place is not None and place.is_back
    query = select(Suppression).where(*conditions).limit(PAGE + 1).execution_options(populate_existing=True)
    if place is not None:
        query = query.where(_newer_than(place) if back else _older_than(place))
    order = [column.asc() if back else column.desc() for column in _KEY]
    rows = list(session.scalars(query.order_by(*order)))
    if place is not None and (not rows or (back and len(rows) <= PAGE)):
        return page(session, wanted)
    has_more, rows = len(rows) > PAGE, rows[:PAGE]
    if back:
        rows.reverse()
    newer = _place(rows[0], is_back=True) if rows and (has_more if back else place is not None) else None
    older = _place(rows[-1]) if rows and (back or has_more) else None
    return SuppressionPage(rows, total, newer, older)


def stream(session: Session, wanted: SuppressionSearch) -> Iterator[Suppression]:
    """All that is looked for, the latest first, read in pieces so that memory stays flat."""
    place: SuppressionPlace | None = None
    conditions = _conditions(session, wanted)
    while True:
        query = select(Suppression).where(*conditions).order_by(*(column.desc() for column in _KEY)).limit(STREAMED)
        rows = list(session.scalars(query if place is None else query.where(_older_than(place))))
        for row in rows:
            session.expunge(row)
        session.rollback()  # each piece sees the present: a long snapshot would keep the database from tidying up
        yield from rows
        if len(rows) < STREAMED:
            return
        place = _place(rows[-1])


def clients(session: Session, address_keys: Sequence[str]) -> dict[str, tuple[int, str]]:
    """By address, a client who has it: the id and the number."""
    query = select(Client.address_key, Client.id, Client.number).where(Client.address_key.in_(set(address_keys)))
    found: dict[str, tuple[int, str]] = {}
    for address_key, id_, number in session.execute(query.order_by(Client.id)):
        found.setdefault(address_key or "", (id_, number))
    return found


def mails(session: Session, delivery_ids: Sequence[int]) -> Sequence[int]:
    """Those of these deliveries that are still remembered."""
    query = select(Delivery.id).where(Delivery.id.in_(delivery_ids))
    return session.scalars(query).all() if delivery_ids else []


def _conditions(session: Session, wanted: SuppressionSearch, *, in_order: bool = False) -> list[ColumnElement[bool]]:
    """What is asked of a suppression; `in_order`, so that the index of kinds is of no use, which would have all of a kind sorted first."""
    found: list[ColumnElement[bool]] = []
    if wanted.kind:
        hidden = type_coerce(Suppression.kind, String).concat("") == wanted.kind.value
        found.append(hidden if in_order else Suppression.kind == wanted.kind)
    if wanted.scope:
        found.append(Suppression.scope == wanted.scope)
    if wanted.source:
        found.append(Suppression.source == wanted.source)
    if words := wanted.words.strip().lower():
        within = and_(~Suppression.is_hashed, Suppression.address_key.contains(words, autoescape=True))
        whole = usable(words)
        if isinstance(whole, Address):
            forms = settings.read(session).forms(whole.key)
            within = or_(Suppression.address_key.in_(forms), within)
        found.append(within)
    return found


def _place(row: Suppression, *, is_back: bool = False) -> SuppressionPlace:
    return SuppressionPlace(row.created_at, row.address_key, row.kind.value, is_back)


def _older_than(place: SuppressionPlace) -> ColumnElement[bool]:
    older: ColumnElement[bool] = tuple_(*_KEY) < _bound(place)
    return older


def _newer_than(place: SuppressionPlace) -> ColumnElement[bool]:
    newer: ColumnElement[bool] = tuple_(*_KEY) > _bound(place)
    return newer


def _bound(place: SuppressionPlace) -> Any:
    return tuple_(
        literal(place.created_at, UtcDateTime()), literal(place.address_key, String()), literal(place.kind, String())
    )
