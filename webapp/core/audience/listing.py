"""The clients behind a term of the sum, a page at a time, as rows of `recipients()` with what a person wants to see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core import clients
from webapp.core.audience.counting import Selected, Term, select_terms
from webapp.core.audience.filter import Audience
from webapp.core.audience.selection import recipients
from webapp.core.audience.set_queries import set_of
from webapp.core.rules.lifecycle import SkipReason
from webapp.core.tables.broadcasts import Pick, PickKind
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service

SAMPLE = 20


@dataclass(frozen=True)
class Holding:
    """The service whose data the tags take, and for addons the assignment on it."""

    service: Service
    product: Product
    addon: Addon | None = None
    assignment: AddonAssignment | None = None


@dataclass(frozen=True)
class Recipient:
    """A client of an audience: whether they get it (`skip_reason` None) or why not, and what was decided by hand about them."""

    client: Client
    skip_reason: SkipReason | None
    pick: PickKind | None
    holding: Holding | None

    @property
    def name(self) -> str:
        return client_name(self.client)


@dataclass(frozen=True)
class Listing:
    rows: Sequence[Recipient]
    total: int
    offset: int
    limit: int


def client_name(client: Client) -> str:
    """What a client is called: the full name, else the company, else the address, else the number."""
    return (
        f"{client.first_name} {client.last_name}".strip() or client.company or client.email or f"Client {client.number}"
    )


def listing(
    session: Session,
    audience: Audience,
    today: date,
    *,
    search: str = "",
    reason: Term | None = None,
    offset: int = 0,
    limit: int = 50,
) -> Listing:
    """One page of the clients behind a term (None: of those who will receive it), by rising client id.

    `search` wants each of its words in number, names, company or address, or as the beginning of a service's domain.
    """
    found = select_terms(session, audience).terms[reason or Term.WILL_RECEIVE]
    if search.strip():
        found &= set_of(session, Client.id, *clients.called(search))
    ids = found.page(offset, limit)
    return Listing(recipients_among(session, audience, today, ids), len(found), offset, limit)


def sample(session: Session, audience: Audience, today: date) -> Sequence[Recipient]:
    """Twenty of those who will receive it, spread over all of them; the same ones as long as nothing changes."""
    return sample_of(session, audience, today, select_terms(session, audience))


def sample_of(session: Session, audience: Audience, today: date, selected: Selected) -> Sequence[Recipient]:
    """The sample, where the terms are known already."""
    receivers = selected.terms[Term.WILL_RECEIVE]
    total = len(receivers)
    places = range(total) if total <= SAMPLE else (place * total // SAMPLE for place in range(SAMPLE))
    ids = [client_id for place in places for client_id in receivers.page(place, 1)]
    return recipients_among(session, audience, today, ids)


def find_clients(session: Session, search: str, limit: int) -> Sequence[Client]:
    """Any clients, in the audience or not, who are called like that; none for an empty search."""
    if not search.strip():
        return []
    return session.scalars(select(Client).where(*clients.called(search)).order_by(Client.id).limit(limit)).all()


def recipients_among(session: Session, audience: Audience, today: date, ids: Sequence[int]) -> list[Recipient]:
    """Those of the given clients who are in the audience, skipped ones included, by rising id."""
    if not ids:
        return []
    rows = session.execute(recipients(audience, today, only=ids)).all()
    by_id = _by_id(session, Client, ids)
    picks = _picks(session, audience, ids)
    holdings = _holdings(session, rows)
    return [
        Recipient(by_id[row.client_id], row.skip_reason, picks.get(row.client_id), holdings.get(row.client_id))
        for row in rows
        if row.client_id in by_id
    ]


def _picks(session: Session, audience: Audience, ids: Sequence[int]) -> dict[int, PickKind]:
    if audience.broadcast_id is None:
        return {}
    rows = select(Pick.client_id, Pick.kind).where(Pick.broadcast_id == audience.broadcast_id, Pick.client_id.in_(ids))
    return dict(session.execute(rows).all())


def _holdings(session: Session, rows: Sequence[Any]) -> dict[int, Holding]:
    services = _by_id(session, Service, [row.service_id for row in rows])
    products = _by_id(session, Product, [service.product_id for service in services.values()])
    assignments = _by_id(session, AddonAssignment, [row.addon_assignment_id for row in rows])
    addons = _by_id(session, Addon, [assignment.addon_id for assignment in assignments.values()])
    found = {}
    for row in rows:
        service, assignment = services.get(row.service_id), assignments.get(row.addon_assignment_id)
        if service is not None:
            addon = addons[assignment.addon_id] if assignment else None
            found[row.client_id] = Holding(service, products[service.product_id], addon, assignment)
    return found


def _by_id(session: Session, table: Any, ids: Sequence[int | None]) -> dict[int, Any]:
    wanted = {id_ for id_ in ids if id_ is not None}
    return {row.id: row for row in session.scalars(select(table).where(table.id.in_(wanted)))} if wanted else {}
