"""What a list of services says for each recipient, and how many there are."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests import factories
from webapp.core.audience import AudienceFilter, audience_of
from webapp.core.content import tag_catalogue
from webapp.core.content.tag_catalogue import Gap
from webapp.core.rules.message import MessageParts
from webapp.core.rules.statuses import HoldingStatus, MessageType
from webapp.core.rules.tags.nodes import MOST_ROWS, Loop, rows_key

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DOMAINS = rows_key([Loop(())], ["service.domain"])
LIST = "{% for service in services %}{{ service.domain }}{% endfor %}"


@pytest.fixture
def held(session):
    """Ada has two servers, of which one is suspended, and a shop with a backup; Bob a shop alone; Cy nothing."""
    ada = factories.client(session, "ada@example.com", language="de", country="DE")
    bob = factories.client(session, "bob@example.com", language="en", country="US")
    factories.client(session, "cy@example.com", language="en", country="US")
    vps, shop = factories.product(session, "VPS-2", "Servers"), factories.product(session, "Shop")
    factories.service(session, ada, vps, domain="late.example", next_due_on=date(2027, 9, 1), number="s1")
    factories.service(
        session, ada, vps, domain="early.example", next_due_on=date(2027, 1, 5), status=HoldingStatus.SUSPENDED,
        price=Decimal("1265.00"), currency="EUR", number="s2",
    )  # fmt: skip
    stocked = factories.service(session, ada, shop, domain="shop.example", next_due_on=None, price=None, number="s3")
    factories.service(session, bob, shop, domain="bob.example", next_due_on=date(2027, 2, 1), number="s4")
    factories.addon_assignment(session, stocked, factories.addon(session, "Backup"))
    session.commit()
    return session, ada, bob, vps


def broadcast_to(session, message_type=MessageType.GENERAL, **filter_):
    chosen = AudienceFilter(message_type, **filter_).to_dict()
    return factories.broadcast(session, message_type=message_type, audience_filter=chosen)


def values(session, clients, keys, broadcast):
    rows = [(client.id, None, None) for client in clients]
    return tag_catalogue.load_values(session, rows, keys, broadcast=broadcast, now=NOW)


def domains(held, message_type, **filter_):
    session, ada, bob, _ = held
    broadcast = broadcast_to(session, message_type, **filter_)
    found = values(session, [bob, ada], [DOMAINS, "service_count"], broadcast)
    return [([row[0] for row in json.loads(rows)], int(count)) for rows, count in found]


def test_a_list_holds_the_services_that_the_filter_chose_the_one_due_next_first(held):
    vps = held[3]
    all_of_them = [(["bob.example"], 1), (["early.example", "late.example", "shop.example"], 3)]
    assert domains(held, MessageType.GENERAL) == domains(held, MessageType.SERVICES) == all_of_them
    assert domains(held, MessageType.SERVICES, products=(vps.id,)) == [([], 0), (["early.example", "late.example"], 2)]
    suspended = {"service_statuses": (HoldingStatus.SUSPENDED,)}
    assert domains(held, MessageType.SERVICES, **suspended) == [([], 0), (["early.example"], 1)]
    assert domains(held, MessageType.ADDONS) == [([], 0), (["shop.example"], 1)]


def test_every_field_is_written_in_the_clients_language(held):
    session, ada, _, vps = held
    fields = [
        "product", "name", "group", "domain", "number", "status", "price", 'price | money: "number"', "due_date",
        'due_date | date: "short"',
    ]  # fmt: skip
    key = rows_key([Loop((), limit=2)], [f"service.{field}" for field in fields])
    early, late = json.loads(
        values(session, [ada], [key], broadcast_to(session, MessageType.SERVICES, products=(vps.id,)))[0][0]
    )
    assert early == [
        "VPS-2", "VPS-2", "Servers", "early.example", "s2", "Suspended", "1.265,00\xa0€", "1.265,00", "5. Januar 2027", "05.01.27",
    ]  # fmt: skip
    assert late[3] == "late.example"


def test_a_list_is_cut_off_and_the_number_is_not(held):
    session, ada, *_ = held
    key = rows_key([Loop((), limit=2), Loop((), limit=1)], ["service.domain"])
    ((rows, count, words),) = values(
        session, [ada], [key, "service_count", 'service_count | plural: "Dienst", "Dienste"'], broadcast_to(session)
    )
    assert (len(json.loads(rows)), count, words) == (2, "3", "3 Dienste")


def test_dates_prices_and_the_day_of_sending_are_written_as_their_filters_ask(held):
    session, ada, bob, _ = held
    keys = [
        'client_since | date: "%Y"',
        'date | date: "short"',
        'service_price | money: "whole"',
        'service_due_date | date: "%d/%m"',
    ]
    ada.client_since = date(2024, 5, 18)
    rows = [(client.id, client.services[0].id, None) for client in (ada, bob)]
    ada.services[0].price = Decimal("10.00")
    ada.services[0].currency = "EUR"
    session.flush()
    first, second = tag_catalogue.load_values(session, rows, keys, broadcast=broadcast_to(session), now=NOW)
    assert first == ["2024", "23.11.26", "10\xa0€", "01/09"]
    assert second[1] == "11/23/26"


@pytest.mark.parametrize(
    ("message_type", "gap"),
    [
        (MessageType.GENERAL, (3, 1, 1)),
        (MessageType.SERVICES, (2, 0, 0)),
        (MessageType.ADDONS, (1, 0, 0)),
    ],
)
def test_the_gaps_say_how_many_have_no_service_at_all(held, message_type, gap):
    session = held[0]
    broadcast = broadcast_to(session, message_type)
    found = tag_catalogue.gaps(session, audience_of(broadcast), MessageParts("", LIST), NOW.date())
    assert [(one.recipients, one.empty, one.blank) for one in found] == ([gap] if gap[1] else [])


def test_the_gaps_say_how_many_have_more_services_than_the_list_shows(held):
    session = held[0]
    audience = audience_of(broadcast_to(session, MessageType.SERVICES))
    short = LIST.replace("services %}", "services limit: 2 %}")
    assert tag_catalogue.gaps(session, audience, MessageParts("", short), NOW.date()) == [
        Gap("services", "List of services", 2, 0, 0, True, beyond=1, limit=2)
    ]
    assert not tag_catalogue.gaps(session, audience, MessageParts("", LIST), NOW.date()), f"nobody has {MOST_ROWS}"


def test_a_message_that_nobody_gets_yet_has_example_values():
    key = rows_key([Loop((), limit=2)], ["service.domain", 'service.price | money: "code"'])
    assert json.loads(tag_catalogue.example(key)) == [["oneill.example.net", "EUR\xa0265.00"]] * 2
    assert tag_catalogue.example('service_count | plural: "service", "services"') == "3 services"
    assert tag_catalogue.example('date | date: "%Y"') == "2027"
