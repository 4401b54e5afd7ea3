from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tests.factories import NOW
from webapp.core.clients import insert_many
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service


def ada(**columns):
    return {
        "number": "17",
        "first_name": "Ada",
        "last_name": "Nováková",
        "email": "Ada@Bücher.example",
        "status": "active",
    } | columns


def test_it_inserts_clients_with_what_they_hold(session):
    insert_many(
        session,
        NOW,
        clients=[ada(country="CZ", language="cs", client_since=date(2024, 3, 1), marketing_opt_in=True)],
        services=[
            {
                "number": "5",
                "client_number": "17",
                "group": "Web",
                "product": "Web Pro, 50 GB",
                "status": "active",
                "domain": "Nova.example",
            },
            {
                "number": "6",
                "client_number": "17",
                "group": "Web",
                "product": "Web Pro, 50 GB",
                "status": "inactive",
                "price": Decimal("9.90"),
            },
        ],
        addons=[{"number": "9", "service_number": "6", "addon": "Backup", "status": "suspended"}],
    )
    client = session.scalars(select(Client)).one()
    assert (client.address, client.address_key) == ("Ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example")
    assert client.email == "Ada@Bücher.example"
    assert client.search_text == "17 ada novakova ada@bucher.example ada@xn--bcher-kva.example"
    assert (client.status, client.created_at) == (ClientStatus.ACTIVE, NOW)
    assert [service.domain for service in client.services] == ["nova.example", ""]
    assert session.scalar(select(func.count()).select_from(Product)) == 1
    assignment = session.scalars(select(AddonAssignment)).one()
    assert (assignment.service.number, assignment.client_id, assignment.addon.name) == ("6", client.id, "Backup")
    assert assignment.status is HoldingStatus.SUSPENDED


def test_a_client_whose_address_cannot_be_used_is_kept_with_the_problem(session):
    insert_many(session, NOW, clients=[ada(email="unknown"), ada(number="18", email="")])
    first, second = session.scalars(select(Client).order_by(Client.id))
    assert (first.address, first.address_key, first.email) == (None, None, "unknown")
    assert "instead of an address" in first.address_problem
    assert second.address_problem == "no address"


def test_products_and_addons_are_made_once_over_several_calls(session):
    for number in ("1", "2"):
        insert_many(
            session,
            NOW,
            clients=[ada(number=number)],
            services=[
                {"number": number, "client_number": number, "group": "Web", "product": "Pro", "status": "active"}
            ],
            addons=[{"number": number, "service_number": number, "addon": "Backup", "status": "active"}],
        )
    assert session.scalar(select(func.count()).select_from(Product)) == 1
    assert session.scalar(select(func.count()).select_from(Addon)) == 1
    assert session.scalar(select(func.count()).select_from(Service)) == 2


def test_a_service_of_an_unknown_client_is_an_error(sqlite_session):
    with pytest.raises(KeyError):
        insert_many(
            sqlite_session,
            NOW,
            services=[{"number": "5", "client_number": "404", "product": "Pro", "status": "active"}],
        )
