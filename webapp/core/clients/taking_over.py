"""The rows of an import that wait, taken over into the tables of clients and holdings, all of them in the caller's one transaction."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Table, and_, exists, insert, literal, select, update
from sqlalchemy.orm import Session

from webapp.core.tables.base import UtcDateTime
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service
from webapp.core.tables.imports import ImportKind, Verb, waiting_addon_assignment, waiting_client, waiting_service

Rows = TypeVar("Rows", bound=Select[*tuple[Any, ...]])

_CLIENT, _PRODUCT, _SERVICE, _ADDON, _ASSIGNMENT = (
    table.__table__ for table in (Client, Product, Service, Addon, AddonAssignment)
)


def take_over(session: Session, kind: ImportKind, import_id: int, now: datetime) -> None:
    """Insert what is new and change what has changed among the rows that wait for this import. A statement each, so that on SQLite
    the write lock is held for no longer than the database itself needs; the caller commits.
    """
    _KINDS[kind](session, import_id, now)


def _clients(session: Session, import_id: int, now: datetime) -> None:
    waiting = waiting_client
    names = [column.name for column in waiting.c if column.name in _CLIENT.c and column.name != "number"]
    at = literal(now, UtcDateTime)
    rows = select(waiting.c.number, *(waiting.c[name] for name in names), at, at)
    session.execute(
        insert(_CLIENT).from_select(
            ["number", *names, "created_at", "updated_at"], _in_order(rows, waiting, import_id, Verb.NEW)
        )
    )
    session.execute(
        update(_CLIENT)
        .where(_CLIENT.c.number == waiting.c.number, *_these(waiting, import_id, Verb.CHANGED))
        .values({name: waiting.c[name] for name in names} | {"updated_at": now})
    )


def _services(session: Session, import_id: int, now: datetime) -> None:
    waiting = waiting_service
    known = exists().where(_PRODUCT.c.group_name == waiting.c.product_group, _PRODUCT.c.name == waiting.c.product_name)
    both = and_(waiting.c.import_id == import_id, waiting.c.verb != Verb.SEEN)
    missing = select(waiting.c.product_group, waiting.c.product_name).where(both, ~known).distinct()
    session.execute(
        insert(_PRODUCT).from_select(
            ["group_name", "name"], missing.order_by(waiting.c.product_group, waiting.c.product_name)
        )
    )
    names = ["client_id", "domain", "status", "price", "currency", "next_due_on"]
    of_product = and_(_PRODUCT.c.group_name == waiting.c.product_group, _PRODUCT.c.name == waiting.c.product_name)
    rows = select(waiting.c.number, *(waiting.c[name] for name in names), _PRODUCT.c.id).join(_PRODUCT, of_product)
    session.execute(
        insert(_SERVICE).from_select(["number", *names, "product_id"], _in_order(rows, waiting, import_id, Verb.NEW))
    )
    these = _these(waiting, import_id, Verb.CHANGED)
    session.execute(
        update(_SERVICE)
        .where(_SERVICE.c.number == waiting.c.number, of_product, *these)
        .values({name: waiting.c[name] for name in names} | {"product_id": _PRODUCT.c.id})
    )
    # The addons of a service that went over to another client go with it.
    session.execute(
        update(_ASSIGNMENT)
        .where(
            _ASSIGNMENT.c.service_id == _SERVICE.c.id,
            _ASSIGNMENT.c.client_id != _SERVICE.c.client_id,
            _SERVICE.c.number == waiting.c.number,
            *these,
        )
        .values(client_id=_SERVICE.c.client_id)
    )


def _addons(session: Session, import_id: int, now: datetime) -> None:
    waiting = waiting_addon_assignment
    known = exists().where(_ADDON.c.name == waiting.c.addon_name)
    both = and_(waiting.c.import_id == import_id, waiting.c.verb != Verb.SEEN)
    missing = select(waiting.c.addon_name).where(both, ~known).distinct()
    session.execute(insert(_ADDON).from_select(["name"], missing.order_by(waiting.c.addon_name)))
    names = ["client_id", "service_id", "status"]
    rows = select(waiting.c.number, *(waiting.c[name] for name in names), _ADDON.c.id)
    rows = rows.join(_ADDON, _ADDON.c.name == waiting.c.addon_name)
    session.execute(
        insert(_ASSIGNMENT).from_select(["number", *names, "addon_id"], _in_order(rows, waiting, import_id, Verb.NEW))
    )
    session.execute(
        update(_ASSIGNMENT)
        .where(
            _ASSIGNMENT.c.number == waiting.c.number,
            _ADDON.c.name == waiting.c.addon_name,
            *_these(waiting, import_id, Verb.CHANGED),
        )
        .values({name: waiting.c[name] for name in names} | {"addon_id": _ADDON.c.id})
    )


_KINDS = {ImportKind.CLIENTS: _clients, ImportKind.SERVICES: _services, ImportKind.ADDONS: _addons}


def _these(waiting: Table, import_id: int, verb: Verb) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (waiting.c.import_id == import_id, waiting.c.verb == verb)


def _in_order(rows: Rows, waiting: Table, import_id: int, verb: Verb) -> Rows:
    """In the order of the file, so that ids grow in it and the index pages are filled one after the other."""
    return rows.where(*_these(waiting, import_id, verb)).order_by(waiting.c.line)
