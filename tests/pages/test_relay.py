"""How the relay is, on each page that it concerns: settings, the list of mass mails, and the page of one."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event

from tests.pages.broadcast_page import HTMX, asked_next, maker, part
from tests.pages.page import read
from webapp.adapters import wakeups
from webapp.adapters.clock import now
from webapp.core import broadcasts, relay
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.relay_limits import RelayLimits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.relay import RelayState
from webapp.extensions import db

B, D = BroadcastState, DeliveryState
AWAY = "The relay cannot be reached: [Errno 111] Connection refused"
REFUSES = "The relay does not take our sign-in. The relay said, at AUTH: 535 5.7.8 authentication failed"


@pytest.fixture
def key(sqlite_app) -> str:
    return sqlite_app.config["RELAY"].key


@pytest.fixture
def make(sqlite_session):
    return maker(sqlite_session)


@pytest.fixture
def away(sqlite_session, key):
    """Since a while ago, tried again in less than a minute."""
    began = now() - timedelta(seconds=20)
    for _ in range(4):
        relay.wait(sqlite_session, key, AWAY, began, waits_for=timedelta(hours=12))
    sqlite_session.commit()


def words(page: str) -> str:
    return read(page).words


def test_a_relay_that_nobody_met_is_well_and_nothing_was_learned(browser_client):
    card = words(part(browser_client.get("/settings/sending").text, "relay-health"))
    assert "Well" in card and "nothing was handed to it yet" in card and "No limit was met so far." in card
    assert "Try now" not in card and "Forget" not in card and "Given time" not in card


def test_settings_say_that_the_relay_is_waited_for_and_try_it_on_request(
    browser_client, sqlite_session, make, key, away, monkeypatch
):
    sending = make(B.SENDING, {D.PENDING: 1})
    make(B.PAUSED, {D.PENDING: 1})
    card = words(browser_client.get("/settings/sending/relay-health").text)
    assert re.search(r"Waiting for the relay since \S+: .*Connection refused; next try in \d+ s\.", card)
    woken: list[int] = []
    monkeypatch.setattr(wakeups, "wake", woken.append)
    page = browser_client.post("/settings/sending/relay/try", follow_redirects=True).text
    assert "The relay is tried now." in page and "it is tried now" in page
    assert woken == [sending.id]
    sqlite_session.rollback()
    assert relay.begin_probe(sqlite_session, key, now(), now() + timedelta(seconds=9))


def test_without_a_mass_mail_that_sends_the_relay_is_tried_with_the_next(browser_client, sqlite_session, key):
    relay.refuse(sqlite_session, key, REFUSES, now())
    sqlite_session.commit()
    assert "Refusing since" in words(browser_client.get("/settings/sending").text)
    page = browser_client.post("/settings/sending/relay/try", follow_redirects=True).text
    assert "no mass mail is sending at present" in page and "it is tried with the next mail" in words(page)
    sqlite_session.rollback()
    assert relay.read(sqlite_session, key).state is RelayState.WAITING


def test_what_was_learned_stands_there_in_sentences_until_it_is_forgotten(browser_client, sqlite_session, key):
    relay.learn(sqlite_session, key, RelayLimits(5, 1, False), now())
    relay.learn_rate(sqlite_session, key, 1200, now())
    sqlite_session.commit()
    card = words(part(browser_client.get("/settings/sending").text, "relay-health"))
    assert "This relay takes 5 connections at a time (learned" in card
    assert "1 mail on each connection (learned" in card
    assert "Nothing is written behind the final dot (learned" in card
    assert "about 1,200 mails in the minute" in card and "a pace of 1,200 every 60 s fits (learned" in card
    assert "Forget what was learned?" in browser_client.get("/settings/sending/relay/forget").text
    page = browser_client.post("/settings/sending/relay/forget", follow_redirects=True).text
    assert "No limit was met so far." in page
    sqlite_session.rollback()
    assert relay.read(sqlite_session, key).limits == RelayLimits()


def test_domains_that_are_given_time_are_named_with_their_words(browser_client, sqlite_session):
    relay.give_rest(sqlite_session, "over.example", "too many", now() - timedelta(hours=2))
    for number in range(22):
        relay.give_rest(sqlite_session, f"d{number:02}.example", "421 <too> busy", now())
    sqlite_session.commit()
    card = part(browser_client.get("/settings/sending").text, "relay-health")
    assert re.search(r"d00.example is given time until \S+: 421 <too> busy", words(card))
    assert "over.example" not in card and "d20.example" not in card and "and 2 more domains." in words(card)


def test_the_page_of_a_mass_mail_says_that_it_waits_for_the_relay(browser_client, make, away):
    page = browser_client.get(f"/mass-mail/{make(B.SENDING, {D.PENDING: 3, D.ACCEPTED: 1}).id}/").text
    card = words(part(page, "progress"))
    assert re.search(rf"Waiting for the relay since \S+: {re.escape(AWAY)}; next try in \d+ s\.", card)
    assert "3 wait for the relay" in card and "done about" not in card
    assert "Waiting for the relay" in words(part(page, "broadcast-state"))
    assert 'data-tone="warn"' in part(page, "broadcast-state") and 'title="' in part(page, "progress")


@pytest.mark.parametrize("state", [state for state in B if state not in (B.SENDING, B.DRAFT)])
def test_what_is_not_sending_waits_for_no_relay(browser_client, make, away, state):
    page = browser_client.get(f"/mass-mail/{make(state, {D.UNCERTAIN: 1}).id}/").text
    assert "Waiting for the relay" not in page


def test_open_pages_hear_that_the_relay_goes_and_comes(browser_client, sqlite_session, make, key):
    broadcast = make(B.SENDING, {D.PENDING: 1})
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    ask = asked_next(page, "/progress?")
    row = f"/mass-mail/{broadcast.id}/row-progress"
    rows = asked_next(browser_client.get("/mass-mail/").text, "/moving-rows?")
    relay.wait(sqlite_session, key, AWAY, now(), waits_for=timedelta(hours=12))
    sqlite_session.commit()
    answer = browser_client.get(ask, headers=HTMX)
    assert answer.headers["HX-Trigger"] == "broadcast-changed"
    assert "Waiting for the relay" in part(answer.text, "broadcast-state")
    assert ": waiting for the relay." in answer.text
    for one in (browser_client.get(row, headers=HTMX).text, browser_client.get(rows, headers=HTMX).text):
        assert AWAY in words(part(one, f"row-state-{broadcast.id}"))
        assert re.search(r"next try in \d s", words(part(one, f"row-when-{broadcast.id}")))
    relay.is_well(sqlite_session, key)
    sqlite_session.commit()
    assert "Waiting for the relay" not in browser_client.get(row, headers=HTMX).text
    assert "Sending" in part(
        browser_client.get(ask.replace("seen=sending", "seen=waiting"), headers=HTMX).text, "broadcast-state"
    )


def test_the_list_says_once_that_the_relay_refuses_and_hears_when_it_does_not(
    browser_client, sqlite_session, make, key
):
    for _ in range(3):
        make(B.PAUSED, {D.PENDING: 1}, pause_reason=REFUSES)
    well = part(browser_client.get("/mass-mail/").text, "relay-refuses")
    assert "The relay refuses" not in well
    ask = asked_next(well)
    assert browser_client.get(ask, headers=HTMX).status_code == 204
    relay.refuse(sqlite_session, key, REFUSES, now())
    sqlite_session.commit()
    page = browser_client.get("/mass-mail/").text
    assert page.count("The relay refuses:") == 1 and "/settings/sending#relay-title" in part(page, "relay-refuses")
    told = browser_client.get(ask, headers=HTMX).text
    assert REFUSES in told
    ask = asked_next(told)
    assert browser_client.get(ask, headers=HTMX).status_code == 204
    relay.is_well(sqlite_session, key)
    sqlite_session.commit()
    assert "The relay refuses" not in browser_client.get(ask, headers=HTMX).text


def test_the_list_asks_once_how_the_relay_is(browser_client, sqlite_app, make, away):
    for _ in range(4):
        make(B.SENDING, {D.PENDING: 1})
    asked: list[str] = []
    with sqlite_app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: asked.append(statement))
    assert browser_client.get("/mass-mail/").text.count(AWAY) >= 4
    assert sum("FROM relay" in statement for statement in asked) == 1


def test_ids_of_what_is_sending(sqlite_session, make):
    sending = [make(B.SENDING).id, make(B.SENDING).id]
    make(B.PAUSED), make(B.SCHEDULED)
    assert broadcasts.sending(sqlite_session) == sending
    assert sqlite_session.query(Broadcast).count() == 4
