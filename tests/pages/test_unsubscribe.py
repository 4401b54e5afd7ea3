"""The pages that a mail's own links lead to."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests import engine
from tests.core.consent.consent_world import marketing, token_of, topic
from tests.spoken import spoken
from webapp.core.consent import settings
from webapp.core.consent.tokens import TokenPurpose
from webapp.core.rules.consent import SuppressionKind, SuppressionScope
from webapp.core.rules.message.parts import NO_TOKEN
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import ConsentSettings, Suppression, SuppressionChange, TopicOptOut
from webapp.core.tables.deliveries import Delivery
from webapp.pages.unsubscribe import rate

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def stranger(sqlite_app: Flask) -> FlaskClient:
    rate._used.clear()
    return sqlite_app.test_client()


@pytest.fixture
def session(sqlite_session: Session) -> Session:
    return sqlite_session


@pytest.fixture
def broadcast(session: Session) -> Broadcast:
    known = session.get_one(ConsentSettings, settings.THE_ROW)
    known.business_name, known.colour, known.postal_address = "Ada’s Hosting", "#0a7a4b", "1 Long Street\nTown"
    return marketing(session, 2, topic_id=topic(session).id)


@pytest.fixture
def delivery(session: Session, broadcast: Broadcast) -> Delivery:
    return engine.rows(session, broadcast)[0]


@pytest.fixture
def token(session: Session, delivery: Delivery) -> str:
    return token_of(session, delivery.id)


def suppression(session: Session) -> Suppression | None:
    session.rollback()
    return session.scalar(select(Suppression))


def declined_topics(session: Session) -> list[int]:
    session.rollback()
    return list(session.scalars(select(TopicOptOut.topic_id)))


@pytest.mark.parametrize("place", ["unsubscribe", "preferences"])
def test_looking_changes_nothing(stranger: FlaskClient, session: Session, token: str, place: str):
    for method in ("GET", "HEAD", "OPTIONS"):
        assert stranger.open(f"/{place}/{token}", method=method).status_code == 200
    assert suppression(session) is None and declined_topics(session) == []


def test_one_click_declines_all_marketing_without_a_cookie_or_a_redirect(
    stranger: FlaskClient, session: Session, delivery: Delivery, token: str
):
    answer = stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK)
    assert (answer.status_code, answer.data) == (200, b"") and "Set-Cookie" not in answer.headers
    found = suppression(session)
    assert found is not None and found.address_key == delivery.address_key
    assert (found.kind, found.scope) == (SuppressionKind.UNSUBSCRIBED, SuppressionScope.MARKETING)
    assert (found.source, found.delivery_id) == ("one_click", delivery.id)


def test_one_click_asks_the_database_little(sqlite_app: Flask, stranger: FlaskClient, session: Session, token: str):
    """While a broadcast is sent each statement waits for a processor, and those that write for each other, too."""
    asked: list[str] = []
    where = engine.engine_of(sqlite_app)
    event.listen(where, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK)
    begun = next(
        place for place, statement in enumerate(asked) if "link_key" in statement
    )  # behind the look at the tables
    words = [statement.split()[0] for statement in asked[begun:] if not statement.startswith("BEGIN")]
    assert words == ["SELECT", "SELECT", "SELECT", "SELECT", "INSERT", "INSERT", "SELECT"]


def test_one_click_as_a_form_of_several_parts_is_the_same(stranger: FlaskClient, session: Session, token: str):
    """RFC 8058 section 3.2 allows both."""
    stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK, content_type="multipart/form-data")
    assert suppression(session) is not None


def test_one_click_has_one_answer_whoever_asks(stranger: FlaskClient, session: Session, token: str):
    stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK)
    changed = token[:-1] + ("0" if token[-1] != "0" else "1")
    known, *others = (
        stranger.post(f"/unsubscribe/{one}", data=ONE_CLICK) for one in (token, changed, NO_TOKEN, "x", "ü", "a" * 900)
    )
    plain = lambda answer: (answer.status_code, answer.data, sorted(set(answer.headers.keys()) - {"X-Request-ID"}))  # noqa: E731
    assert all(plain(other) == plain(known) for other in others)


def test_a_sign_in_and_a_token_of_forms_are_not_asked_for(sqlite_app: Flask, session: Session, token: str):
    sqlite_app.config["WTF_CSRF_ENABLED"] = True
    assert sqlite_app.test_client().post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code == 200
    assert suppression(session) is not None


def test_the_button_declines_and_the_next_page_takes_it_back(stranger: FlaskClient, session: Session, token: str):
    page = stranger.get(f"/unsubscribe/{token}")
    assert "Von allen Angeboten und Neuigkeiten abmelden" in page.text
    answer = stranger.post(f"/unsubscribe/{token}", data={"do": "all", "reason": "zu viele"}, follow_redirects=True)
    assert "Sie sind abgemeldet" in answer.text
    found = suppression(session)
    assert found is not None and (found.source, found.evidence) == ("link", "zu viele")
    answer = stranger.post(f"/unsubscribe/{token}", data={"do": "undo"}, follow_redirects=True)
    assert "Das wurde rückgängig gemacht" in answer.text and suppression(session) is None
    actions = [change.action for change in session.scalars(select(SuppressionChange))]
    assert actions == ["added", "lifted"], "what was done is remembered"


def test_topics_are_declined_one_by_one_and_taken_back(
    stranger: FlaskClient, session: Session, broadcast: Broadcast, token: str
):
    other = topic(session, "Tips", description="Once a month")
    session.commit()
    page = stranger.get(f"/preferences/{token}?lang=en")
    assert "Events" in page.text and "Once a month" in page.text and page.text.count(" checked") == 2
    answer = stranger.post(f"/preferences/{token}?lang=en", data={"do": "topics", "topic": [str(other.id)]})
    assert answer.status_code == 303 and answer.headers["Location"].startswith(f"/preferences/{token}?lang=en")
    assert declined_topics(session) == [broadcast.topic_id] and suppression(session) is None
    page = stranger.get(answer.headers["Location"])
    assert "Your choice is kept." in page.text and page.text.count(" checked") == 1
    stranger.post(f"/preferences/{token}", data={"do": "topics", "topic": [str(other.id), str(broadcast.topic_id)]})
    assert declined_topics(session) == []


def test_who_declined_all_and_wants_one_topic_gets_that(
    stranger: FlaskClient, session: Session, broadcast: Broadcast, token: str
):
    stranger.post(f"/unsubscribe/{token}", data={"do": "all"})
    stranger.post(f"/preferences/{token}", data={"do": "topics", "topic": [str(broadcast.topic_id)]})
    assert suppression(session) is None and declined_topics(session) == []


def test_nothing_else_than_the_one_address_is_declined(
    stranger: FlaskClient, session: Session, broadcast: Broadcast, token: str
):
    stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK)
    session.rollback()
    assert len(session.scalars(select(Suppression)).all()) == 1
    other = token_of(session, engine.rows(session, broadcast)[1].id)
    assert "Sie sind abgemeldet" not in stranger.get(f"/unsubscribe/{other}").text


@pytest.mark.parametrize(
    "data", [{}, {"do": "more"}, {"List-Unsubscribe": "Two-Click"}, {"do": "topics", "topic": "x"}]
)
def test_a_form_that_says_nothing_declines_nothing(
    stranger: FlaskClient, session: Session, token: str, data: dict[str, str]
):
    assert stranger.post(f"/unsubscribe/{token}", data=data).status_code == 303
    assert suppression(session) is None


def test_no_answer_is_kept_found_told_of_or_bears_a_cookie(
    stranger: FlaskClient, session: Session, delivery: Delivery, token: str
):
    browser = token_of(session, delivery.id, TokenPurpose.BROWSER)
    answers = [
        stranger.get(f"/unsubscribe/{token}"),
        stranger.get("/unsubscribe/x"),
        stranger.get(f"/view/{browser}"),
        stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK),
        stranger.post(f"/preferences/{token}", data={"do": "undo"}),
    ]
    for answer in answers:
        assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["Cache-Control"] == "no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"] and "Set-Cookie" not in answer.headers
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "<script" not in answer.text


def test_a_page_is_the_businesss_own_and_shows_no_whole_address(stranger: FlaskClient, delivery: Delivery, token: str):
    page = stranger.get(f"/unsubscribe/{token}").text
    assert "Ada’s Hosting" in page and "1 Long Street, Town" in page and "/unsubscribe-style/0a7a4b.css" in page
    assert str(delivery.address) not in page and "c…@example.com" in page


def test_what_stands_on_the_businesss_colour_can_be_read(stranger: FlaskClient):
    dark, light = (stranger.get(f"/unsubscribe-style/{colour}.css").text for colour in ("0a7a4b", "ffe08a"))
    assert "--on-own: #ffffff" in dark and "--on-own: #000000" in light
    assert stranger.get("/unsubscribe-style/red;}.css").status_code == 404


@pytest.mark.parametrize(
    ("clients", "browsers", "asked", "shown"),
    [
        ("fr", "de", "", "Se désabonner"),
        ("pt-BR", "de", "", "Cancelar a subscrição"),
        ("ja", "pl,en;q=0.5", "", "Wypisz się"),
        (None, "xx", "", "Unsubscribe"),
        ("fr", "de", "?lang=it", "Annulla l’iscrizione"),
        ("fr", "de", "?lang=xx", "Se désabonner"),
    ],
)
def test_it_speaks_the_clients_language(
    stranger: FlaskClient,
    session: Session,
    delivery: Delivery,
    token: str,
    clients: str,
    browsers: str,
    asked: str,
    shown: str,
):
    from webapp.core.tables.clients import Client

    session.get_one(Client, delivery.client_id).language = clients
    session.commit()
    page = stranger.get(f"/unsubscribe/{token}{asked}", headers={"Accept-Language": browsers}).text
    assert re.search(rf"<h1>\s*{re.escape(shown)}", page)


def test_a_token_that_is_none_leads_to_a_page_that_says_so(stranger: FlaskClient):
    english = {"Accept-Language": "en"}
    incomplete = stranger.get("/unsubscribe/0001", headers=english)
    assert incomplete.status_code == 404 and "This link leads nowhere" in incomplete.text
    assert "The link of a test" in stranger.get(f"/unsubscribe/{NO_TOKEN}", headers=english).text
    assert "The link of a test" in stranger.get(f"/view/{NO_TOKEN}", headers=english).text
    assert "no longer kept" in stranger.get("/view/0001", headers=english).text


def test_a_token_is_good_after_the_ledger_forgot_its_delivery(
    stranger: FlaskClient, session: Session, delivery: Delivery, token: str
):
    key = delivery.address_key
    session.delete(delivery)
    session.commit()
    stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK)
    found = suppression(session)
    assert found is not None and found.address_key == key


def test_a_token_can_be_used_so_often_a_minute_whoever_uses_it(stranger: FlaskClient, token: str):
    codes = {stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code for _ in range(rate.MOST)}
    assert codes == {200}
    assert stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code == 429
    assert stranger.post("/unsubscribe/another", data=ONE_CLICK).status_code == 200, "never per network"
    assert rate.allows(token, 1e9), "a minute later"


def test_no_token_stands_in_a_line_of_the_log(stranger: FlaskClient, token: str):
    with spoken("debug") as heard:
        for place in ("unsubscribe", "preferences", "view"):
            stranger.get(f"/{place}/{token}", buffered=True)
            stranger.post(f"/{place}/{token}", data=ONE_CLICK, buffered=True)
    assert token not in heard.getvalue() and "/unsubscribe/<token>" in heard.getvalue()


def test_a_mail_is_shown_as_it_was_and_runs_nothing(
    stranger: FlaskClient, session: Session, tmp_path: Path, sqlite_app: Flask
):
    broadcast = marketing(session, 1, html="<p>Hi {{ first_name }}</p><p>{{ browser_url }}</p>", subject="News")
    mailer = engine.PlainMailer()
    engine.send(engine.engine_of(sqlite_app), broadcast.id, tmp_path, lambda: mailer)
    [row] = engine.rows(session, broadcast)
    answer = stranger.get(f"/view/{token_of(session, row.id, TokenPurpose.BROWSER)}")
    assert answer.status_code == 200 and "Hi Ada" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("sandbox ")
    assert token_of(session, row.id) in answer.text, "with its own link to decline"
    assert stranger.get(f"/view/{token_of(session, row.id)}").status_code == 404, "a token is good for one thing"
    row.merge_values = None
    session.commit()
    assert stranger.get(f"/view/{token_of(session, row.id, TokenPurpose.BROWSER)}").status_code == 404
