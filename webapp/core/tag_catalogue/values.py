"""What each tag says for each recipient: read in bulk, written in the client's language."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, String, bindparam, select, type_coerce
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

_ids: BindParameter[int] = bindparam("ids", expanding=True)
_CLIENTS = select(
    Client.id,
    Client.number,
    Client.first_name,
    Client.last_name,
    Client.company,
    Client.email,
    Client.address,
    Client.country,
    Client.language,
    type_coerce(Client.status, String),
    Client.client_since,
).where(Client.id.in_(_ids))
_SERVICES = (
    select(
        Service.id,
        Product.name,
        Service.domain,
        type_coerce(Service.status, String),
        Service.price,
        Service.currency,
        Service.next_due_on,
    )
    .join(Product, Product.id == Service.product_id)
    .where(Service.id.in_(_ids))
)
_ADDONS = (
    select(AddonAssignment.id, Addon.name, type_coerce(AddonAssignment.status, String))
    .join(Addon, Addon.id == AddonAssignment.addon_id)
    .where(AddonAssignment.id.in_(_ids))
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
    writers = _writers(names, broadcast, now)
    needed = {_NEEDS.get(name.partition("_")[0], "") for name in names}
    clients = _by_id(session, _CLIENTS, {row[0] for row in rows})
    services = _by_id(session, _SERVICES, {row[1] for row in rows}) if "service" in needed else {}
    addons = _by_id(session, _ADDONS, {row[2] for row in rows}) if "addon" in needed else {}
    values = []
    for client_id, service_id, addon_id in rows:
        client = clients.get(client_id, _NOBODY)
        service = services.get(service_id, _NO_SERVICE)
        addon = addons.get(addon_id, _NO_ADDON)
        formats = formats_for(client[8], client[7])
        values.append([write(client, service, addon, formats) for write in writers])
    return values


_NEEDS = {"service": "service", "addon": "addon"}
Write = Callable[[Sequence[Any], Sequence[Any], Sequence[Any], Formats], str]


def _by_id(session: Session, query, ids: set[int | None]) -> dict[int | None, Sequence[Any]]:
    ids.discard(None)
    return {row[0]: row for row in session.execute(query, {"ids": list(ids)})} if ids else {}


def _writers(names: Sequence[str], broadcast: Broadcast, now: datetime) -> list[Write]:
    sender_name, sender_email = mailbox_or_blank(broadcast.from_address)
    today = now.astimezone(ZoneInfo(broadcast.time_zone)).date()
    writers = _WRITERS | {
        "sender_name": lambda *_: sender_name,
        "sender_email": lambda *_: sender_email,
        "date": lambda _client, _service, _addon, formats: formats.date(today),
    }
    return [writers[name] for name in names]


def _day(day: date | None, formats: Formats) -> str:
    return formats.date(day) if day else ""


_WRITERS: dict[str, Write] = {
    "client_id": lambda client, *_: clean(client[1]),
    "first_name": lambda client, *_: clean(client[2]),
    "last_name": lambda client, *_: clean(client[3]),
    "full_name": lambda client, *_: full_name(clean(client[2]), clean(client[3])),
    "company": lambda client, *_: clean(client[4]),
    "email": lambda client, *_: _readable(client[5], client[6]),
    "country": lambda client, _service, _addon, formats: formats.country(client[7]) if client[7] else "",
    "language": lambda client, _service, _addon, formats: formats.language(client[8]) if client[8] else "",
    "status": lambda client, *_: _CLIENT_STATUS[client[9]],
    "client_since": lambda client, _service, _addon, formats: _day(client[10], formats),
    "service_product": lambda _client, service, *_: clean(service[1]),
    "service_domain": lambda _client, service, *_: clean(service[2]),
    "service_status": lambda _client, service, *_: _HOLDING_STATUS[service[3]],
    "service_price": lambda _client, service, _addon, formats: (
        "" if service[4] is None else formats.money(service[4], service[5])
    ),
    "service_due_date": lambda _client, service, _addon, formats: _day(service[6], formats),
    "addon_name": lambda _client, _service, addon, _formats: clean(addon[1]),
    "addon_status": lambda _client, _service, addon, _formats: _HOLDING_STATUS[addon[2]],
}


def _readable(email: str, address: str | None) -> str:
    """The address as the client wrote it, where that is one address and no more; else the one that is mailed."""
    email = clean(email)
    return email if address is None or (email.count("@") == 1 and not set(email) & set(" <>,;|\"'()")) else address
