"""The services of each recipient that a broadcast's filter chose: how many, and what a list says of each."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from webapp.core.audience import AudienceFilter
from webapp.core.audience.filter import audience_of
from webapp.core.audience.selection import addon_matches, due_next, service_matches
from webapp.core.audience.set_queries import set_of
from webapp.core.client_set import ClientSet
from webapp.core.content.tag_catalogue.formats import Formats
from webapp.core.rules.statuses import MessageType
from webapp.core.rules.tags.expressions import read_output
from webapp.core.rules.tags.nodes import Filter, read_rows_key
from webapp.core.rules.tags.values import clean
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import AddonAssignment, Product, Service


def matching(filter_: AudienceFilter) -> ColumnElement[bool]:
    """Whether a service is one of those that the filter chose: of a message about services those with a chosen product and status, of one
    about addons those with a chosen addon, of any other message all."""
    match filter_.message_type:
        case MessageType.SERVICES:
            return service_matches(filter_)
        case MessageType.ADDONS:
            chosen = AddonAssignment.service_id == Service.id, addon_matches(filter_)
            return select(AddonAssignment.id).where(*chosen).exists()
    return true()


def without_services(session: Session, filter_: AudienceFilter, receivers: ClientSet) -> ClientSet:
    """The receivers of whose services the filter chose none."""
    if filter_.message_type is MessageType.ADDONS:
        return receivers - set_of(session, AddonAssignment.client_id, addon_matches(filter_))
    return receivers - set_of(session, Service.client_id, matching(filter_))


def with_more_services(session: Session, filter_: AudienceFilter, receivers: ClientSet, limit: int) -> ClientSet:
    """The receivers of whose services the filter chose more than `limit`."""
    many = select(Service.client_id).where(matching(filter_)).group_by(Service.client_id).having(func.count() > limit)
    return ClientSet(sorted(session.scalars(many))) & receivers


def style_of(how: Filter | None, otherwise: str = "long") -> str:
    """What stands behind the colon of a filter that takes one text."""
    return str(how.arguments[0]) if how and how.arguments else otherwise


# Columns, not entities: rows that are read and thrown away.
_COLUMNS = (
    Service.number,
    Service.domain,
    Service.status,
    Service.price,
    Service.currency,
    Service.next_due_on,
    Product.name.label("product"),
    Product.group_name.label("product_group"),
)


class Held:
    """The services of the clients of `rows`, read when the first value asks for them. `keys` are those of all values."""

    def __init__(self, session: Session, rows: Sequence[Any], keys: Sequence[str], broadcast: Broadcast, now: datetime):
        self._session, self._broadcast, self._now = session, broadcast, now
        self._clients = [row[0] for row in rows]
        self._limit, self._fields = next(filter(None, map(read_rows_key, keys)), (1, []))

    @cached_property
    def _found(self) -> dict[int, list[Any]]:
        """By client, rows of a service each, the one due next first: how many there are in all, and then what a list may say."""
        today = self._now.astimezone(ZoneInfo(self._broadcast.time_zone)).date()
        numbered = (
            select(
                Service.id,
                Service.client_id,
                func.count().over(partition_by=Service.client_id).label("total"),
                func.row_number()
                .over(partition_by=Service.client_id, order_by=(*due_next(today), Service.id))
                .label("place"),
            )
            .where(Service.client_id.in_(set(self._clients)), matching(audience_of(self._broadcast).filter))
            .subquery()
        )
        wanted = (
            select(numbered.c.client_id, numbered.c.total, *_COLUMNS)
            .join_from(numbered, Service, Service.id == numbered.c.id)
            .join(Product, Product.id == Service.product_id)
            .where(numbered.c.place <= self._limit)
            .order_by(numbered.c.client_id, numbered.c.place)
        )
        found: dict[int, list[Any]] = {}
        for row in self._session.execute(wanted):
            found.setdefault(row.client_id, []).append(row)
        return found

    def counts(self, formats: Sequence[Formats], how: Filter | None) -> list[str]:
        """How many services each client has, in figures, or as the filter `plural` has it."""
        numbers = [found[0].total if (found := self._found.get(client)) else 0 for client in self._clients]
        if how is None:
            return [str(number) for number in numbers]
        forms = tuple(map(str, how.arguments))
        return [clean(own.plural(number, forms)) for number, own in zip(numbers, formats, strict=True)]

    def lists(self, formats: Sequence[Formats]) -> list[str]:
        """The services of each client as JSON: a list of them, each a list of what the fields say."""
        writers = [_field(field) for field in self._fields]
        answer = []
        for client, own in zip(self._clients, formats, strict=True):
            rows = [[clean(write(row, own)) for write in writers] for row in self._found.get(client, ())]
            answer.append(json.dumps(rows, ensure_ascii=False, separators=(",", ":")))
        return answer


FieldWriter = Callable[[Any, Formats], str]


def _field(key: str) -> FieldWriter:
    """What writes a field, from a row and the client's rules."""
    output = read_output(f"service.{key}")
    how = output.filters[0] if output.filters else None
    match output.name.removeprefix("service."):
        case "product" | "name":
            return lambda row, _: row.product
        case "group":
            return lambda row, _: row.product_group
        case "domain":
            return lambda row, _: row.domain
        case "number":
            return lambda row, _: row.number
        case "status":
            return lambda row, _: row.status.label
        case "due_date":
            days = style_of(how)
            return lambda row, own: own.styled_date(row.next_due_on, days) if row.next_due_on else ""
        case "price":
            style = style_of(how, "symbol")
            return lambda row, own: "" if row.price is None else own.styled_money(row.price, row.currency, style)
    raise KeyError(key)
