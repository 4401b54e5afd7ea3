"""The rows of a chunk beside what is stored: which are new, changed or unchanged, and which name a client or service there is none of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from webapp.core.clients.rows import BLANK, TYPED_IN, client_ids, service_ids, stored_form
from webapp.core.imports.checking import CheckedRow
from webapp.core.rules.texts import shown
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service
from webapp.core.tables.imports import WAITING, ImportKind, Verb

_OWN = {"import_id", "line", "verb"}
COLUMNS = {kind: tuple(c.name for c in table.columns if c.name not in _OWN) for kind, table in WAITING.items()}
"""The columns of a waiting row that are compared with what is stored."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a row with a number belongs. `columns` are those in COLUMNS, of rows that are new or changed; `before` is what is stored."""

    line: int
    number: str
    verb: Verb
    columns: Mapping[str, Any]
    before: RowMapping | None = None


def place(session: Session, kind: ImportKind, import_id: int, rows: Sequence[CheckedRow]) -> list[Placement]:
    """The place of each row that has a number of its own; rows that cannot be taken are refused on the way, they are SEEN.

    Reads only. A number that stands in the file twice is refused from its second row on, also if the first was refused itself:
    which of them is meant can only be said by whoever made the file.
    """
    numbered = _without_repetitions(session, kind, import_id, rows)
    sound = [row for row in numbered if not row.refused]
    finals = _FINALS[kind](session, sound)
    return [Placement(row.line, row.number, *finals.get(row.line, (Verb.SEEN, {}, None))) for row in numbered]


def _without_repetitions(
    session: Session, kind: ImportKind, import_id: int, rows: Sequence[CheckedRow]
) -> list[CheckedRow]:
    table = WAITING[kind]
    numbers = {row.number for row in rows if row.number}
    earlier = select(table.c.number, table.c.line).where(table.c.import_id == import_id, table.c.number.in_(numbers))
    first_line = dict(session.execute(earlier).all())
    kept = []
    for row in rows:
        if not row.number:
            continue
        if row.number in first_line:
            row.refuse(
                "number", row.number, f"“{shown(row.number, 40)}” stands on line {first_line[row.number]:,} already"
            )
            continue
        first_line[row.number] = row.line
        kept.append(row)
    return kept


Finals = dict[int, tuple[Verb, Mapping[str, Any], RowMapping | None]]


def _verb(final: Mapping[str, Any], stored: RowMapping | Mapping[str, Any] | None) -> Verb:
    if stored is None:
        return Verb.NEW
    return Verb.SEEN if all(stored[name] == value for name, value in final.items()) else Verb.CHANGED


def _clients(session: Session, rows: Iterable[CheckedRow]) -> Finals:
    names = COLUMNS[ImportKind.CLIENTS]
    stored = _stored(session, Client, names, rows)
    finals: Finals = {}
    for row in rows:
        before = stored.get(row.number)
        typed = BLANK if before is None else {name: before[name] for name in TYPED_IN}
        final = stored_form({**typed, **row.values}, row.address)
        finals[row.line] = (_verb(final, before), final, before)
    return finals


def _services(session: Session, rows: Iterable[CheckedRow]) -> Finals:
    stored = {
        found.number: found._mapping
        for found in session.execute(
            select(
                *(getattr(Service, name) for name in COLUMNS[ImportKind.SERVICES] if not name.startswith("product_")),
                Product.group_name.label("product_group"),
                Product.name.label("product_name"),
            )
            .join(Service.product)
            .where(Service.number.in_([row.number for row in rows]))
        )
    }
    holders = client_ids(session, {row.values["client_number"] for row in rows})
    groups = _only_groups(session, {row.values["product"] for row in rows if "group" not in row.values})
    finals: Finals = {}
    for row in rows:
        holder = holders.get(row.values["client_number"])
        if holder is None:
            _refuse_unknown(row, "client_number", "client")
            continue
        before = stored.get(row.number)
        values = dict(row.values)
        product = values.pop("product")
        group = values.pop("group", None)
        if group is None:
            group = before["product_group"] if before and before["product_name"] == product else groups.get(product, "")
        kept = before or {"domain": "", "price": None, "currency": None, "next_due_on": None}
        final = {
            "number": row.number,
            "client_id": holder,
            "product_group": group,
            "product_name": product,
            "domain": values.get("domain", kept["domain"]),
            "status": values["status"],
            "price": values.get("price", kept["price"]),
            "currency": values.get("currency", kept["currency"]),
            "next_due_on": values.get("next_due_on", kept["next_due_on"]),
        }
        finals[row.line] = (_verb(final, before), final, before)
    return finals


def _addons(session: Session, rows: Iterable[CheckedRow]) -> Finals:
    stored = {
        found.number: found._mapping
        for found in session.execute(
            select(
                *(getattr(AddonAssignment, name) for name in COLUMNS[ImportKind.ADDONS] if name != "addon_name"),
                Addon.name.label("addon_name"),
            )
            .join(AddonAssignment.addon)
            .where(AddonAssignment.number.in_([row.number for row in rows]))
        )
    }
    services = service_ids(session, {row.values["service_number"] for row in rows})
    holders = client_ids(session, {row.values["client_number"] for row in rows if row.values.get("client_number")})
    finals: Finals = {}
    for row in rows:
        service = services.get(row.values["service_number"])
        if service is None:
            _refuse_unknown(row, "service_number", "service")
            continue
        service_id, client_id = service
        named = row.values.get("client_number")
        if named and holders.get(named) != client_id:
            row.refuse(
                "client_number", named, f"service {row.values['service_number']} belongs to another client than {named}"
            )
            continue
        final = {
            "number": row.number,
            "client_id": client_id,
            "service_id": service_id,
            "addon_name": row.values["addon"],
            "status": row.values["status"],
        }
        before = stored.get(row.number)
        finals[row.line] = (_verb(final, before), final, before)
    return finals


_FINALS = {ImportKind.CLIENTS: _clients, ImportKind.SERVICES: _services, ImportKind.ADDONS: _addons}


def _stored(
    session: Session, table: type[Client], names: Sequence[str], rows: Iterable[CheckedRow]
) -> dict[str, RowMapping]:
    columns = [getattr(table, name) for name in names]
    found = session.execute(select(*columns).where(table.number.in_([row.number for row in rows])))
    return {row.number: row._mapping for row in found}


def _only_groups(session: Session, products: set[str]) -> dict[str, str]:
    """The group of each product of these names of which there is only one, for files that do not name the group."""
    if not products:
        return {}
    groups: dict[str, list[str]] = {}
    for group, name in session.execute(select(Product.group_name, Product.name).where(Product.name.in_(products))):
        groups.setdefault(name, []).append(group)
    return {name: found[0] for name, found in groups.items() if len(found) == 1}


def _refuse_unknown(row: CheckedRow, name: str, noun: str) -> None:
    number = row.values[name]
    row.refuse(name, number, f"there is no {noun} {shown(number, 40)}: import the {noun}s first")
