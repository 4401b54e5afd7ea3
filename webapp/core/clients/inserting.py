"""New clients with their services and addons in bulk, from rows known to be right. Files from outside go through `core/imports`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from webapp.core.clients.rows import addon_ids, client_ids, in_chunks, product_ids, service_ids, stored_form
from webapp.core.tables.clients import AddonAssignment, Client, Service

ROWS_A_STATEMENT = 1000
_CLIENTS, _SERVICES, _ADDONS = (one.__table__ for one in (Client, Service, AddonAssignment))


def insert_many(
    session: Session,
    now: datetime,
    *,
    clients: Iterable[Mapping[str, Any]] = (),
    services: Iterable[Mapping[str, Any]] = (),
    addons: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Insert rows that are all new: first clients, then services, then addons. Rows may come from generators.

    - clients: the keys of `rows.TYPED_IN`; `number` and `status` are needed, address and search text are derived.
    - services: `number`, `client_number`, `product`, `status`; `group`, `domain`, `price` (Decimal), `currency`, `next_due_on`.
    - addons: `number`, `service_number`, `addon`, `status`.

    Products and addons are made by their names. An unknown client or service number raises KeyError, a number that is there
    already IntegrityError. The caller commits.
    """
    for chunk in in_chunks(clients, ROWS_A_STATEMENT):
        times = {"created_at": now, "updated_at": now}
        session.execute(insert(_CLIENTS), [stored_form(row) | times for row in chunk])
    for chunk in in_chunks(services, ROWS_A_STATEMENT):
        session.execute(insert(_SERVICES), _service_columns(session, chunk))
    for chunk in in_chunks(addons, ROWS_A_STATEMENT):
        session.execute(insert(_ADDONS), _addon_columns(session, chunk))


def _service_columns(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with ids of clients and products in place of their numbers and names."""
    holders = client_ids(session, {row["client_number"] for row in rows})
    products = product_ids(session, {(row.get("group", ""), row["product"]) for row in rows})
    return [
        {
            "number": row["number"],
            "client_id": holders[row["client_number"]],
            "product_id": products[row.get("group", ""), row["product"]],
            "domain": row.get("domain", "").lower(),
            "status": row["status"],
            "price": row.get("price"),
            "currency": row.get("currency"),
            "next_due_on": row.get("next_due_on"),
        }
        for row in rows
    ]


def _addon_columns(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with ids of clients, services and addons in place of their numbers and names."""
    held = service_ids(session, {row["service_number"] for row in rows})
    names = addon_ids(session, {row["addon"] for row in rows})
    return [
        {
            "number": row["number"],
            "client_id": held[row["service_number"]][1],
            "service_id": held[row["service_number"]][0],
            "addon_id": names[row["addon"]],
            "status": row["status"],
        }
        for row in rows
    ]
