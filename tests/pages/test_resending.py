"""The questions after a mass mail: send again to those who failed, a new one to some of them."""

import pytest
from sqlalchemy import select

from tests.pages.page import read
from tests.pages.test_broadcasts import make  # noqa: F401 - make is a fixture
from webapp.core import audience, ledger
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery

B, D = BroadcastState, DeliveryState


def words(page: str) -> str:
    return read(page).words


@pytest.fixture
def failed(sqlite_session, make):  # noqa: F811
    """A finished broadcast of which 54 failed, 40 for one reason and 14 for another."""
    broadcast = make(B.FINISHED, {D.FAILED: 54, D.ACCEPTED: 3, D.SKIPPED: 2}, name="Price change")
    rows = sqlite_session.scalars(select(Delivery).where(Delivery.state == D.FAILED).order_by(Delivery.id)).all()
    for number, row in enumerate(rows):
        row.reason = "policy" if number < 40 else "gave_up"
    sqlite_session.commit()
    return broadcast


def url(broadcast: Broadcast, rest: str) -> str:
    return f"/mass-mail/{broadcast.id}/{rest}"


def counts(session, broadcast: Broadcast) -> dict[str, int]:
    session.rollback()
    session.expire_all()
    return {state.value: count for state, count in ledger.counts(session, broadcast.id).items()}


def newest(session) -> Broadcast:
    session.rollback()
    return session.scalars(select(Broadcast).order_by(Broadcast.id.desc())).first()


def fields(page: str) -> dict[str, str]:
    """What the form of the question sends."""
    return read(page).form("form[@class='card narrow']").fields


def test_the_failed_ones_in_the_ledger_lead_to_the_question_with_its_number(browser_client, failed):
    page = browser_client.get(url(failed, "deliveries/?group=failed")).text
    assert "Send again to the 54 that failed" in page and "New mass mail to the 54 that failed" in page
    assert "Send again to the 54 that failed" in browser_client.get(url(failed, "")).text
    assert "Send again" not in browser_client.get(url(failed, "deliveries/?group=accepted")).text


def test_the_question_shows_number_and_reasons_and_sends_all(browser_client, sqlite_session, failed):
    page = browser_client.get(url(failed, "again/")).text
    said = words(page)
    for expected in ("Send again to the 54", "40 mails", "14 mails", "sending", "not taken at any attempt, given up"):
        assert expected in said or expected.capitalize() in said, expected
    answer = browser_client.post(url(failed, "again/"), data=fields(page), follow_redirects=True)
    assert "54 mails that failed are sent again." in answer.text
    assert counts(sqlite_session, failed) == {"accepted": 3, "pending": 54, "skipped": 2}
    assert sqlite_session.get_one(Broadcast, failed.id).state is B.SENDING


def test_one_reason_is_sent_alone(browser_client, sqlite_session, failed):
    page = browser_client.get(url(failed, "again/?reason=gave_up")).text
    assert "Send again to the 14" in words(page) and "40 mails" not in words(page)
    browser_client.post(url(failed, "again/"), data=fields(page))
    assert counts(sqlite_session, failed)["failed"] == 40


def test_pressing_twice_sends_once_and_says_so(browser_client, sqlite_session, failed):
    sent = fields(browser_client.get(url(failed, "again/")).text)
    browser_client.post(url(failed, "again/"), data=sent)
    again = browser_client.post(url(failed, "again/"), data=sent)
    assert again.status_code == 409 and "sent again already" in again.text
    assert counts(sqlite_session, failed)["pending"] == 54
    assert "Nobody to send to again" in browser_client.get(url(failed, "again/")).text


def test_a_form_that_names_no_number_is_refused(browser_client, failed):
    assert browser_client.post(url(failed, "again/"), data={"number": "all"}).status_code == 422


def test_of_a_cancelled_one_nothing_is_sent_and_the_way_on_is_shown(browser_client, sqlite_session, make):  # noqa: F811
    broadcast = make(B.CANCELLED, {D.FAILED: 2, D.CANCELLED: 3}, frozen_at=None)
    page = browser_client.get(url(broadcast, "again/")).text
    assert "This mass mail is cancelled" in page and "New mass mail to them" in page
    answer = browser_client.post(url(broadcast, "again/"), data={"number": "2", "resends": "0"})
    assert answer.status_code == 409 and "cancelled" in answer.text
    assert counts(sqlite_session, broadcast) == {"cancelled": 3, "failed": 2}


def test_a_paused_one_says_when_they_go(browser_client, make):  # noqa: F811
    broadcast = make(B.PAUSED, {D.FAILED: 1, D.PENDING: 1})
    page = browser_client.get(url(broadcast, "again/")).text
    assert "once more when you resume" in words(page)
    answer = browser_client.post(url(broadcast, "again/"), data=fields(page), follow_redirects=True)
    assert "1 mail that failed is sent again when you resume." in answer.text


def test_a_new_mass_mail_to_those_that_failed_has_their_number_their_text_and_them(
    browser_client, sqlite_session, failed
):
    page = browser_client.get(url(failed, "follow-up/?to=failed")).text
    assert "54 clients" in words(page) and read(page).at("input[@name='same_text']").get("checked") is not None
    answer = browser_client.post(url(failed, "follow-up/"), data={"to": "failed", "same_text": "1"})
    made = newest(sqlite_session)
    assert answer.location.endswith(url(made, "audience/"))
    assert made.name == "Price change (failed)" and made.content.subject == failed.content.subject
    assert made.state is B.DRAFT and made.starts_at is None
    shown = read(browser_client.get(url(made, "audience/?counted=1")))
    assert "The 54 clients of “Price change”" in shown and "whose mail failed." in shown
    assert "54" in shown.texts("*[@class='figure']")
    assert f"{failed.id}:failed" in [box["value"] for box in shown.all("input[@name='earlier_outcomes'][@checked]")]
    assert "failed of “Price change”" in browser_client.get("/mass-mail/").text
    assert "whose mail failed" in browser_client.get(url(made, "review/")).text


def test_for_those_who_have_it_the_text_is_empty_unless_asked_for(browser_client, sqlite_session, failed):
    page = browser_client.get(url(failed, "follow-up/?to=accepted")).text
    assert read(page).at("input[@name='same_text']").get("checked") is None
    browser_client.post(url(failed, "follow-up/"), data={"to": "accepted"})
    made = newest(sqlite_session)
    assert made.content.subject == "" and made.audience_filter == {"earlier_outcomes": [f"{failed.id}:accepted"]}


def test_the_earlier_outcome_is_a_criterion_like_others(browser_client, sqlite_session, failed):
    browser_client.post(url(failed, "follow-up/"), data={"to": "failed", "same_text": "1"})
    made = newest(sqlite_session)
    page = browser_client.get(url(made, "audience/?counted=1")).text
    chosen = {
        "base": read(page).value("base"),
        "message_type": "general",
        "earlier_outcomes": [f"{failed.id}:failed", f"{failed.id}:accepted"],
        "countries": ["DE"],
    }
    answer = browser_client.post(url(made, "audience/"), data=chosen, headers={"HX-Request": "true"})
    assert "whose mail failed or whose mail was accepted, those in Germany." in answer.text
    sqlite_session.rollback()
    of = audience.audience_of(sqlite_session.get_one(Broadcast, made.id))
    assert len(of.filter.earlier_outcomes) == 2
    refused = browser_client.post(url(made, "audience/"), data=chosen | {"earlier_outcomes": ["1:everything"]})
    assert refused.status_code == 422


def test_nobody_of_that_kind_is_said_in_words(browser_client, failed):
    answer = browser_client.post(url(failed, "follow-up/"), data={"to": "cancelled"})
    assert answer.status_code == 409 and "no clients whose mail was cancelled" in answer.text
    assert browser_client.post(url(failed, "follow-up/"), data={"to": "everybody"}).status_code == 422


def test_a_draft_has_nobody_to_follow_up(browser_client, make):  # noqa: F811
    assert "Nobody yet" in browser_client.get(url(make(B.DRAFT), "follow-up/")).text
