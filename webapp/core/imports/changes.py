"""What an import would change: field by field, what is stored and what the file says, to read and to download."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.core.imports.fields import label
from webapp.core.imports.placing import Placement
from webapp.core.rules import csv_cells
from webapp.core.tables.clients import Client, Service
from webapp.core.tables.imports import ImportChange, ImportKind, ImportRun, Verb

CHANGES_A_PAGE = 50
CLEARED_AT_ONCE = 20_000
_FIELD_OF = {
    "product_group": "group",
    "product_name": "product",
    "addon_name": "addon",
    "client_id": "client_number",
    "service_id": "service_number",
}
_DERIVED = frozenset({"number", "search_text", "address_key", "address_problem"})


@dataclass(frozen=True)
class ChangePage:
    """Some changes in the order of the file, the first one being number `first` of `total`, and how many there are of each field."""

    changes: list[ImportChange]
    first: int
    total: int
    by_field: list[tuple[str, int]]


def rows_of(session: Session, import_id: int, places: Sequence[Placement]) -> list[dict[str, Any]]:
    """The changes that these places stand for, as rows of their table. Reads only."""
    changed = [place for place in places if place.verb is Verb.CHANGED and place.before is not None]
    numbers = {
        "client_id": _numbers(session, Client, _ids(changed, "client_id")),
        "service_id": _numbers(session, Service, _ids(changed, "service_id")),
    }
    return [
        {"import_id": import_id, "line": place.line, "number": place.number, "field": field, "old": old, "new": new}
        for place in changed
        for field, old, new in _differences(place, numbers)
    ]


def listing(
    session: Session, import_id: int, *, field: str | None = None, offset: int = 0, limit: int = CHANGES_A_PAGE
) -> ChangePage:
    """The changes of an import; of one field, if one is given."""
    counts = session.execute(
        select(ImportChange.field, func.count())
        .where(ImportChange.import_id == import_id)
        .group_by(ImportChange.field)
        .order_by(func.count().desc(), ImportChange.field)
    )
    by_field = [(name, count) for name, count in counts]
    total = sum(count for name, count in by_field if not field or name == field)
    these = (ImportChange.import_id == import_id, *((ImportChange.field == field,) if field else ()))
    found = session.scalars(
        select(ImportChange).where(*these).order_by(ImportChange.line, ImportChange.id).offset(offset).limit(limit)
    )
    return ChangePage(list(found), offset + 1, total, by_field)


def as_csv(session: Session, run: ImportRun) -> Iterator[str]:
    """All changes, a line each: the line of the file, the number, the field, what is stored and what the file says. Guarded against
    formulas."""
    yield "\ufeff" + csv_cells.row(["Line", label(run.kind, "number"), "Field", "Now", "After the import"])
    found = session.scalars(
        select(ImportChange)
        .where(ImportChange.import_id == run.id)
        .order_by(ImportChange.line, ImportChange.id)
        .execution_options(yield_per=1000)
    )
    for change in found:
        yield csv_cells.row([change.line, change.number, name(run.kind, change.field), change.old, change.new])


def name(kind: ImportKind, field: str) -> str:
    """How people call the field of a change."""
    return "Address that is mailed" if field == "address" else label(kind, field)


def clear(session: Session, import_id: int) -> int:
    """Forget some of an import's changes; how many. To be called, each time in a transaction, until it is 0."""
    some = select(ImportChange.id).where(ImportChange.import_id == import_id).limit(CLEARED_AT_ONCE)
    ids = session.scalars(some).all()
    if ids:
        session.execute(
            delete(ImportChange).where(ImportChange.import_id == import_id, ImportChange.id.between(min(ids), max(ids)))
        )
    return len(ids)


def _differences(place: Placement, numbers: Mapping[str, Mapping[int, str]]) -> Iterator[tuple[str, str, str]]:
    before: Any = place.before or {}
    differing = [name for name, value in place.columns.items() if before[name] != value and name not in _DERIVED]
    for column in differing:
        if column == "address" and "email" in differing:
            continue
        known = numbers.get(column)
        old, new = (
            known.get(value, "") if known else _text(value) for value in (before[column], place.columns[column])
        )
        yield _FIELD_OF.get(column, column), old, new


def _text(value: object) -> str:
    """A stored value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, StrEnum):
        return value.value.capitalize()
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _ids(places: Sequence[Placement], column: str) -> set[int]:
    """The ids in a column whose change is to be told by the number."""
    pairs = [
        (place.before[column], place.columns[column])
        for place in places
        if place.before is not None and column in place.columns
    ]
    return {one for before, after in pairs if before != after for one in (before, after)}


def _numbers(session: Session, table: type[Client] | type[Service], ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    return dict(session.execute(select(table.id, table.number).where(table.id.in_(ids))).all())
