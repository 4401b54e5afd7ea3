"""For how many recipients a tag has nothing to say."""

from datetime import date
from decimal import Decimal

import pytest

from tests import factories
from webapp.core import audience as audiences
from webapp.core.audience import AudienceFilter, audience_of
from webapp.core.content.tag_catalogue import Gap, empties, gaps
from webapp.core.rules.message import MessageParts
from webapp.core.rules.statuses import HoldingStatus, MessageType
from webapp.core.tables.broadcasts import PickKind

TODAY = date(2026, 11, 23)


def found(session, content, message_type=MessageType.GENERAL, broadcast=None, **filter_):
    broadcast = broadcast or factories.broadcast(
        session, message_type=message_type, audience_filter=AudienceFilter(message_type, **filter_).to_dict()
    )
    session.commit()
    parts = content if isinstance(content, MessageParts) else MessageParts("", content)
    listed = gaps(session, audience_of(broadcast), parts, TODAY, from_address="news@example.com")
    return {gap.name: (gap.recipients, gap.empty, gap.blank) for gap in listed}


def ten_people(session):
    """Ten recipients: three without first name, two of these without last name too; four without company; one without a country."""
    for number in range(10):
        factories.client(
            session,
            first_name="" if number < 3 else "Ada",
            last_name="" if number < 2 else "Bell",
            company="" if number % 3 == 0 else "Acme",
            country=None if number == 9 else "DE",
            language="" if number == 8 else "de",
            client_since=None if number == 7 else date(2024, 1, 1),
        )
    factories.client(session, None, first_name="", company="")
    session.commit()


@pytest.fixture
def people(sqlite_session):
    ten_people(sqlite_session)


def test_it_counts_the_recipients_without_a_value(session):
    ten_people(session)
    assert found(session, "<p>{{ first_name }} {{ company }} {{ last_name }} {{ status }} {{ client_id }} {{ email }} {{ date }}</p>") == {
        "first_name": (10, 3, 3),
        "company": (10, 4, 4),
        "last_name": (10, 2, 2),
    }  # fmt: skip
    assert found(session, "{{ full_name }}{{ country }}{{ language }}{{ client_since }}") == {
        "full_name": (10, 2, 2),
        "country": (10, 1, 1),
        "language": (10, 1, 1),
        "client_since": (10, 1, 1),
    }


def test_clients_who_get_no_mail_do_not_count(sqlite_session, people):
    assert found(sqlite_session, "{{ first_name }}", countries=("DE",)) == {"first_name": (9, 3, 3)}


def test_it_says_whether_something_stands_in(sqlite_session, people):
    assert found(sqlite_session, '{{ first_name | default: "there" }}') == {"first_name": (10, 3, 0)}
    assert found(sqlite_session, "{% if first_name %}Dear {{ first_name }}{% endif %}") == {"first_name": (10, 3, 0)}
    assert found(sqlite_session, '{{ first_name | default: "there" }}{{ first_name }}') == {"first_name": (10, 3, 3)}


def test_a_tag_that_stands_in_leaves_those_for_whom_both_are_empty(sqlite_session, people):
    assert found(sqlite_session, "{{ first_name | default: last_name }}") == {"first_name": (10, 3, 2)}
    assert found(sqlite_session, "{{ first_name | default: last_name | default: company }}") == {
        "first_name": (10, 3, 1)
    }


def test_subject_and_text_count_too_and_half_typed_tags_do_not_hinder(sqlite_session, people):
    parts = MessageParts("Hi {{ first_name }}", '{{ first_name | default: "x" }} {{ compa', "{{ company }}{% if")
    assert found(sqlite_session, parts) == {"first_name": (10, 3, 3), "company": (10, 4, 4)}


def test_a_sender_without_a_name_is_a_gap_for_everybody(sqlite_session, people):
    assert found(sqlite_session, "{{ sender_name }} {{ sender_email }}") == {"sender_name": (10, 10, 10)}


def test_without_tags_or_recipients_there_is_nothing_to_say(sqlite_session):
    assert found(sqlite_session, "<p>Hello</p>") == {}
    assert found(sqlite_session, "<p>{{ first_name }}</p>") == {}


def test_the_service_that_the_tags_take_decides(session):
    product, other = factories.product(session), factories.product(session)
    for number in range(4):
        client = factories.client(session)
        factories.service(session, client, product, domain="", price=None, next_due_on=date(2027, 1, 1 + number))
        if number:
            factories.service(session, client, product, domain="x.example", next_due_on=date(2026, 12, 1))
        factories.service(session, client, other, domain="", price=None, next_due_on=date(2026, 11, 24))
    session.commit()
    content = "{{ service_domain }}{{ service_product }}{{ service_price | default: 'free' }}"
    assert found(session, content, MessageType.SERVICES, products=(product.id,)) == {
        "service_domain": (4, 1, 1),
        "service_price": (4, 1, 0),
    }


def test_a_client_added_by_hand_without_any_service_has_none_of_its_tags(session):
    holder, nobody = factories.client(session), factories.client(session)
    factories.service(session, holder, factories.product(session), price=Decimal(5))
    broadcast = factories.broadcast(
        session, message_type=MessageType.SERVICES, audience_filter=AudienceFilter(MessageType.SERVICES).to_dict()
    )
    audiences.pick(session, broadcast.id, nobody.id, PickKind.ADDED)
    assert found(session, "{{ service_product }}{{ service_price }}", broadcast=broadcast) == {
        "service_product": (2, 1, 1),
        "service_price": (2, 1, 1),
    }


def test_addon_messages_look_at_the_service_of_the_addon(sqlite_session):
    client = factories.client(sqlite_session)
    product = factories.product(sqlite_session)
    plain, with_addon = (
        factories.service(sqlite_session, client, product, domain=domain) for domain in ("x.example", "")
    )
    assert plain.id != with_addon.id
    factories.addon_assignment(sqlite_session, with_addon, factories.addon(sqlite_session), status=HoldingStatus.ACTIVE)
    assert found(sqlite_session, "{{ service_domain }}{{ addon_name }}", MessageType.ADDONS) == {
        "service_domain": (1, 1, 1)
    }


def test_of_very_many_candidates_some_are_looked_at_and_the_rest_estimated(sqlite_session, monkeypatch):
    product = factories.product(sqlite_session)
    for number in range(90):
        client = factories.client(sqlite_session)
        factories.service(sqlite_session, client, product, domain="")
        if number % 2 == 0:
            factories.service(sqlite_session, client, product, domain="x.example", next_due_on=date(2026, 11, 30))
    monkeypatch.setattr(empties, "LOOKED_AT", 30)
    broadcast = factories.broadcast(sqlite_session, message_type=MessageType.SERVICES)
    sqlite_session.commit()
    parts = MessageParts("", "{{ service_domain }}")
    audience = audiences.Audience(AudienceFilter(MessageType.SERVICES), broadcast.id)
    (gap,) = gaps(sqlite_session, audience, parts, TODAY)
    assert gap == Gap("service_domain", "Domain", recipients=90, empty=45, blank=45, exact=False)
