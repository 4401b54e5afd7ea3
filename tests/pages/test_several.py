"""Several mass mails of the list at once, and the samples of an empty house."""

import pytest

from tests.pages.broadcast_page import maker
from tests.pages.page import read
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast

B = BroadcastState


@pytest.fixture
def make(sqlite_session):
    return maker(sqlite_session)


def states(session) -> dict[str, BroadcastState]:
    session.rollback()
    return {one.name: one.state for one in session.query(Broadcast)}


def test_the_question_names_the_drafts_and_what_stays_and_deletes_nothing(browser_client, sqlite_session, make):
    chosen = [make(B.DRAFT, name="One"), make(B.DRAFT, name="Two"), make(B.FINISHED, name="Sent")]
    asked = browser_client.post("/mass-mail/chosen/ask-delete", data={"id": [one.id for one in chosen]})
    assert asked.status_code == 303, "so that Back and reload find an address, and post nothing"
    page = browser_client.get(asked.location)
    assert page.status_code == 200 and "Delete 2 drafts" in page.text and "Sent" in page.text
    assert read(page.text).values("id") == [str(one.id) for one in chosen[:2]]
    assert len(states(sqlite_session)) == 3


def test_only_drafts_are_deleted_and_once(browser_client, sqlite_session, make):
    ids = [make(state, name=state.value).id for state in (B.DRAFT, B.SCHEDULED, B.FINISHED)]
    for said in ("1 draft is deleted. Whatever is no draft stays.", "Nothing was deleted"):
        answer = browser_client.post("/mass-mail/chosen/delete", data={"id": ids}, follow_redirects=True)
        assert said in answer.text
        assert states(sqlite_session) == {"scheduled": B.SCHEDULED, "finished": B.FINISHED}


def test_those_being_sent_are_paused_and_the_others_are_as_they_were(browser_client, sqlite_session, make):
    ids = [make(state, name=state.value).id for state in (B.SENDING, B.DRAFT, B.FINISHED)]
    answer = browser_client.post("/mass-mail/chosen/pause", data={"id": ids}, follow_redirects=True)
    assert "1 mass mail is paused. 2 others are not being sent." in answer.text
    assert states(sqlite_session) == {"sending": B.PAUSED, "draft": B.DRAFT, "finished": B.FINISHED}


@pytest.mark.parametrize("action", ["ask-delete", "delete", "pause"])
@pytest.mark.parametrize("ids", [[], ["x"], ["999999"]])
def test_nothing_chosen_is_said_and_harms_nothing(browser_client, sqlite_session, make, action, ids):
    make(B.DRAFT, name="One")
    answer = browser_client.post(f"/mass-mail/chosen/{action}", data={"id": ids}, follow_redirects=True)
    assert answer.status_code == 200
    assert states(sqlite_session) == {"One": B.DRAFT}


def test_the_samples_are_made_once_and_only_in_an_empty_house(browser_client, sqlite_session):
    for _ in range(2):
        answer = browser_client.post("/mass-mail/samples", follow_redirects=True)
        assert "Sample: planned maintenance" in answer.text
        assert len(states(sqlite_session)) == 3


def test_the_columns_head_sorts_and_turns(browser_client, make):
    make(B.DRAFT, name="Beta")
    make(B.DRAFT, name="Alpha")
    page = read(browser_client.get("/mass-mail/?order=name").text)
    assert page.texts("a[contains(@class, 'row-title')]") == ["Alpha", "Beta"]
    assert "order=-name" in page.at("th[@aria-sort='ascending']/a")["href"]
