"""The list of clients and the numbers beside it, answered from the copy in memory: the same as the table says, and without reading it."""

import itertools
from importlib import import_module

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests import factories
from webapp.core import audience, clients
from webapp.core.audience import Audience, AudienceFilter
from webapp.core.clients import ClientSearch
from webapp.core.rules.statuses import ClientStatus, MessageType
from webapp.core.tables.stamps import BLOCK_BITS

TODAY = factories.NOW.date()


def warm(session: Session) -> None:
    """Somebody looks at an audience."""
    audience.count(session, Audience(AudienceFilter(MessageType.GENERAL)), TODAY)


@pytest.fixture
def world(session: Session) -> list[int]:
    """Clients of two blocks, of every kind that a search tells apart. The ids of two products."""
    products = [factories.product(session) for _ in range(2)]
    kinds = itertools.product(
        ("DE", "AT", None), ("de", None), (ClientStatus.ACTIVE, ClientStatus.BLOCKED), ("", None, "?")
    )
    for place, (country, language, status, email) in enumerate(kinds):
        row = factories.client(
            session, email if email != "?" else None, country=country, language=language, status=status,
            id=(place % 2 << BLOCK_BITS) + place + 1,
        )  # fmt: skip
        if email == "?":
            row.email = "no address"
        if place % 3:
            factories.service(session, row, products[place % 2])
    session.commit()
    return [product.id for product in products]


def test_the_directory_finds_whom_the_table_has_page_by_page(session: Session, world, monkeypatch):
    monkeypatch.setattr(import_module("webapp.core.clients.search"), "CLIENTS_A_PAGE", 4)
    warm(session)
    directory = audience.directory(session)
    assert directory
    for country, language, status, product_id, without in itertools.product(
        ("", "DE", "XX"), ("", "de"), (None, ClientStatus.BLOCKED), (None, world[0], 999), (False, True)
    ):
        wanted = ClientSearch("", country, language, status, product_id, without)
        for number in (1, 2, 99):
            there, here = (clients.search(session, wanted, number, which) for which in (directory, None))
            assert there == here, (wanted, number)
    everybody = clients.search(session, ClientSearch(words="example"), 1, directory)
    assert everybody == clients.search(session, ClientSearch(words="example"))


def test_the_directory_has_the_values_and_the_number_of_the_table(session: Session, world):
    before = clients.values(session)
    warm(session)
    after = clients.values(session, audience.directory(session))
    assert after.countries == sorted(before.countries) == ["AT", "DE"]
    assert after.languages == sorted(before.languages) == ["de"]
    assert after.products == before.products
    assert audience.client_count(session) == clients.count(session) == 36


def test_what_has_changed_is_not_told_from_an_old_copy(session: Session, world):
    assert audience.directory(session) is None
    warm(session)
    assert audience.directory(session)
    factories.client(session, country="FR", id=99)
    assert audience.directory(session) is None and audience.client_count(session) == 37
    warm(session)
    directory = audience.directory(session)
    assert directory and "FR" in directory.countries


def test_nobody_waits_for_the_directory_while_the_copy_is_read(sqlite_session: Session):
    factories.client(sqlite_session)
    sqlite_session.commit()
    asked = []

    def ask(_connection, _cursor, statement, *_rest):
        if "FROM service" in statement and not asked:
            asked.append("at once")
            with Session(engine) as other:
                asked.append(audience.directory(other))

    engine = sqlite_session.get_bind()
    event.listen(engine, "before_cursor_execute", ask)
    warm(sqlite_session)
    event.remove(engine, "before_cursor_execute", ask)
    assert asked == ["at once", None]


@pytest.mark.parametrize(("words", "number", "statements"), [("zebra", 1, 1), ("example", 1, 2), ("example", 10, 1)])
def test_a_search_by_words_looks_through_the_clients_no_more_than_it_must(
    sqlite_session: Session, words, number, statements
):
    for _ in range(9 * clients.CLIENTS_A_PAGE + 1):
        factories.client(sqlite_session)
    sqlite_session.commit()
    asked = []

    def ask(_connection, _cursor, statement, *_rest):
        if "search_text LIKE" in statement:
            asked.append(statement)

    engine = sqlite_session.get_bind()
    event.listen(engine, "before_cursor_execute", ask)
    page = clients.search(sqlite_session, ClientSearch(words), number)
    event.remove(engine, "before_cursor_execute", ask)
    assert len(asked) == statements
    assert page.total == (9 * clients.CLIENTS_A_PAGE + 1 if words == "example" else 0)
