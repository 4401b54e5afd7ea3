"""What the page of a mass mail says of machines that are away, and the button that decides."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests import engine
from tests.engine import Clocks
from tests.pages.page import read
from webapp.adapters import clock
from webapp.core import ledger
from webapp.core.tables.deliveries import Sender

AGO = timedelta(minutes=3)


@pytest.fixture
def away(sqlite_session):
    """A broadcast of which a machine has two mails in hand, and was not heard of for three minutes."""
    broadcast = engine.sending_broadcast(sqlite_session, mails=3)
    clocks = Clocks(wall=clock.now() - AGO)
    lease = ledger.open_lease(
        sqlite_session, broadcast.id, host="mx-7", pid=1, journal="a.journal", machine="abc", reading=clocks.reading()
    )
    ledger.claim(sqlite_session, lease, 2, lambda holders: [["x"]] * len(holders), clocks.reading())
    sqlite_session.get_one(Sender, lease.sender_id).suspected_at = clock.now()
    sqlite_session.commit()
    return broadcast


def form_in(page: str) -> dict[str, str]:
    return read(page).form("form[contains(@action, '/lost-hosts')]").fields


def question(browser_client, broadcast) -> dict[str, str]:
    """What the form behind "It will not come back" sends."""
    page = read(browser_client.get(f"/mass-mail/{broadcast.id}/"))
    return form_in(browser_client.get(page.at("a[contains(@href, '/lost-hosts/')]")["href"]).text)


def test_the_page_says_which_mails_are_in_doubt_and_polls(browser_client, away):
    page = browser_client.get(f"/mass-mail/{away.id}/").text
    assert "2 mails are in doubt." in page and "mx-7" in page and "last heard of" in page
    part = browser_client.get(f"/mass-mail/{away.id}/lost-hosts").text
    assert part.strip().startswith('<div class="notices" id="lost-hosts"') and "every 10s" in part
    assert part.strip() in page


def test_who_knows_that_it_is_gone_decides_at_once(browser_client, away, sqlite_session):
    asked = browser_client.get(f"/mass-mail/{away.id}/lost-hosts/abc").text
    assert "Is mx-7 gone for good?" in asked and "Decide for 2 mails" in asked
    answer = browser_client.post(f"/mass-mail/{away.id}/lost-hosts", data=form_in(asked), follow_redirects=True)
    assert "nobody knows of 2 mails" in answer.text and "in doubt" not in answer.text
    assert engine.states(sqlite_session, away) == {"uncertain": 2, "pending": 1}
    assert "decided already" in browser_client.get(f"/mass-mail/{away.id}/lost-hosts/abc").text


def test_what_is_decided_twice_is_refused(browser_client, away, sqlite_session):
    data = question(browser_client, away)
    browser_client.post(f"/mass-mail/{away.id}/lost-hosts", data=data)
    assert browser_client.post(f"/mass-mail/{away.id}/lost-hosts", data=data).status_code == 409
    assert browser_client.post(f"/mass-mail/{away.id}/lost-hosts", data={"senders": "x"}).status_code == 422
    assert engine.states(sqlite_session, away) == {"uncertain": 2, "pending": 1}


def test_a_journal_that_lies_here_is_for_the_worker_to_read(browser_client, away, sqlite_app):
    folder = Path(sqlite_app.config["INSTANCE"]) / "journals"
    folder.mkdir()
    (folder / "a.journal").touch()
    assert "in doubt" not in browser_client.get(f"/mass-mail/{away.id}/").text


def test_nobody_looks_for_machines_when_it_is_finished(browser_client, away, sqlite_session):
    away.state = "finished"
    away.finished_at = clock.now()
    sqlite_session.commit()
    assert "every 10s" not in browser_client.get(f"/mass-mail/{away.id}/lost-hosts").text
