"""Rows for tests: plain functions with defaults. Each adds its row to the session and flushes it; the test commits if it must."""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BORN, BroadcastState, DeliveryState
from webapp.core.rules.statuses import ClientStatus, HoldingStatus, MessageType
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service
from webapp.core.tables.deliveries import Delivery, Tally
from webapp.core.tables.users import User

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""The instant at which factories make things."""

_numbers = itertools.count(1)
Row = TypeVar("Row")


def user(session: Session, email: str | None = None, **columns: Any) -> User:
    """Somebody who may sign in; the password is nothing anybody can type."""
    defaults = {"name": "Uma Example", "password_hash": "!", "created_at": NOW}
    row = User(email=email or f"user{next(_numbers)}@example.org", **defaults | columns)
    return _kept(session, row)


def client(session: Session, email: str | None = "", **columns: Any) -> Client:
    """An active client in Germany with an address of their own; `email=None` for one without."""
    number = next(_numbers)
    if email == "":
        email = f"client{number}@example.com"
    defaults = {
        "number": str(number),
        "first_name": "Ada",
        "last_name": f"Example{number}",
        "email": email or "",
        "address": email,
        "address_key": email.lower() if email else None,
        "country": "DE",
        "language": "de",
        "status": ClientStatus.ACTIVE,
        "client_since": date(2024, 3, 1),
        "created_at": NOW,
        "updated_at": NOW,
    }
    values = defaults | columns
    if "search_text" not in values:
        words = (values[name] for name in ("number", "first_name", "last_name", "email"))
        values["search_text"] = " ".join(str(word) for word in words).lower()
    return _kept(session, Client(**values))


def product(session: Session, name: str | None = None, group_name: str = "Shared Hosting") -> Product:
    return _kept(session, Product(name=name or f"Web {next(_numbers)}", group_name=group_name))


def service(session: Session, holder: Client, product: Product, **columns: Any) -> Service:
    """An active service of `holder`, due in a month."""
    number = next(_numbers)
    defaults = {
        "number": str(number),
        "domain": f"site{number}.example.net",
        "status": HoldingStatus.ACTIVE,
        "price": Decimal("9.90"),
        "currency": "EUR",
        "next_due_on": date(2026, 12, 23),
    }
    return _kept(session, Service(client_id=holder.id, product_id=product.id, **defaults | columns))


def addon(session: Session, name: str | None = None) -> Addon:
    """The addon of that name, made if it is new."""
    name = name or f"Addon {next(_numbers)}"
    return session.scalar(select(Addon).where(Addon.name == name)) or _kept(session, Addon(name=name))


def addon_assignment(session: Session, service: Service, addon: Addon, **columns: Any) -> AddonAssignment:
    """An active addon on a service."""
    values = {"number": str(next(_numbers)), "status": HoldingStatus.ACTIVE} | columns
    row = AddonAssignment(client_id=service.client_id, service_id=service.id, addon_id=addon.id, **values)
    return _kept(session, row)


def _kept(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row


def broadcast(session: Session, **columns: Any) -> Broadcast:
    """A draft to everyone, with a subject and a text, from a sender. Other states than draft are reached as the program does it."""
    content = {name: columns.pop(name) for name in ("subject", "html", "text") if name in columns}
    state = columns.pop("state", BroadcastState.DRAFT)
    defaults = {
        "name": f"Broadcast {next(_numbers)}",
        "message_type": MessageType.GENERAL,
        "purpose": Purpose.IMPORTANT,
        "important_reason": "It changes what they pay",
        "from_address": "Example Hosting <support@example.com>",
        "secret": "s" * 32,
        "created_at": NOW,
        "updated_at": NOW,
        "content": Content(**{"subject": "News", "html": "<p>Hello {{ first_name }}</p>"} | content),
    }
    row = _kept(session, Broadcast(**defaults | columns))
    for step in _WAYS[state]:
        row.state = step
        session.flush()
    return row


_B = BroadcastState
_WAYS: dict[BroadcastState, tuple[BroadcastState, ...]] = {
    _B.DRAFT: (),
    _B.SCHEDULED: (_B.SCHEDULED,),
    _B.SENDING: (_B.SCHEDULED, _B.SENDING),
    _B.PAUSED: (_B.SCHEDULED, _B.SENDING, _B.PAUSED),
    _B.NEEDS_ATTENTION: (_B.SCHEDULED, _B.SENDING, _B.NEEDS_ATTENTION),
    _B.FINISHED: (_B.SCHEDULED, _B.SENDING, _B.FINISHED),
    _B.CANCELLED: (_B.CANCELLED,),
}
"""The legal way to each state: the database refuses short cuts."""


def delivery(session: Session, broadcast: Broadcast, to: Client | None = None, **columns: Any) -> Delivery:
    """A row of the ledger, counted in the tally; to a new client if none is given."""
    to = to or client(session)
    state = columns.pop("state", DeliveryState.PENDING)
    born = state if state in BORN else DeliveryState.PENDING
    skipped = state == DeliveryState.SKIPPED
    defaults = {
        "broadcast_id": broadcast.id,
        "client_id": to.id,
        "address": None if skipped else to.address,
        "address_key": None if skipped else to.address_key,
        "state": born,
        "changed_at": NOW,
    }
    row = _kept(session, Delivery(**defaults | columns))
    if state != born:
        if state not in (DeliveryState.SUPPRESSED, DeliveryState.CANCELLED):
            row.state, row.sender_id = DeliveryState.CLAIMED, 1
            session.flush()
        row.state, row.sender_id = state, 1 if state == DeliveryState.CLAIMED else None
        session.flush()
    tally = session.get(Tally, (broadcast.id, 0, state)) or Tally(
        broadcast_id=broadcast.id, sender_id=0, state=state, count=0
    )
    tally.count += 1
    return _kept(session, tally) and row
