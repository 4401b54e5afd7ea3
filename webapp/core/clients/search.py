"""Find clients, and show one with everything they hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from sqlalchemy import ColumnElement, NotNullable, func, or_, select
from sqlalchemy.orm import Session, contains_eager, defer, selectinload

from webapp.core.client_set import ClientSet
from webapp.core.errors import NotFound
from webapp.core.rules.statuses import ClientStatus
from webapp.core.rules.texts import folded
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.clients import AddonAssignment, Client, Product, Service
from webapp.core.tables.deliveries import Delivery, delivery_id

CLIENTS_A_PAGE = 50
BROADCASTS = 500
"""Looked through at once for the mails of a client."""


@dataclass(frozen=True)
class ClientSearch:
    """What clients are looked for by; empty parts restrict nothing. `words` must all stand in number, names, company or e-mail, or
    begin a service's domain. `country` and `language` are codes, `product_id` one of theirs; `without_address`: only those whom no
    mail can reach."""

    words: str = ""
    country: str = ""
    language: str = ""
    status: ClientStatus | None = None
    product_id: int | None = None
    without_address: bool = False

    @property
    def is_empty(self) -> bool:
        return self == ClientSearch()


@dataclass(frozen=True)
class ClientPage:
    """One page of clients by rising id, `services` being how many each holds. `number` counts from 1."""

    rows: Sequence[Client]
    services: dict[int, int]
    total: int
    number: int

    @property
    def first(self) -> int:
        return (self.number - 1) * CLIENTS_A_PAGE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return (self.number - 1) * CLIENTS_A_PAGE + len(self.rows)

    @property
    def has_next(self) -> bool:
        return self.last < self.total


@dataclass(frozen=True)
class Values:
    """What the list can be narrowed by: the values that clients really have."""

    countries: Sequence[str] = field(default_factory=list)
    languages: Sequence[str] = field(default_factory=list)
    products: Sequence[Product] = field(default_factory=list)


class Directory(Protocol):
    """What somebody knows of all clients without reading their table. `matches` is None for a search it cannot answer."""

    @property
    def countries(self) -> Sequence[str]: ...
    @property
    def languages(self) -> Sequence[str]: ...
    def matches(self, wanted: ClientSearch) -> ClientSet | None: ...


def count(session: Session) -> int:
    """How many clients there are."""
    return session.scalar(select(func.count()).select_from(Client)) or 0


def search(session: Session, wanted: ClientSearch, number: int = 1, directory: Directory | None = None) -> ClientPage:
    """A page of the clients that match; a page behind the last is the last. `directory` spares looking for them, where it knows them."""
    matches = directory.matches(wanted) if directory else None
    if matches is None:
        return _looked_for(session, _conditions(wanted), max(1, number))
    number = _within(number, len(matches))
    ids = matches.page((number - 1) * CLIENTS_A_PAGE, CLIENTS_A_PAGE)
    rows = session.scalars(select(Client).where(Client.id.in_(ids)).order_by(Client.id)).all() if ids else []
    return _page(session, rows, len(matches), number)


def _looked_for(session: Session, conditions: Sequence[ColumnElement[bool]], number: int) -> ClientPage:
    """The page as the table has it. Everybody is counted only where the page itself does not show the end."""
    query = select(Client).where(*conditions).order_by(Client.id)
    offset = (number - 1) * CLIENTS_A_PAGE
    rows = session.scalars(query.offset(offset).limit(CLIENTS_A_PAGE + 1)).all()
    if len(rows) <= CLIENTS_A_PAGE and (rows or number == 1):
        return _page(session, rows, offset + len(rows), number)
    total = session.scalar(select(func.count()).select_from(Client).where(*conditions)) or 0
    if not rows:
        number = _within(number, total)
        rows = session.scalars(query.offset((number - 1) * CLIENTS_A_PAGE).limit(CLIENTS_A_PAGE)).all()
    return _page(session, rows[:CLIENTS_A_PAGE], total, number)


def _within(number: int, total: int) -> int:
    return max(1, min(number, -(-total // CLIENTS_A_PAGE)))


def _page(session: Session, rows: Sequence[Client], total: int, number: int) -> ClientPage:
    return ClientPage(rows, _holdings(session, [row.id for row in rows]) if rows else {}, total, number)


def values(session: Session, directory: Directory | None = None) -> Values:
    """The countries, languages and products to choose from; countries and languages from `directory`, if that is given."""
    products = session.scalars(select(Product).order_by(Product.group_name, Product.name)).all()
    if directory:
        return Values(directory.countries, directory.languages, products)
    return Values(
        countries=session.scalars(
            select(NotNullable(Client.country)).where(Client.country.is_not(None)).distinct()
        ).all(),
        languages=session.scalars(
            select(NotNullable(Client.language)).where(Client.language.is_not(None)).distinct()
        ).all(),
        products=products,
    )


def get(session: Session, client_id: int) -> Client:
    """One client with services and addons. Raises NotFound."""
    holdings = selectinload(Client.services)
    client = session.scalar(
        select(Client)
        .where(Client.id == client_id)
        .options(
            holdings.joinedload(Service.product),
            holdings.selectinload(Service.addons).joinedload(AddonAssignment.addon),
        )
    )
    if client is None:
        raise NotFound("This client does not exist (any more).")
    return client


def mails(session: Session, client_id: int, limit: int = CLIENTS_A_PAGE) -> Sequence[tuple[Delivery, Broadcast]]:
    """The deliveries to a client, latest broadcast first, each with its broadcast; at most `limit`. Read is what names and judges a mail,
    not the mail itself."""
    query = (
        select(Delivery, Broadcast)
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .join(Broadcast.content)
        .options(defer(Delivery.merge_values), contains_eager(Broadcast.content).load_only(Content.subject))
    )
    latest = session.scalars(select(Broadcast.id).order_by(Broadcast.id.desc())).all()
    found: list[tuple[Delivery, Broadcast]] = []
    for start in range(0, len(latest), BROADCASTS):
        ids = [delivery_id(broadcast_id, client_id) for broadcast_id in latest[start : start + BROADCASTS]]
        rows = query.where(Delivery.id.in_(ids))
        rows = rows.order_by(Delivery.id.desc()).limit(limit - len(found))
        found += [(delivery, broadcast) for delivery, broadcast in session.execute(rows)]
        if len(found) == limit:
            break
    return found


def is_overdue(service: Service, today: date) -> bool:
    """Whether a service that is in use should have been paid by now."""
    return service.next_due_on is not None and service.next_due_on < today and service.status.value == "active"


def _conditions(wanted: ClientSearch) -> list[ColumnElement[bool]]:
    found = called(wanted.words)
    if wanted.country:
        found.append(Client.country == wanted.country)
    if wanted.language:
        found.append(Client.language == wanted.language)
    if wanted.status:
        found.append(Client.status == wanted.status)
    if wanted.product_id is not None:
        found.append(Client.id.in_(select(Service.client_id).where(Service.product_id == wanted.product_id)))
    if wanted.without_address:
        found.append(Client.address_key.is_(None))
    return found


def called(words: str) -> list[ColumnElement[bool]]:
    """Conditions on `Client`: each of the words stands in number, names, company or e-mail, or begins a service's domain."""
    return [_word(word) for word in folded(words).split()]


def _word(word: str) -> ColumnElement[bool]:
    known = Client.search_text.contains(word, autoescape=True)
    if "." not in word:
        return known
    domain = select(Service.client_id).where(Service.domain.startswith(word, autoescape=True))
    return or_(known, Client.id.in_(domain))


def _holdings(session: Session, ids: Sequence[int]) -> dict[int, int]:
    query = select(Service.client_id, func.count()).where(Service.client_id.in_(ids)).group_by(Service.client_id)
    return dict(session.execute(query).all())
