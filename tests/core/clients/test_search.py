import pytest

from tests import factories
from webapp.core import clients
from webapp.core.clients import ClientSearch
from webapp.core.clients.rows import stored_form
from webapp.core.errors import NotFound
from webapp.core.rules.statuses import ClientStatus


def known(session, number, **typed):
    """A client whose derived columns are what the program itself would store."""
    return factories.client(session, **(stored_form({"number": number, "status": ClientStatus.ACTIVE, **typed})))


@pytest.fixture
def some(session):
    jana = known(
        session, "1001", first_name="Jana", last_name="Nováková", company="Ľubica s.r.o.", email="jana@example.com"
    )
    bob = known(
        session, "1002", first_name="Bob", last_name="O'Brien", email="bob_b@example.org", country="IE", language="en"
    )
    nobody = known(session, "1003", first_name="No", last_name="Address", status=ClientStatus.BLOCKED)
    service = factories.service(session, jana, factories.product(session), domain="shop.novak.example")
    return {"jana": jana, "bob": bob, "nobody": nobody, "service": service}


def found(session, **wanted):
    return [row.number for row in clients.search(session, ClientSearch(**wanted)).rows]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("novakova", ["1001"]),
        ("NOVÁKOVÁ jana", ["1001"]),
        ("lubica", ["1001"]),
        ("o'brien", ["1002"]),
        ("bob_b@", ["1002"]),
        ("bob%", []),
        ("b_b_b", []),
        ("100", ["1001", "1002", "1003"]),
        ("shop.novak", ["1001"]),
        ("jana bob", []),
    ],
)
def test_every_word_must_be_found_whatever_its_accents(session, some, words, numbers):
    assert found(session, words=words) == numbers


def test_filters_narrow_together(session, some):
    assert found(session, country="IE", language="en") == ["1002"]
    assert found(session, country="IE", language="de") == []
    assert found(session, status=ClientStatus.BLOCKED) == ["1003"]
    assert found(session, product_id=some["service"].product_id) == ["1001"]
    assert found(session, without_address=True) == ["1003"]


def test_pages_follow_each_other_and_one_behind_the_end_is_the_last(session):
    for number in range(clients.CLIENTS_A_PAGE + 3):
        factories.client(session, number=f"p{number}")
    first, second = (clients.search(session, ClientSearch(), number) for number in (1, 99))
    assert (first.first, first.last, first.has_next) == (1, clients.CLIENTS_A_PAGE, True)
    assert (second.number, second.first, second.last, second.has_next) == (
        2,
        clients.CLIENTS_A_PAGE + 1,
        clients.CLIENTS_A_PAGE + 3,
        False,
    )
    assert not {row.id for row in first.rows} & {row.id for row in second.rows}


def test_nobody_found_is_an_empty_page(session):
    page = clients.search(session, ClientSearch(words="x"))
    assert (page.total, page.first, page.last, page.has_next) == (0, 0, 0, False)


def test_the_page_knows_how_many_services_each_holds(session, some):
    assert clients.search(session, ClientSearch()).services == {some["jana"].id: 1}


def test_a_client_who_is_gone_is_not_found(session):
    with pytest.raises(NotFound):
        clients.get(session, 99)
