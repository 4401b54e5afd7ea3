"""What each tag says for each recipient: read in bulk, written in the client's language."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, String, Text, bindparam, cast, func, select
from sqlalchemy.orm import Session

from webapp.core.rules.message.parts import mailbox_or_blank
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.rules.tags.values import clean
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service
from webapp.core.tag_catalogue.formats import Formats, formats_for
from webapp.core.tag_catalogue.names import full_name

Recipient = tuple[int, int | None, int | None]
"""Client, service and addon assignment: whose data the tags take."""

Rows = list[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was read for a group of recipients, a row each, in their order."""

    clients: Rows
    services: Rows
    addons: Rows
    formats: list[Formats]


_client, _service, _product = Client.__table__.c, Service.__table__.c, Product.__table__.c
_assignment, _addon = AddonAssignment.__table__.c, Addon.__table__.c

# Columns of the tables, not of the classes: the shortest way to rows that are read and thrown away.
_CLIENTS = select(
    _client.id,
    _client.number,
    _client.first_name,
    _client.last_name,
    _client.company,
    _client.email,
    _client.address,
    _client.country,
    _client.language,
    _client.status,
    _client.client_since,
)
_SERVICES = select(
    _service.id,
    _product.name,
    _service.domain,
    _service.status,
    cast(_service.price, String),
    _service.currency,
    _service.next_due_on,
).join_from(Service.__table__, Product.__table__, _product.id == _service.product_id)
_ADDONS = select(_assignment.id, _addon.name, _assignment.status).join_from(
    AddonAssignment.__table__, Addon.__table__, _addon.id == _assignment.addon_id
)

_NOBODY = (0, "", "", "", "", "", "", None, None, None, None)
_NO_SERVICE = (0, "", "", None, None, None, None)
_NO_ADDON = (0, "", None)
_CLIENT_STATUS = {None: ""} | {status.value: status.label for status in ClientStatus}
_HOLDING_STATUS = {None: ""} | {status.value: status.label for status in HoldingStatus}


def load_values(
    session: Session, rows: Sequence[Recipient], names: Sequence[str], *, broadcast: Broadcast, now: datetime
) -> list[list[str]]:
    """For each of `rows`, in their order, the values of the tags `names`, in theirs. One query a table, however many rows.

    Every value is one line without control characters, "" where there is nothing to say. Dates, prices and names of countries and
    languages are in the client's language; `date` is the day of `now` in the broadcast's zone. Raises KeyError for a name that is no tag.
    """
    writers = [_writer(name, broadcast, now) for name in names]
    clients = _read(session, _CLIENTS, [row[0] for row in rows], _NOBODY)
    needed = {name.partition("_")[0] for name in names}
    services = _read(session, _SERVICES, [row[1] for row in rows], _NO_SERVICE) if "service" in needed else []
    addons = _read(session, _ADDONS, [row[2] for row in rows], _NO_ADDON) if "addon" in needed else []
    formats = [formats_for(client[8], client[7]) for client in clients]
    found = Found(clients, services, addons, formats)
    columns = [write(found) for write in writers]
    return [list(values) for values in zip(*columns, strict=True)] if names else [[] for _ in rows]


def _read(session: Session, query: Select[Any], ids: Sequence[int | None], nothing: Sequence[Any]) -> Rows:
    """The rows of the query with these ids, in their order; dates and amounts as text.

    They come as one text of JSON: a driver that gives row by row lets go of the interpreter for each, and takes it back from the thread
    that talks to the relay.
    """
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return [nothing] * len(ids)
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    asked: Any = json.dumps(list(wanted)) if is_sqlite else list(wanted)
    found: str | None = connection.execute(_as_json(query, is_sqlite), {"ids": asked}).scalar_one()
    by_id: dict[int | None, Sequence[Any]] = {row[0]: row for row in json.loads(found or "[]")}
    return [by_id.get(one, nothing) for one in ids]


@cache
def _as_json(query: Select[Any], is_sqlite: bool) -> Select[Any]:
    """The query for the ids in the parameter `ids`, its rows as a JSON list of lists."""
    columns = list(query.selected_columns)
    if is_sqlite:
        asked = func.json_each(bindparam("ids")).table_valued("value")
        rows: ColumnElement[Any] = func.json_group_array(func.json_array(*columns))
        is_asked: ColumnElement[bool] = columns[0].in_(select(asked.c.value))
    else:
        rows = func.json_agg(func.json_build_array(*columns))
        is_asked = columns[0] == func.any(bindparam("ids", type_=ARRAY(BigInteger)))
    return query.with_only_columns(cast(rows, Text)).where(is_asked)


Write = Callable[[Found], list[str]]


def _writer(name: str, broadcast: Broadcast, now: datetime) -> Write:
    match name:
        case "sender_name" | "sender_email":
            said = mailbox_or_blank(broadcast.from_address)[name == "sender_email"]
            return lambda found: [said] * len(found.clients)
        case "date":
            today = now.astimezone(ZoneInfo(broadcast.time_zone)).date()
            return lambda found: [formats.date(today) for formats in found.formats]
    return _WRITERS[name]


def _days(rows: Rows, place: int, formats: list[Formats]) -> list[str]:
    return [
        own.date(date.fromisoformat(row[place])) if row[place] else "" for row, own in zip(rows, formats, strict=True)
    ]


def _cleaned(rows: Rows, place: int) -> list[str]:
    """A column of texts. They are mostly clean, all of them together."""
    values: list[str] = [row[place] for row in rows]
    side_by_side = "|".join(["", *values, ""])
    if side_by_side.isprintable() and "| " not in side_by_side and " |" not in side_by_side:
        return values
    return [clean(value) for value in values]


_WRITERS: dict[str, Write] = {
    "client_id": lambda found: _cleaned(found.clients, 1),
    "first_name": lambda found: _cleaned(found.clients, 2),
    "last_name": lambda found: _cleaned(found.clients, 3),
    "full_name": lambda found: [
        full_name(*both) for both in zip(_cleaned(found.clients, 2), _cleaned(found.clients, 3), strict=True)
    ],
    "company": lambda found: _cleaned(found.clients, 4),
    "email": lambda found: [_readable(client[5], client[6]) for client in found.clients],
    "country": lambda found: [
        own.country(client[7]) if client[7] else "" for client, own in zip(found.clients, found.formats, strict=True)
    ],
    "language": lambda found: [
        own.language(client[8]) if client[8] else "" for client, own in zip(found.clients, found.formats, strict=True)
    ],
    "status": lambda found: [_CLIENT_STATUS[client[9]] for client in found.clients],
    "client_since": lambda found: _days(found.clients, 10, found.formats),
    "service_product": lambda found: _cleaned(found.services, 1),
    "service_domain": lambda found: _cleaned(found.services, 2),
    "service_status": lambda found: [_HOLDING_STATUS[service[3]] for service in found.services],
    "service_price": lambda found: [
        "" if service[4] is None else own.money(Decimal(service[4]), service[5])
        for service, own in zip(found.services, found.formats, strict=True)
    ],
    "service_due_date": lambda found: _days(found.services, 6, found.formats),
    "addon_name": lambda found: _cleaned(found.addons, 1),
    "addon_status": lambda found: [_HOLDING_STATUS[addon[2]] for addon in found.addons],
}


def _readable(email: str, address: str | None) -> str:
    """The address as the client wrote it, where that is one address and no more; else the one that is mailed."""
    email = clean(email)
    return email if address is None or (email.count("@") == 1 and not set(email) & set(" <>,;|\"'()")) else address
