"""Rows for tests: plain functions with defaults. Each adds its row to the session and flushes it; the test commits if it must."""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service
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
