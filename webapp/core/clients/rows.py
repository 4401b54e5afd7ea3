"""The stored form of a client: what its columns hold that nobody types in, and where the rows of the holdings are looked up."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar, cast

from sqlalchemy import String, insert, select
from sqlalchemy.orm import Session

from webapp.core.rules.addresses import Address, usable
from webapp.core.rules.texts import folded
from webapp.core.tables.clients import Addon, Client, Product, Service

Item = TypeVar("Item")

TYPED_IN = (
    "number",
    "first_name",
    "last_name",
    "company",
    "email",
    "city",
    "country",
    "language",
    "status",
    "client_since",
    "marketing_opt_in",
)
"""Columns of a client that come from outside; `stored_form` derives the others."""

BLANK = {"first_name": "", "last_name": "", "company": "", "email": "", "city": ""}
_NOTHING: dict[str, Any] = dict.fromkeys(TYPED_IN) | BLANK
_SEARCH_LENGTH: int = cast(String, Client.__table__.c.search_text.type).length or 0


def stored_form(typed: Mapping[str, Any], address: Address | Any = None) -> dict[str, Any]:
    """The columns of a client, without id and times, from those in TYPED_IN; missing ones are empty. Texts must be tidy already.

    `address` is what `usable()` made of the e-mail field, where the caller knows it already. An e-mail that had to be mended is
    stored mended ("Ada <ada@x.example>" as "ada@x.example"); one that cannot be used is kept as it is, with its problem.
    """
    row = _NOTHING | {name: value for name, value in typed.items() if name in _NOTHING}
    found = address or usable(row["email"])
    if isinstance(found, Address):
        row |= {"email": found.text, "address": found.address, "address_key": found.key, "address_problem": None}
    else:
        row |= {"address": None, "address_key": None, "address_problem": found.problem}
    row["search_text"] = search_text(row)
    return row


def search_text(row: Mapping[str, Any]) -> str:
    """What a search looks through: number, names, company and address, folded."""
    words = [row["number"], row["first_name"], row["last_name"], row["company"], row["email"]]
    if row["address"] and row["address"].lower() != row["email"].lower():
        words.append(row["address"])
    return folded(" ".join(word for word in words if word))[:_SEARCH_LENGTH]


def in_chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def client_ids(session: Session, numbers: Collection[str]) -> dict[str, int]:
    """The ids of the clients with these numbers; unknown ones are missing."""
    return dict(session.execute(select(Client.number, Client.id).where(Client.number.in_(numbers))).all())


def service_ids(session: Session, numbers: Collection[str]) -> dict[str, tuple[int, int]]:
    """Id and client's id of the services with these numbers; unknown ones are missing."""
    found = session.execute(select(Service.number, Service.id, Service.client_id).where(Service.number.in_(numbers)))
    return {number: (id, client_id) for number, id, client_id in found}


def product_ids(session: Session, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The ids of these products (group, name), made where they are new."""
    known = {
        (row.group_name, row.name): row.id
        for row in session.execute(select(Product.group_name, Product.name, Product.id))
    }
    _make(session, Product, [{"group_name": group, "name": name} for group, name in sorted(set(wanted) - known.keys())])
    return {
        (row.group_name, row.name): row.id
        for row in session.execute(select(Product.group_name, Product.name, Product.id))
    }


def addon_ids(session: Session, wanted: Iterable[str]) -> dict[str, int]:
    """The ids of these addons, made where they are new."""
    known = {row.name: row.id for row in session.execute(select(Addon.name, Addon.id))}
    _make(session, Addon, [{"name": name} for name in sorted(set(wanted) - known.keys())])
    return {row.name: row.id for row in session.execute(select(Addon.name, Addon.id))}


def _make(session: Session, table: type, rows: Sequence[dict[str, str]]) -> None:
    if rows:
        session.execute(insert(table), rows)
