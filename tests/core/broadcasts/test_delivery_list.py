"""Paging the ledger by key: every row once, forwards and backwards, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import event, update

from tests import factories
from tests.factories import NOW
from webapp.core.broadcasts import delivery_list
from webapp.core.broadcasts.delivery_list import listing, stream
from webapp.core.broadcasts.progress import Group
from webapp.core.rules.lifecycle import DeliveryState, SkipReason
from webapp.core.tables.deliveries import Delivery

S = DeliveryState


@pytest.fixture
def broadcast(session):
    return factories.broadcast(session)


def ids(page):
    return [row.id for row in page.rows]


def all_pages(session, broadcast, **options):
    """The pages from first to last, by their cursors."""
    page = listing(session, broadcast.id, **options)
    pages = [page]
    while page.next:
        page = listing(session, broadcast.id, after=page.next, **options)
        pages.append(page)
        assert len(pages) < 100, "the pages never end"
    return pages


def test_a_ledger_without_rows_is_one_empty_page(session, broadcast):
    page = listing(session, broadcast.id)
    assert (list(page.rows), page.previous, page.next) == ([], None, None)


def test_all_pages_together_hold_every_row_once_and_none_of_another_broadcast(session, broadcast):
    mine = [factories.delivery(session, broadcast).id for _ in range(7)]
    factories.delivery(session, factories.broadcast(session))
    pages = all_pages(session, broadcast, limit=3)
    assert [len(page.rows) for page in pages] == [3, 3, 1]
    assert [id_ for page in pages for id_ in ids(page)] == mine


def test_going_back_shows_the_pages_one_came_through(session, broadcast):
    for _ in range(7):
        factories.delivery(session, broadcast)
    first, second, third = all_pages(session, broadcast, limit=3)
    assert first.previous is None and third.next is None
    back = listing(session, broadcast.id, before=third.previous, limit=3)
    assert ids(back) == ids(second) and back.previous and back.next
    back = listing(session, broadcast.id, before=back.previous, limit=3)
    assert ids(back) == ids(first) and back.previous is None


def test_a_group_pages_through_all_its_states_with_and_without_a_due_time(session, broadcast):
    waiting = []
    for place in range(9):
        state = (S.PENDING, S.HELD, S.PENDING)[place % 3]
        due_at = NOW + timedelta(minutes=place % 2) if place % 4 else None
        waiting.append(factories.delivery(session, broadcast, state=state, due_at=due_at).id)
        factories.delivery(session, broadcast, state=S.ACCEPTED)
    pages = all_pages(session, broadcast, group=Group.WAITING, limit=2)
    seen = [id_ for page in pages for id_ in ids(page)]
    assert sorted(seen) == waiting and len(seen) == len(set(seen))
    back = listing(session, broadcast.id, group=Group.WAITING, before=pages[-1].previous, limit=2)
    assert ids(back) == ids(pages[-2])


def test_no_page_is_sorted_by_the_database_because_an_index_has_its_order(sqlite_session):
    broadcast = factories.broadcast(sqlite_session)
    for _ in range(3):
        factories.delivery(sqlite_session, broadcast, due_at=NOW)
    plans = []

    def explain(connection, cursor, statement, parameters, context, executemany):
        if statement.startswith("SELECT delivery.id"):
            plans.append(cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

    event.listen(sqlite_session.get_bind(), "before_cursor_execute", explain)
    for group in (None, *Group):
        page = listing(sqlite_session, broadcast.id, group=group, limit=2)
        listing(sqlite_session, broadcast.id, group=group, after=page.next, limit=2)
        listing(sqlite_session, broadcast.id, group=group, before=page.next, limit=2)
    event.remove(sqlite_session.get_bind(), "before_cursor_execute", explain)
    assert plans and not [step for plan in plans for step in plan if "TEMP B-TREE" in step[3]]


@pytest.mark.parametrize("cursor", ["x", "0", "9~1", "0~1~2", "-1~5", "0~" + "9" * 40, "~", ""])
def test_a_cursor_that_makes_no_sense_gives_the_first_page(session, broadcast, cursor):
    row = factories.delivery(session, broadcast)
    assert ids(listing(session, broadcast.id, after=cursor)) in ([row.id], [])
    assert ids(listing(session, broadcast.id, before=cursor)) == [row.id]


@pytest.mark.parametrize("search", ["ludwig", "LUDWIG beethoven", "beet@example", "k-77", "van musik"])
def test_a_search_finds_by_name_company_number_and_address(session, broadcast, search):
    wanted = factories.client(
        session, "beet@example.com", first_name="Ludwig", last_name="van Beethoven", number="K-77", company="Musik",
        search_text="k-77 ludwig van beethoven musik beet@example.com",
    )  # fmt: skip
    row = factories.delivery(session, broadcast, wanted)
    factories.delivery(session, broadcast)
    assert ids(listing(session, broadcast.id, search=search)) == [row.id]
    assert ids(listing(session, broadcast.id, search=search, group=Group.WAITING)) == [row.id]
    assert ids(listing(session, broadcast.id, search=search, group=Group.FAILED)) == []


def test_a_search_that_finds_very_many_clients_still_pages(session, broadcast):
    mine = [factories.delivery(session, broadcast).id for _ in range(5)]
    pages = all_pages(session, broadcast, search="example.com", limit=2, few=2)
    assert [id_ for page in pages for id_ in ids(page)] == mine


def test_percent_and_underscore_in_a_search_mean_themselves(session, broadcast):
    factories.delivery(session, broadcast)
    assert ids(listing(session, broadcast.id, search="%")) == []
    assert ids(listing(session, broadcast.id, search="a_a")) == []


def test_the_export_streams_every_row_of_the_filter(session, broadcast):
    failed = [factories.delivery(session, broadcast, state=S.FAILED).id for _ in range(3)]
    factories.delivery(session, broadcast)
    session.commit()
    assert [row.id for row in stream(session, broadcast.id, group=Group.FAILED)] == failed
    assert len(list(stream(session, broadcast.id))) == 4


def test_a_row_says_its_reason_and_the_relays_answer_in_one_line(session, broadcast):
    row = factories.delivery(session, broadcast, state=S.FAILED)
    session.execute(
        update(Delivery)
        .where(Delivery.id == row.id)
        .values(reason="no_such_mailbox", reply_code=550, reply_text="5.1.1 unknown\nmailbox")
    )
    session.expire_all()
    shown = delivery_list.get(session, broadcast.id, row.id)
    assert shown is not None and shown.reason_words == "no such mailbox"
    assert shown.reply == "550 5.1.1 unknown mailbox"
    assert delivery_list.get(session, broadcast.id + 1, row.id) is None


def test_a_skipped_row_shows_the_address_as_the_client_has_it(session, broadcast):
    client = factories.client(session, "not an address", address=None, address_key=None)
    row = factories.delivery(session, broadcast, client, state=S.SKIPPED, reason=SkipReason.INVALID_ADDRESS)
    (shown,) = listing(session, broadcast.id, group=Group.SKIPPED).rows
    assert (shown.id, shown.address, shown.reason_words) == (row.id, "not an address", "address cannot be used")
