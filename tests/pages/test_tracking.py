"""Counted links and the counting picture, as whoever got a mail uses them, and as the console shows what was counted."""

import csv
import io
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.core import counted
from tests.core.consent.consent_world import token_of
from tests.pages.page import read
from webapp.core.consent import settings
from webapp.core.consent.tokens import TokenPurpose
from webapp.core.rules.consent import Purpose
from webapp.core.rules.message.parts import NO_TOKEN
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.mail_uses import LinkTarget, MailUse
from webapp.pages.unsubscribe import rate

P = TokenPurpose
PAGE, OWN = "https://example.com/a", "https://example.com/c/"


@pytest.fixture
def session(sqlite_session: Session) -> Session:
    return sqlite_session


@pytest.fixture
def where(sqlite_app: Flask) -> Engine:
    return engine.engine_of(sqlite_app)


@pytest.fixture
def stranger(sqlite_app: Flask) -> FlaskClient:
    rate._used.clear()
    return sqlite_app.test_client()


@pytest.fixture
def broadcast(session: Session, where: Engine, tmp_path: Path) -> Broadcast:
    return counted.sent(session, where, tmp_path)[0]


@pytest.fixture
def delivery(session: Session, broadcast: Broadcast) -> Delivery:
    return engine.rows(session, broadcast)[0]


@pytest.fixture
def links(session: Session, delivery: Delivery) -> list[str]:
    """The addresses of the mail's two links."""
    marks = session.scalars(select(LinkTarget.mark).order_by(LinkTarget.number))
    return [f"/go/{token_of(session, delivery.id, P.CLICK)}/{mark}" for mark in marks]


@pytest.fixture
def picture(session: Session, delivery: Delivery) -> str:
    return f"/seen/{token_of(session, delivery.id, P.OPEN)}.gif"


def used(session: Session) -> dict[int, tuple[int, int]]:
    """How often each link was used, and how often of that by a machine."""
    session.rollback()
    return {row.link: (row.times, row.by_machine) for row in session.scalars(select(MailUse))}


def test_a_link_is_counted_and_leads_on_at_once(stranger: FlaskClient, session: Session, links: list[str]):
    answer = stranger.get(links[0])
    assert (answer.status_code, answer.headers["Location"], answer.data) == (302, PAGE, b"")
    assert "Set-Cookie" not in answer.headers and answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer" and "noindex" in answer.headers["X-Robots-Tag"]
    assert used(session) == {1: (1, 0)}
    assert stranger.get(links[1]).headers["Location"].startswith(OWN)


def test_nothing_of_the_request_changes_where_it_leads(stranger: FlaskClient, links: list[str]):
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Referer": "https://evil.example/"}
    for query in ("?url=https://evil.example", "?next=//evil.example", "?lang=de"):
        assert stranger.get(links[0] + query, headers=evil).headers["Location"] == PAGE


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_other_methods_than_get_count_nothing(stranger: FlaskClient, session: Session, links, picture, method: str):
    assert stranger.open(links[0], method=method).status_code == (302 if method == "HEAD" else 200)
    assert stranger.open(picture, method=method).status_code == 200
    assert used(session) == {}
    assert stranger.post(links[0]).status_code == 405


@pytest.mark.parametrize("header", ["Purpose", "Sec-Purpose", "X-Moz"])
def test_what_is_fetched_ahead_counts_nothing(stranger: FlaskClient, session: Session, links, picture, header: str):
    assert stranger.get(links[0], headers={header: "prefetch"}).headers["Location"] == PAGE
    stranger.get(picture, headers={header: "prefetch"})
    assert used(session) == {}


def test_what_is_no_link_gets_a_page_that_says_so(stranger: FlaskClient, session: Session, delivery: Delivery, links):
    mark = links[0].rpartition("/")[2]
    others = (token_of(session, delivery.id, one) for one in (P.UNSUBSCRIBE, P.BROWSER, P.OPEN))
    for address in [f"/go/{token}/{mark}" for token in (*others, NO_TOKEN, "x", "ü", "a" * 900)] + [links[0] + "0"]:
        answer = stranger.get(address, headers={"Accept-Language": "de"})
        assert answer.status_code == 404 and "Location" not in answer.headers, address
        assert "Dieser Link führt nirgendwohin" in answer.text and "<script" not in answer.text
    assert used(session) == {}


def test_a_link_of_ones_own_says_when_it_is_no_longer_known(stranger: FlaskClient, session: Session, delivery, links):
    session.get_one(Delivery, delivery.id).merge_values = None
    session.commit()
    assert stranger.get(links[0]).headers["Location"] == PAGE
    answer = stranger.get(f"{links[1]}?lang=en")
    assert answer.status_code == 404 and "It led to a page of your own." in answer.text


def test_the_picture_tells_of_an_opening_and_is_the_same_for_everybody(
    stranger: FlaskClient, session: Session, picture: str
):
    answers = [stranger.get(one) for one in (picture, "/seen/x.gif", f"/seen/{NO_TOKEN}.gif")]
    assert len({answer.data for answer in answers}) == 1 and {answer.status_code for answer in answers} == {200}
    assert answers[0].mimetype == "image/gif" and answers[0].data.startswith(b"GIF89a")
    assert answers[0].headers["Cache-Control"] == "no-store" and "Set-Cookie" not in answers[0].headers
    assert used(session) == {0: (1, 0)}
    stranger.get(picture, headers={"User-Agent": "Mozilla/5.0"})
    assert used(session) == {0: (2, 1)}


def test_a_filter_that_follows_all_links_is_counted_apart(stranger: FlaskClient, session: Session, links: list[str]):
    for link in links:
        stranger.get(link)
    assert used(session) == {1: (1, 1), 2: (1, 1)}


def test_so_many_uses_of_one_mail_are_counted_and_no_more(stranger: FlaskClient, session: Session, links: list[str]):
    for _ in range(rate.MOST + 5):
        assert stranger.get(links[0]).headers["Location"] == PAGE
    assert used(session) == {1: (rate.MOST, 0)}


def test_it_leads_on_where_the_count_cannot_be_written(stranger: FlaskClient, session: Session, where: Engine, links):
    def away(_connection, _cursor, statement: str, *_rest) -> None:
        if statement.startswith("INSERT INTO mail_use"):
            raise OperationalError(statement, {}, Exception("the database is locked"))

    event.listen(where, "before_cursor_execute", away)
    try:
        assert stranger.get(links[0]).headers["Location"] == PAGE
    finally:
        event.remove(where, "before_cursor_execute", away)
    assert used(session) == {} and stranger.get(links[0]).status_code == 302


def test_no_sign_in_is_asked_for_and_none_is_looked_at(sqlite_app: Flask, links: list[str], picture: str):
    sqlite_app.config["WTF_CSRF_ENABLED"] = True
    visitor = sqlite_app.test_client()
    assert (visitor.get(links[0]).status_code, visitor.get(picture).status_code) == (302, 200)


@pytest.mark.parametrize(
    ("clicks", "opens", "said"),
    [
        (True, False, "zählen wir, welchen Links gefolgt wird."),
        (False, True, "zählen wir, ob sie geöffnet wird."),
        (True, True, "zählen wir, ob sie geöffnet wird und welchen Links gefolgt wird."),
        (False, False, ""),
    ],
)
def test_the_page_to_decline_says_what_is_counted(
    stranger: FlaskClient, session: Session, where: Engine, tmp_path: Path, clicks: bool, opens: bool, said: str
):
    chosen = {"counts_clicks": clicks, "counts_opens": opens, "purpose": Purpose.MARKETING}
    broadcast, _ = counted.sent(session, where, tmp_path, **chosen)
    token = token_of(session, engine.rows(session, broadcast)[0].id)
    for place in ("unsubscribe", "preferences"):
        page = stranger.get(f"/{place}/{token}?lang=de").text
        assert said in page and ("zählen wir" in page) is bool(said)
        assert ("nach 30 Tagen bleiben nur Summen" in page) is bool(said)


def test_the_console_shows_numbers_and_says_what_they_are_worth(
    browser_client: FlaskClient, stranger: FlaskClient, broadcast: Broadcast, delivery: Delivery, links, picture
):
    stranger.get(links[0])
    stranger.get(picture)
    page = read(browser_client.get(f"/mass-mail/{broadcast.id}/"))
    card = page.text("#uses")
    assert "Clicked 1" in card and "Opened, at least 1" in card and "Take opens for a rough hint." in card
    assert f"{PAGE} 1 0 1" in card and "https://example.com/c/{{ client_id }} 0 0 0" in card
    assert "Clicks and opens" in page.text("#about")
    of_mail = browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/{delivery.id}")
    assert PAGE in read(of_mail).text("#uses") and "Opened" in read(of_mail).text("#uses")
    rows = list(
        csv.DictReader(io.StringIO(browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/export.csv").text))
    )
    assert [(row["Clicks"], row["Opens"]) for row in rows] == [("1", "1"), ("0", "0")]
    assert rows[0]["Clicked first (UTC)"].endswith("Z") and rows[1]["Opened first (UTC)"] == ""


def test_where_nothing_is_counted_nothing_of_it_is_shown(
    browser_client: FlaskClient, session: Session, where, tmp_path
):
    broadcast, mails = counted.sent(session, where, tmp_path, counts_clicks=False, counts_opens=False)
    assert b"/go/" not in mails[0].data and b"/seen/" not in mails[0].data
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert 'id="uses"' not in page and "Counted" not in page
    assert "Clicks" not in browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/export.csv").text


def test_it_is_chosen_for_each_draft_where_the_business_allows_it(browser_client: FlaskClient, session: Session):
    draft = factories.broadcast(session)
    session.commit()
    address = f"/mass-mail/{draft.id}/purpose"
    form = {"purpose": "important", "important_reason": "Terms", "counts_clicks": "on"}
    assert "counts_clicks" not in browser_client.get(address).text
    browser_client.post(address, data=form)
    session.refresh(draft)
    assert not draft.counts_clicks, "nobody may count yet"
    counted.allow(session)
    page = browser_client.get(address).text
    assert "Take opens for a rough hint." in page and " checked" not in page.partition('id="counted"')[2]
    browser_client.post(address, data=form)
    session.refresh(draft)
    assert (draft.counts_clicks, draft.counts_opens) == (True, False)
    assert 'name="counts_clicks" checked' in browser_client.get(address).text
    assert "Important: Terms · clicks counted" in browser_client.get(f"/mass-mail/{draft.id}/audience/").text
    copy = (
        browser_client.post(f"/mass-mail/{draft.id}/duplicate")
        .headers["Location"]
        .split("/mass-mail/")[1]
        .split("/")[0]
    )
    session.rollback()
    assert not session.get_one(Broadcast, int(copy)).counts_clicks, "each is asked anew"


def test_turned_off_it_takes_the_choice_from_drafts_alone(browser_client: FlaskClient, session: Session, broadcast):
    from tests.pages.test_consent_settings import FORM

    draft = factories.broadcast(session, counts_clicks=True, counts_opens=True)
    session.commit()
    browser_client.post("/settings/consent/", data=FORM | {"may_count": "y"})
    session.refresh(draft)
    assert draft.counts_clicks and settings.read(session).may_count
    browser_client.post("/settings/consent/", data=FORM)
    session.rollback()
    session.refresh(draft)
    session.refresh(broadcast)
    assert not settings.read(session).may_count
    assert (draft.counts_clicks, draft.counts_opens, broadcast.counts_clicks) == (False, False, True)
