"""While everything is held: list, broadcast and settings say so and why, and there is a way on."""

import re
from datetime import timedelta

import pytest

from tests import engine
from webapp.adapters import clock
from webapp.core.settings import installation
from webapp.core.settings.installation import HighWaterMark
from webapp.core.tables.installation import Installation


@pytest.fixture
def sending(sqlite_session):
    return engine.sending_broadcast(sqlite_session, mails=3, name="Spring offer")


@pytest.fixture
def restored(sqlite_session, sending):
    """A restored database with a broadcast that was sending when the back-up was made."""
    known = installation.sign_of_life(sqlite_session, clock.now() - timedelta(hours=2))
    sqlite_session.flush()
    sqlite_session.expire_all()
    mark = HighWaterMark(known.database_id, known.generation + 5, clock.now() - timedelta(hours=1))
    installation.notice(sqlite_session, [mark], clock.now())
    sqlite_session.commit()
    return sending


@pytest.mark.parametrize("where", ["/mass-mail/", "/mass-mail/{}/", "/settings/sending", "/settings/held/"])
def test_each_page_that_it_concerns_says_that_nothing_is_sent(browser_client, restored, where):
    page = browser_client.get(where.format(restored.id)).text
    assert "this database is older than what this installation has sent" in page
    assert "/settings/held/" in page


def test_the_notice_comes_and_goes_by_itself(browser_client, sqlite_session, sending):
    part = browser_client.get("/settings/held/notice").text.strip()
    assert re.fullmatch(r'<div class="notices" id="notice" [^>]*hx-trigger="every 10s"[^>]*></div>', part)
    assert part in browser_client.get("/mass-mail/").text
    installation.hold(sqlite_session, "Uma", "We move.", clock.now())
    sqlite_session.commit()
    part = browser_client.get("/settings/held/notice").text
    assert "Everything is held" in part and "by Uma" in part and "We move." in part and "every 10s" in part


def test_all_is_released_with_the_number_that_was_seen(browser_client, sqlite_session, restored):
    page = browser_client.get("/settings/held/").text
    assert "Spring offer" in page and "3 of 3" in page and "Release 1 mass mail" in page
    assert browser_client.post("/settings/held/release", data={"number": "2"}).status_code == 409
    answer = browser_client.post("/settings/held/release", data={"number": "1"}, follow_redirects=True)
    assert "1 mass mail goes on" in answer.text and "older than" not in answer.text
    page = browser_client.get(f"/mass-mail/{restored.id}/").text
    assert "Some may have got this mass mail twice." in page
    sqlite_session.rollback()
    assert installation.hold_of(sqlite_session) is None


def test_one_is_released_and_the_rest_is_not(browser_client, sqlite_session, restored):
    other = engine.sending_broadcast(sqlite_session, mails=1, name="Other")
    answer = browser_client.post(
        "/settings/held/release", data={"broadcast_id": str(restored.id)}, follow_redirects=True
    )
    assert "released" in answer.text and "Release Other" in answer.text
    sqlite_session.rollback()
    assert installation.is_held(sqlite_session, other.id) and not installation.is_held(sqlite_session, restored.id)
    assert browser_client.post("/settings/held/release", data={"broadcast_id": "x"}).status_code == 422


def test_everything_is_held_by_hand_and_let_go_again(browser_client, sqlite_session, sending):
    assert "Hold everything" in browser_client.get("/settings/held/").text
    answer = browser_client.post("/settings/held/", data={"reason": "A back-up"}, follow_redirects=True)
    assert "Everything is held since" in answer.text and "A back-up" in answer.text
    browser_client.post("/settings/held/release", data={"number": "1"})
    sqlite_session.rollback()
    assert installation.hold_of(sqlite_session) is None
    assert sqlite_session.get_one(Installation, 1).restores == []


def test_without_a_mass_mail_to_send_there_is_an_empty_list(browser_client):
    assert "No mass mail is sending or scheduled." in browser_client.get("/settings/held/").text
