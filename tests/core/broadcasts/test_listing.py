"""The list of mass mails: what is found, what is counted, how it is called."""

from datetime import timedelta

import pytest

from tests import factories
from tests.factories import NOW
from webapp.core.broadcasts.list_order import ListOrder, order_in
from webapp.core.broadcasts.listing import BROADCASTS_A_PAGE, Tab, _few, listing
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.statuses import MessageType

B = BroadcastState


def names(page):
    return [row.broadcast.name for row in page.rows]


def test_an_empty_list_is_a_page_without_rows(session):
    page = listing(session)
    assert (list(page.rows), page.total, page.first, page.last, page.has_next) == ([], 0, 0, 0, False)
    assert set(page.tabs.values()) == {0}


def test_every_state_belongs_to_exactly_one_tab():
    states = [state for tab in Tab if tab is not Tab.ALL for state in tab.states]
    assert sorted(states) == sorted(B)


def test_the_tabs_count_every_broadcast_and_show_their_own(session):
    for state in (B.DRAFT, B.DRAFT, B.SCHEDULED, B.SENDING, B.PAUSED, B.NEEDS_ATTENTION, B.FINISHED, B.CANCELLED):
        factories.broadcast(session, state=state)
    page = listing(session, tab=Tab.NEEDS_YOU)
    assert [page.tabs[tab] for tab in Tab] == [8, 2, 1, 1, 2, 2]
    assert {row.broadcast.state for row in page.rows} == {B.PAUSED, B.NEEDS_ATTENTION}


def test_the_latest_change_comes_first(session):
    for place, name in enumerate(("old", "new", "middle")):
        factories.broadcast(session, name=name, updated_at=NOW + timedelta(minutes=[0, 9, 5][place]))
    assert names(listing(session)) == ["new", "middle", "old"]


def test_each_column_sorts_and_the_latest_change_decides_between_equals(session):
    ada, bo = (factories.user(session, f"{name.lower()}@example.org", name=name) for name in ("ada", "Bo"))
    rows = [("beta", B.SENDING, ada), ("", B.DRAFT, bo), ("Alpha", B.DRAFT, ada)]
    for minute, (name, state, author) in enumerate(rows):
        factories.broadcast(
            session,
            name=name,
            subject="Gamma",
            state=state,
            created_by=author.id,
            updated_at=NOW + timedelta(minutes=minute),
        )
    expected = {
        "": ["Alpha", "", "beta"],
        "-changed": ["beta", "", "Alpha"],
        "name": ["Alpha", "beta", ""],
        "-name": ["", "beta", "Alpha"],
        "state": ["Alpha", "", "beta"],
        "-state": ["beta", "Alpha", ""],
        "author": ["Alpha", "beta", ""],
        "-author": ["", "Alpha", "beta"],
        "no such": ["Alpha", "", "beta"],
    }
    for choice, found in expected.items():
        order, turned = order_in(choice)
        assert names(listing(session, order=order, turned=turned)) == found, choice
    assert {order for order, _turned in map(order_in, expected)} == set(ListOrder)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("maintenance", ["Frankfurt"]),
        ("FRANK", ["Frankfurt"]),
        ("frank plan", ["Frankfurt"]),
        ("olga", ["Prices"]),
        ("olga@example", ["Prices"]),
        ("%", []),
        ("nothing", []),
    ],
)
def test_a_search_looks_into_name_subject_and_author(session, search, found):
    factories.broadcast(session, name="Frankfurt", subject="Planned maintenance")
    author = factories.user(session, "olga@example.org", name="Olga")
    factories.broadcast(session, name="Prices", subject="New", created_by=author.id)
    page = listing(session, search=search)
    assert names(page) == found and page.tabs[Tab.ALL] == len(found)


def test_pages_hold_every_broadcast_once_and_a_number_too_high_gives_the_last(session):
    for _ in range(BROADCASTS_A_PAGE + 3):
        factories.broadcast(session)
    first, last = listing(session), listing(session, page=2)
    assert (first.first, first.last, first.has_next) == (1, BROADCASTS_A_PAGE, True)
    assert (last.first, last.last, last.has_next) == (BROADCASTS_A_PAGE + 1, BROADCASTS_A_PAGE + 3, False)
    assert len({*names(first), *names(last)}) == BROADCASTS_A_PAGE + 3
    assert names(listing(session, page=99)) == names(last)
    assert names(listing(session, page=-5)) == names(first)


def test_a_row_says_who_made_it_and_how_far_it_is(session):
    author = factories.user(session, name="Olga")
    broadcast = factories.broadcast(session, created_by=author.id, state=B.SENDING)
    factories.delivery(session, broadcast)
    (row,) = listing(session).rows
    assert (row.created_by, row.counts.waiting) == ("Olga", 1)


def test_the_audience_is_said_in_short(session):
    product = factories.product(session, "VPS-2")
    everyone = factories.broadcast(session, updated_at=NOW + timedelta(minutes=1))
    services = factories.broadcast(
        session,
        message_type=MessageType.SERVICES,
        audience_filter={
            "products": [product.id, 999_999],
            "service_statuses": ["active"],
            "countries": ["DE", "AT", "CH", "FR", "IT"],
        },
    )
    shown = {row.broadcast.id: row.audience for row in listing(session).rows}
    assert shown[everyone.id] == "everyone"
    assert shown[services.id] == "VPS-2, gone · Active · DE, AT, CH and 2 more"


def test_many_words_are_cut_but_counted():
    assert _few(["a", "b", "c", "d"]) == "a, b, c and 1 more"
