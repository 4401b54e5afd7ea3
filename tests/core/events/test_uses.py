"""Opens and clicks: one row for each mail and link, a machine's apart, and sums after a while."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core.broadcasts import mail_uses
from webapp.core.broadcasts.mail_uses import DeliveryUses, UseFigures
from webapp.core.content import link_targets
from webapp.core.events import uses
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.mail_uses import COUNTED_FOR, OPENED, is_ahead, is_by_mail_program
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.mail_uses import MailUse

SECOND = timedelta(seconds=1)


@pytest.fixture
def broadcast(session: Session) -> Broadcast:
    """Three mails with three links."""
    row = factories.broadcast(
        session, state=BroadcastState.FINISHED, started_at=NOW, frozen_at=NOW, counts_clicks=True, counts_opens=True
    )
    for _ in range(3):
        factories.delivery(session, row, state=DeliveryState.ACCEPTED, stamped_at=NOW)
    link_targets.keep(session, row.id, {letter * 12: f"https://example.com/{letter}" for letter in "abc"}, [])
    return row


@pytest.fixture
def mails(session: Session, broadcast: Broadcast) -> list[int]:
    return list(session.scalars(select(Delivery.id).where(Delivery.broadcast_id == broadcast.id).order_by(Delivery.id)))


def click(session: Session, delivery: int, link: int, at) -> None:
    """As the page does it."""
    uses.count(session, delivery, link, at)
    if uses.is_in_burst(session, delivery, at):
        uses.mark_burst(session, delivery, at)


def found(session: Session, broadcast: Broadcast):
    session.expire_all()
    figures = mail_uses.of_broadcast(session, broadcast)
    assert figures is not None
    return figures.clicks, figures.opens, [link.clicks for link in figures.links]


def test_a_mail_counts_once_for_each_link_however_often_it_is_followed(session: Session, broadcast, mails):
    for seconds in (0, 60, 120):
        click(session, mails[0], 1, NOW + seconds * SECOND)
    click(session, mails[0], 2, NOW + 600 * SECOND)
    click(session, mails[1], 1, NOW)
    uses.count(session, mails[1], OPENED, NOW)
    clicks, opens, links = found(session, broadcast)
    assert (clicks, opens) == (UseFigures(2, 0, 5), UseFigures(1, 0, 1))
    assert links == [UseFigures(2, 0, 4), UseFigures(1, 0, 1), UseFigures()]
    row = session.get_one(MailUse, (mails[0], 1))
    assert (row.times, row.first_at, row.last_at) == (3, NOW, NOW + 120 * SECOND)


def test_all_links_within_seconds_are_a_machines_until_somebody_comes_back(session: Session, broadcast, mails):
    for link in (1, 2, 3):
        click(session, mails[0], link, NOW + link * SECOND)
    clicks, _, links = found(session, broadcast)
    assert clicks == UseFigures(0, 1, 3) and links == [UseFigures(0, 1, 1)] * 3
    click(session, mails[0], 2, NOW + 3600 * SECOND)
    clicks, _, links = found(session, broadcast)
    assert clicks == UseFigures(1, 0, 4) and links[1] == UseFigures(1, 0, 2)


def test_a_machine_that_comes_after_a_reader_takes_nothing_from_them(session: Session, broadcast, mails):
    click(session, mails[0], 1, NOW)
    for link in (1, 2, 3):
        click(session, mails[0], link, NOW + 600 * SECOND)
    clicks, _, links = found(session, broadcast)
    assert clicks == UseFigures(1, 0, 4) and links == [UseFigures(1, 0, 2), UseFigures(0, 1, 1), UseFigures(0, 1, 1)]


def test_links_followed_one_after_the_other_are_a_readers(session: Session, broadcast, mails):
    for link in (1, 2, 3):
        click(session, mails[0], link, NOW + link * 10 * SECOND)
    assert found(session, broadcast)[0] == UseFigures(1, 0, 3)


def test_what_a_mail_program_fetched_is_counted_apart(session: Session, broadcast, mails):
    uses.count(session, mails[0], OPENED, NOW, by_machine=True)
    uses.count(session, mails[1], OPENED, NOW, by_machine=True)
    uses.count(session, mails[1], OPENED, NOW + SECOND)
    assert found(session, broadcast)[1] == UseFigures(1, 1, 3)
    of = mail_uses.of_deliveries(session, mails)
    assert of == {mails[0]: DeliveryUses(NOW, 0, 1), mails[1]: DeliveryUses(NOW, 1, 1)}


@pytest.mark.parametrize("most", [1, 2, 500])
def test_after_a_while_only_the_sums_are_left_and_they_say_the_same(session: Session, broadcast, mails, most: int):
    for link in (1, 2, 3):
        click(session, mails[0], link, NOW + link * SECOND)
    click(session, mails[1], 1, NOW)
    click(session, mails[1], 3, NOW + timedelta(days=20))
    uses.count(session, mails[1], OPENED, NOW)
    uses.count(session, mails[2], OPENED, NOW + timedelta(days=20), by_machine=True)
    before = found(session, broadcast)
    late = NOW + COUNTED_FOR + 10 * SECOND
    assert uses.forget_old(session, NOW + COUNTED_FOR, most) == 0
    forgotten = 0
    while some := uses.forget_old(session, late, most):
        forgotten += some
    assert forgotten == 2 and found(session, broadcast) == before
    assert list(session.scalars(select(MailUse.delivery_id))) == [mails[2]], "the others are whole or gone"
    uses.forget_old(session, late + timedelta(days=30), most)
    assert found(session, broadcast) == before and session.scalar(select(MailUse.link)) is None


def test_nothing_is_said_of_what_is_not_counted(session: Session, broadcast):
    broadcast.counts_opens = False
    session.flush()
    assert found(session, broadcast)[1] is None
    broadcast.counts_clicks = False
    session.flush()
    assert mail_uses.of_broadcast(session, broadcast) is None


@pytest.mark.parametrize(
    ("agent", "is_it"),
    [
        ("Mozilla/5.0", True),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", True),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", True),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)", False),
        ("", False),
    ],
)
def test_servers_of_mail_programs_are_known_by_what_they_say(agent: str, is_it: bool):
    assert is_by_mail_program(agent) is is_it


@pytest.mark.parametrize(
    ("headers", "is_it"),
    [
        ({"Sec-Purpose": "prefetch;prerender"}, True),
        ({"Purpose": "prefetch"}, True),
        ({"X-Moz": "prefetch"}, True),
        ({"X-Purpose": "preview"}, True),
        ({"Sec-Fetch-Dest": "document"}, False),
    ],
)
def test_what_a_browser_fetches_ahead_is_known(headers: dict[str, str], is_it: bool):
    assert is_ahead(headers.get) is is_it
