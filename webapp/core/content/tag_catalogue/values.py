"""What each tag says for each recipient: read in bulk, written in the client's language."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import repeat
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, BigInteger, Select, String, Text, bindparam, cast, func, select
from sqlalchemy.orm import Session

from webapp.core.content.tag_catalogue.formats import Formats, formats_for
from webapp.core.content.tag_catalogue.holdings import Held, style_of
from webapp.core.content.tag_catalogue.link_words import link_words
from webapp.core.content.tag_catalogue.names import full_name
from webapp.core.rules.message.parts import mailbox_or_blank
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.rules.tags.expressions import read_output
from webapp.core.rules.tags.names import LINK_WORDS
from webapp.core.rules.tags.nodes import Filter, read_rows_key
from webapp.core.rules.tags.values import clean
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service

Recipient = tuple[int, int | None, int | None]
"""Client, service and addon assignment: whose data the tags take."""

Column = list[Any]
"""One kind of data of a group of recipients, in their order; None where there is nobody, or no service or addon."""


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """Where columns come from: the place of the key in a Recipient, the key, the column of each name, and what is joined for them."""

    place: int
    key: Any
    columns: dict[str, Any]
    also: tuple[Any, Any] | None = None


# Columns of the tables, not of the classes: the shortest way to rows that are read and thrown away.
_client, _service, _product = Client.__table__.c, Service.__table__.c, Product.__table__.c
_assignment, _addon = AddonAssignment.__table__.c, Addon.__table__.c

_SOURCES = (
    ColumnSource(
        0,
        _client.id,
        {
            "client.number": _client.number,
            "client.first_name": _client.first_name,
            "client.last_name": _client.last_name,
            "client.company": _client.company,
            "client.email": _client.email,
            "client.address": _client.address,
            "client.country": _client.country,
            "client.language": _client.language,
            "client.status": _client.status,
            "client.since": _client.client_since,
        },
    ),
    ColumnSource(
        1,
        _service.id,
        {
            "service.product": _product.name,
            "service.domain": _service.domain,
            "service.status": _service.status,
            "service.price": cast(_service.price, String),
            "service.currency": _service.currency,
            "service.due": _service.next_due_on,
        },
        also=(Product.__table__, _product.id == _service.product_id),
    ),
    ColumnSource(
        2,
        _assignment.id,
        {"addon.name": _addon.name, "addon.status": _assignment.status},
        also=(Addon.__table__, _addon.id == _assignment.addon_id),
    ),
)
_CLIENT_STATUS = {None: ""} | {status.value: status.label for status in ClientStatus}
_HOLDING_STATUS = {None: ""} | {status.value: status.label for status in HoldingStatus}


def load_values(
    session: Session,
    rows: Sequence[Recipient],
    names: Sequence[str],
    *,
    broadcast: Broadcast,
    now: datetime,
    language: str = "",
) -> list[list[str]]:
    """For each of `rows`, in their order, the values with the keys `names`, in theirs. One query a table, however many rows.

    Every value is one line without control characters, "" where there is nothing to say. Dates, prices and names of countries and
    languages are in the language of the text that these recipients get: `language`, for the main text the broadcast's own, and where nobody
    has said that the client's; `date` is the day of `now` in the broadcast's zone. A key is a tag's name, with a filter behind it that says
    how a date, a price or a number is written, or that of a list of services, whose value is JSON: a list of services, each a list of
    texts. Raises KeyError for a name that is no tag.
    """
    written_in = language or broadcast.main_language
    held = Held(session, rows, names, broadcast, now)
    writers = [_writer(name, len(rows), broadcast, now, written_in, held) for name in names]
    needed = {column for writer in writers for column in writer.needs}
    if is_local := any(writer.is_local for writer in writers):
        needed |= {"client.language", "client.country"}
    found: dict[str, Column] = {}
    for source in _SOURCES:
        if wanted := tuple(name for name in source.columns if name in needed):
            found |= zip(wanted, _read(session, source, wanted, [row[source.place] for row in rows]), strict=True)
    if is_local:
        languages = repeat(written_in) if written_in else found["client.language"]
        found["formats"] = list(map(formats_for, languages, found["client.country"]))
    columns = [writer.write(*map(found.__getitem__, writer.arguments)) for writer in writers]
    return [list(values) for values in zip(*columns, strict=True)] if names else [[] for _ in rows]


def _read(session: Session, source: ColumnSource, names: tuple[str, ...], keys: Sequence[int | None]) -> list[Column]:
    """The columns of these names for the rows with these keys, in the order of the keys; dates and amounts as text.

    They come as one text of JSON: a driver that gives row by row lets go of the interpreter for each, and takes it back from the thread
    that talks to the relay.
    """
    if all(key is None for key in keys):
        return [[None] * len(keys) for _ in names]
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    asked: Any = json.dumps(keys) if is_sqlite else list(keys)
    found: str = connection.execute(_as_json(source.place, names, is_sqlite), {"keys": asked}).scalar_one()
    places: list[int]
    columns: list[list[Any]]
    places, *columns = json.loads(found)
    first = 0 if is_sqlite else 1
    if places == list(range(first, first + len(keys))):
        return columns
    order = sorted(range(len(places)), key=places.__getitem__)  # the database may join in any order
    return [[column[place] for place in order] for column in columns]


@cache
def _as_json(place: int, names: tuple[str, ...], is_sqlite: bool) -> Select[Any]:
    """The columns for the keys in the parameter `keys`, as a JSON list of lists; the first says which key each row is for."""
    source = _SOURCES[place]
    asked: Any
    if is_sqlite:
        asked = func.json_each(bindparam("keys")).table_valued("key", "value")
        key, number = asked.c.value, asked.c.key
        listed, together = func.json_group_array, func.json_array
    else:
        keys = func.unnest(bindparam("keys", type_=ARRAY(BigInteger)))
        asked = keys.table_valued("value", with_ordinality="key").render_derived()
        key, number = asked.c.value, asked.c.key
        listed, together = func.json_agg, func.json_build_array
    columns = [listed(column) for column in (number, *(source.columns[name] for name in names))]
    joined = asked.outerjoin(source.key.table, source.key == key)
    if source.also is not None:  # one by one: SQLite would join all services with their products first
        joined = joined.outerjoin(*source.also)
    return select(cast(together(*columns), Text)).select_from(joined)


@dataclass(frozen=True, slots=True)
class ValueWriter:
    """How a tag's values are written: from these columns; with `is_local`, also from the rules of each client's language and country."""

    needs: tuple[str, ...]
    write: Callable[..., list[str]]
    is_local: bool = False

    @property
    def arguments(self) -> Iterable[str]:
        return (*self.needs, "formats") if self.is_local else self.needs


def _writer(key: str, count: int, broadcast: Broadcast, now: datetime, written_in: str, held: Held) -> ValueWriter:
    if read_rows_key(key):
        return ValueWriter((), held.lists, is_local=True)
    if written_in and key in LINK_WORDS:
        return ValueWriter((), lambda: [link_words(key, written_in)] * count)
    name, how = key, None
    if "|" in key:
        output = read_output(key)
        name, how = output.name, output.filters[0]
    match name:
        case "service_count":
            return ValueWriter((), lambda formats: held.counts(formats, how), is_local=True)
        case "sender_name" | "sender_email":
            said = mailbox_or_blank(broadcast.from_address)[name == "sender_email"]
            return ValueWriter((), lambda: [said] * count)
        case "date":
            today = now.astimezone(ZoneInfo(broadcast.time_zone)).date()
            return ValueWriter(
                (), lambda formats: [own.styled_date(today, style_of(how)) for own in formats], is_local=True
            )
    return _styled(_WRITERS[name], how) if how else _WRITERS[name]


def _styled(plain: ValueWriter, how: Filter) -> ValueWriter:
    """Another way to write the dates or prices of a tag."""
    if plain.write is _days:
        days = style_of(how)
        return ValueWriter(plain.needs, lambda column, formats: _days(column, formats, days), is_local=True)
    assert plain.write is _prices  # as `check` has seen to
    style = style_of(how, "symbol")
    return ValueWriter(plain.needs, lambda prices, codes, formats: _prices(prices, codes, formats, style), True)


def _cleaned(column: Column) -> list[str]:
    """A column of texts. They are mostly clean, all of them together."""
    if None in column:
        column = [value or "" for value in column]
    side_by_side = "|".join(["", *column, ""])
    if side_by_side.isprintable() and "| " not in side_by_side and " |" not in side_by_side:
        return column
    return [clean(value) for value in column]


def _full_names(first: Column, last: Column) -> list[str]:
    return list(map(full_name, _cleaned(first), _cleaned(last)))


def _readable(email: str | None, address: str | None) -> str:
    """The address as the client wrote it, where that is one address and no more; else the one that is mailed."""
    email = clean(email or "")
    return email if address is None or (email.count("@") == 1 and not set(email) & set(" <>,;|\"'()")) else address


def _days(days: Column, formats: Sequence[Formats], style: str = "long") -> list[str]:
    if style == "long":
        return [own.date(date.fromisoformat(day)) if day else "" for day, own in zip(days, formats, strict=True)]
    return [
        clean(own.styled_date(date.fromisoformat(day), style)) if day else ""
        for day, own in zip(days, formats, strict=True)
    ]


def _prices(prices: Column, currencies: Column, formats: Sequence[Formats], style: str = "symbol") -> list[str]:
    if style == "symbol":
        return [
            "" if price is None else own.money(Decimal(price), currency)
            for price, currency, own in zip(prices, currencies, formats, strict=True)
        ]
    return [
        "" if price is None else clean(own.styled_money(Decimal(price), currency, style))
        for price, currency, own in zip(prices, currencies, formats, strict=True)
    ]


def _countries(codes: Column, formats: Sequence[Formats]) -> list[str]:
    return [own.country(code) if code else "" for code, own in zip(codes, formats, strict=True)]


def _languages(tags: Column, formats: Sequence[Formats]) -> list[str]:
    return [own.language(tag) if tag else "" for tag, own in zip(tags, formats, strict=True)]


def _words(name: str) -> Callable[[Column], list[str]]:
    return lambda languages: [link_words(name, language) for language in languages]


_WRITERS: dict[str, ValueWriter] = {
    "client_id": ValueWriter(("client.number",), _cleaned),
    "first_name": ValueWriter(("client.first_name",), _cleaned),
    "last_name": ValueWriter(("client.last_name",), _cleaned),
    "full_name": ValueWriter(("client.first_name", "client.last_name"), _full_names),
    "company": ValueWriter(("client.company",), _cleaned),
    "email": ValueWriter(("client.email", "client.address"), lambda *both: list(map(_readable, *both))),
    "country": ValueWriter(("client.country",), _countries, is_local=True),
    "language": ValueWriter(("client.language",), _languages, is_local=True),
    "status": ValueWriter(("client.status",), lambda column: [_CLIENT_STATUS[status] for status in column]),
    "client_since": ValueWriter(("client.since",), _days, is_local=True),
    "service_product": ValueWriter(("service.product",), _cleaned),
    "service_domain": ValueWriter(("service.domain",), _cleaned),
    "service_status": ValueWriter(("service.status",), lambda column: [_HOLDING_STATUS[status] for status in column]),
    "service_price": ValueWriter(("service.price", "service.currency"), _prices, is_local=True),
    "service_due_date": ValueWriter(("service.due",), _days, is_local=True),
    "addon_name": ValueWriter(("addon.name",), _cleaned),
    "addon_status": ValueWriter(("addon.status",), lambda column: [_HOLDING_STATUS[status] for status in column]),
    **{name: ValueWriter(("client.language",), _words(name)) for name in LINK_WORDS},
}
