"""What the tags say for a recipient."""

import dataclasses
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from babel.dates import format_date
from sqlalchemy import event

from tests import factories
from webapp.core.content import tag_catalogue
from webapp.core.content.tag_catalogue.formats import formats_for
from webapp.core.rules import tags
from webapp.core.rules.statuses import ClientStatus, HoldingStatus

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
ALL = [tag.name for tag in tags.TAGS]


def values_of(session, rows, names=ALL, **columns):
    broadcast = factories.broadcast(session, **{"from_address": "News, Example <news@example.com>"} | columns)
    return tag_catalogue.load_values(session, rows, names, broadcast=broadcast, now=NOW)


def one(session, client, service=None, assignment=None, **columns):
    row = (client.id, service and service.id, assignment and assignment.id)
    return dict(zip(ALL, values_of(session, [row], **columns)[0], strict=True))


def test_every_tag_says_what_the_client_and_their_holding_are(session):
    client = factories.client(
        session, "zoe@example.com", number="1001", first_name="Zoë", last_name="O’Neill", company="Acme", country="IE", language="en",
        client_since=date(2024, 5, 18), status=ClientStatus.FREEZE,
    )  # fmt: skip
    product = factories.product(session, "Web Pro, 50 GB")
    service = factories.service(
        session, client, product, domain="zoe.example.net", price=Decimal("1265.00"), currency="EUR", next_due_on=date(2027, 3, 14),
        status=HoldingStatus.SUSPENDED,
    )  # fmt: skip
    assignment = factories.addon_assignment(
        session, service, factories.addon(session, "Daily Backup"), status=HoldingStatus.INACTIVE
    )
    assert one(session, client, service, assignment, time_zone="Europe/Dublin") == {
        "first_name": "Zoë",
        "last_name": "O’Neill",
        "full_name": "Zoë O’Neill",
        "company": "Acme",
        "email": "zoe@example.com",
        "country": "Ireland",
        "language": "English",
        "status": "Freeze",
        "client_id": "1001",
        "client_since": "18 May 2024",
        "service_product": "Web Pro, 50 GB",
        "service_domain": "zoe.example.net",
        "service_status": "Suspended",
        "service_price": "€1,265.00",
        "service_due_date": "14 March 2027",
        "addon_name": "Daily Backup",
        "addon_status": "Inactive",
        "service_count": "1",
        "sender_name": "News, Example",
        "sender_email": "news@example.com",
        "date": "23 November 2026",
    }


@pytest.mark.parametrize(
    ("language", "country", "since", "price", "name"),
    [
        ("de", "DE", "18. Mai 2024", "1.265,00 €", "Deutschland"),
        ("de", "CH", "18. Mai 2024", "EUR 1’265.00", "Schweiz"),
        ("fr", "FR", "18 mai 2024", "1 265,00 €", "France"),
        ("pt-BR", "BR", "18 de maio de 2024", "€ 1.265,00", "Brasil"),
        ("ja", "JP", "2024年5月18日", "€1,265.00", "日本"),
        ("en", "US", "May 18, 2024", "€1,265.00", "United States"),
        (None, "NL", "18 May 2024", "€ 1.265,00", "Netherlands"),
        ("zz", None, "May 18, 2024", "€1,265.00", ""),
        ("not a language", "DE", "18 May 2024", "1.265,00 €", "Germany"),
    ],
)
def test_dates_prices_and_countries_are_written_in_the_clients_language(
    sqlite_session, language, country, since, price, name
):
    client = factories.client(sqlite_session, language=language, country=country, client_since=date(2024, 5, 18))
    service = factories.service(sqlite_session, client, factories.product(sqlite_session), price=Decimal("1265.00"))
    found = one(sqlite_session, client, service)
    plain = {key: value.replace("\xa0", " ").replace("\u202f", " ") for key, value in found.items()}
    assert (plain["client_since"], plain["service_price"], plain["country"]) == (since, price, name)


def test_a_price_keeps_three_decimals_where_it_has_them(session):
    client = factories.client(session, language="en", country="GB")
    written = {"5.125": "KWD5.125", "5.500": "KWD5.500", "5.50": "KWD5.500"}
    for price, shown in written.items():
        service = factories.service(session, client, factories.product(session), price=Decimal(price), currency="KWD")
        session.expire(service)
        assert service.price == Decimal(price)
        assert one(session, client, service)["service_price"].replace("\xa0", "") == shown


def test_the_date_is_the_day_of_sending_in_the_broadcasts_zone(sqlite_session):
    client = factories.client(sqlite_session, language="en", country="GB")
    assert one(sqlite_session, client, time_zone="Asia/Tokyo")["date"] == "24 November 2026"
    assert one(sqlite_session, client, time_zone="America/New_York")["date"] == "23 November 2026"


def test_what_there_is_not_is_an_empty_value(sqlite_session):
    client = factories.client(
        sqlite_session, first_name="", last_name="", company="", country=None, language=None, client_since=None
    )
    service = factories.service(
        sqlite_session,
        client,
        factories.product(sqlite_session),
        domain="",
        price=None,
        currency=None,
        next_due_on=None,
    )
    empty = {name for name, value in one(sqlite_session, client, service, from_address="").items() if not value}
    assert empty == {
        "first_name", "last_name", "full_name", "company", "country", "language", "client_since", "service_domain", "service_price",
        "service_due_date", "addon_name", "addon_status", "sender_name", "sender_email",
    }  # fmt: skip


def test_rows_keep_their_order_and_each_takes_its_own_service(sqlite_session):
    clients = [factories.client(sqlite_session, first_name=f"N{number}") for number in range(3)]
    services = [
        factories.service(sqlite_session, clients[0], factories.product(sqlite_session, f"P{number}"))
        for number in range(3)
    ]
    rows = [(clients[2].id, None, None), (clients[0].id, services[1].id, None), (clients[0].id, services[0].id, None)]
    assert values_of(sqlite_session, rows, ["service_product", "first_name"]) == [
        ["", "N2"],
        ["P1", "N0"],
        ["P0", "N0"],
    ]
    assert values_of(sqlite_session, [], ["first_name"]) == []


@pytest.mark.parametrize(
    ("first", "last", "full"),
    [
        ("小明", "王", "王小明"),
        ("さくら", "ヤマダ", "ヤマダさくら"),
        ("지민", "김", "김지민"),
        ("Ada", "", "Ada"),
        ("", "Bell", "Bell"),
        ("小明", "Wang", "小明 Wang"),
        ("小明", "", "小明"),
    ],
)
def test_a_name_in_han_kana_or_hangul_has_the_family_name_first(first, last, full):
    assert tag_catalogue.full_name(first, last) == full


@pytest.mark.parametrize(
    ("email", "address", "shown"),
    [
        ("post@müller.example", "post@xn--mller-kva.example", "post@müller.example"),
        ("a@x.example; b@x.example", "a@x.example", "a@x.example"),
        ("Ada <a@x.example>", "a@x.example", "a@x.example"),
        ("a@x.example\n", "a@x.example", "a@x.example"),
    ],
)
def test_the_address_is_shown_as_the_client_wrote_it_where_that_is_one(sqlite_session, email, address, shown):
    client = factories.client(sqlite_session, email, address=address, address_key=address)
    assert one(sqlite_session, client)["email"] == shown


def test_no_value_has_a_line_end_or_a_control_character(sqlite_session):
    client = factories.client(sqlite_session, first_name=" a\r\nBcc: x\x1b\u2028 ", last_name="\tb", company="c\x7fd")
    found = one(sqlite_session, client)
    assert (found["first_name"], found["last_name"], found["company"]) == ("a  Bcc: x", "b", "cd")


def test_a_name_that_is_no_tag_is_a_mistake_of_the_program(sqlite_session):
    with pytest.raises(KeyError):
        values_of(sqlite_session, [], ["nonsense"])


def test_it_asks_each_table_once_and_only_for_what_the_tags_need(sqlite_session):
    clients = [factories.client(sqlite_session) for _ in range(150)]
    services = [factories.service(sqlite_session, client, factories.product(sqlite_session)) for client in clients]
    rows = [(client.id, service.id, None) for client, service in zip(clients, services, strict=True)]
    broadcast = factories.broadcast(sqlite_session)
    asked: list[str] = []
    engine = sqlite_session.get_bind().engine
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    tag_catalogue.load_values(sqlite_session, rows, ["first_name", "date"], broadcast=broadcast, now=NOW)
    assert len(asked) == 1
    tag_catalogue.load_values(sqlite_session, rows, ALL, broadcast=broadcast, now=NOW)
    assert len(asked) == 1 + 3, "clients, the services of the tags and how many there are; nobody has an addon"


def test_the_catalogue_has_a_writer_for_every_tag_and_every_tag_an_example():
    assert all(tag.example and tag.label for tag in tags.TAGS)
    assert len({tag.name for tag in tags.TAGS}) == len(tags.TAGS)
    assert dataclasses.is_dataclass(tags.Tag)


@pytest.mark.parametrize(
    "language", ["en", "de", "cs", "el", "ja", "zh", "ko", "th", "ar", "he", "hu", "lt", "pt-BR", "yue", "ak", "mn"]
)
def test_dates_are_written_as_babel_writes_them(language):
    formats = formats_for(language, None)
    for number in range(60):
        day = date(1999, 1, 1) + timedelta(days=113 * number)
        assert formats.date(day) == format_date(day, "long", locale=formats.locale)


def test_a_group_of_two_hundred_takes_milliseconds(sqlite_session):
    clients = [factories.client(sqlite_session, number=f"n{number}") for number in range(200)]
    rows = [(client.id, None, None) for client in clients]
    broadcast = factories.broadcast(sqlite_session)
    names = ["full_name", "first_name", "company", "country", "client_since", "date"]
    tag_catalogue.load_values(sqlite_session, rows, names, broadcast=broadcast, now=NOW)
    begin = time.process_time()
    for _ in range(10):
        tag_catalogue.load_values(sqlite_session, rows, names, broadcast=broadcast, now=NOW)
    assert (time.process_time() - begin) / 10 < 0.05, "about 2 ms on an idle machine"
