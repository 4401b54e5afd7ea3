"""Settings, Workers; and on every page the word that there is no worker while something waits to be sent."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories
from tests.pages.page import read
from webapp.adapters.clock import now
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.sending import workers
from webapp.core.sending.workers import Identity
from webapp.paths import VERSION

HTMX = {"HX-Request": "true"}
NOBODY = ": nothing is sent."
COMMAND = "RQ_CONFIG=jobs.worker rq worker"


def seen(session: Session, ago: int = 0, doing: str = workers.WAITS, **changes) -> Identity:
    """A worker that was last seen so many seconds ago. Commits."""
    one = {"id": "a", "host": "mail1.example.com", "pid": 4711, "version": VERSION, "queues": ("massmail",)} | changes
    who = Identity(**one)
    workers.seen(session, who, doing, now() - timedelta(seconds=ago))
    session.commit()
    return who


def waiting(session: Session, state: BroadcastState = BroadcastState.SCHEDULED) -> int:
    broadcast = factories.broadcast(session, state=state)
    session.commit()
    return broadcast.id


def test_without_any_worker_the_page_has_the_command_that_starts_one(browser_client: FlaskClient):
    page = browser_client.get("/settings/workers/").text
    assert "No worker has ever been seen" in page and f">{COMMAND}</code>" in page
    assert 'hx-get="/settings/workers/worker-list" hx-trigger="every 5s"' in page


def test_each_worker_is_listed_with_what_it_does(sqlite_session: Session, browser_client: FlaskClient):
    seen(sqlite_session, doing="sends mass mail 17")
    seen(sqlite_session, ago=40, id="b", host="mail2.example.com", version="0.0.1")
    page = browser_client.get("/settings/workers/worker-list", headers=HTMX).text
    for words in (
        "mail1.example.com",
        "4711",
        "sends mass mail 17",
        "massmail",
        "Works",
        "mail2.example.com",
        "Not seen",
    ):
        assert words in page
    assert "<html" not in page and NOBODY not in page


def test_a_living_worker_of_another_version_is_marked(sqlite_session: Session, browser_client: FlaskClient):
    seen(sqlite_session, version="0.0.1")
    assert f"The console is version {VERSION}" in browser_client.get("/settings/workers/").text


def test_the_page_says_since_when_there_is_none(sqlite_session: Session, browser_client: FlaskClient):
    seen(sqlite_session, ago=3600)
    page = browser_client.get("/settings/workers/").text
    assert page.count(NOBODY) == 1 and "No worker has been seen since" in page


@pytest.mark.parametrize("state", [BroadcastState.SCHEDULED, BroadcastState.SENDING])
def test_where_something_waits_every_page_says_that_nothing_is_sent(
    sqlite_session: Session, browser_client: FlaskClient, state: BroadcastState
):
    broadcast_id = waiting(sqlite_session, state)
    for url in ("/mass-mail/", f"/mass-mail/{broadcast_id}/", "/settings/sending"):
        page = browser_client.get(url).text
        assert f"No worker has ever been seen{NOBODY}" in page and COMMAND in page, url
        assert 'hx-trigger="every 8s, broadcast-changed from:body"' in page


@pytest.mark.parametrize("state", [BroadcastState.DRAFT, BroadcastState.PAUSED, BroadcastState.FINISHED])
def test_where_nothing_waits_no_page_asks_for_workers(
    sqlite_session: Session, browser_client: FlaskClient, state: BroadcastState
):
    waiting(sqlite_session, state)
    page = browser_client.get("/mass-mail/").text
    assert NOBODY not in page and 'hx-trigger="broadcast-changed from:body"' in page


def test_an_open_page_hears_that_the_last_worker_is_gone_and_that_one_is_back(
    sqlite_session: Session, browser_client: FlaskClient
):
    waiting(sqlite_session)
    seen(sqlite_session)
    assert NOBODY not in browser_client.get("/mass-mail/").text
    url = "/settings/workers/no-worker?seen=fine"
    assert browser_client.get(url, headers=HTMX).status_code == 204  # nothing new: nothing is swapped, or read out
    seen(sqlite_session, ago=31)
    answer = browser_client.get(url, headers=HTMX)
    assert "No worker has been seen since" in answer.text and answer.text.startswith('<div id="no-worker"')
    again = read(answer).at("*[@hx-get]")["hx-get"]
    assert browser_client.get(again, headers=HTMX).status_code == 204
    seen(sqlite_session)
    answer = browser_client.get(again, headers=HTMX)
    assert answer.status_code == 200 and NOBODY not in answer.text
