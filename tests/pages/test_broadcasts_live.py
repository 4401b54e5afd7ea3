"""An open page of a mass mail hears what others did, and its buttons say what the state is now."""

from datetime import timedelta

import pytest

from tests.pages.broadcast_page import HTMX, asked_next, maker, now_in, part
from tests.pages.page import read
from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState

B, D = BroadcastState, DeliveryState


@pytest.fixture
def make(sqlite_session):
    return maker(sqlite_session)


def asked_for_progress(page: str) -> str:
    return asked_next(page, "/progress?")


@pytest.mark.parametrize(
    ("state", "every"),
    [(B.SCHEDULED, 8), (B.SENDING, 2), (B.PAUSED, 8), (B.NEEDS_ATTENTION, 8), (B.FINISHED, None), (B.CANCELLED, None)],
)
def test_what_is_not_over_asks_again_slowly_while_nothing_moves(browser_client, make, state, every):
    later = {"starts_at": now() + timedelta(days=1)} if state is B.SCHEDULED else {}
    deliveries = {D.UNCERTAIN: 1} if state is B.NEEDS_ATTENTION else {}
    card = read(browser_client.get(f"/mass-mail/{make(state, deliveries, **later).id}/")).at("#progress")
    asks = [one["hx-trigger"] for one in card.all("*[starts-with(@hx-trigger, 'every')]")]
    assert asks == ([f"every {every}s"] if every else [])


@pytest.mark.parametrize("state", [B.SCHEDULED, B.PAUSED, B.NEEDS_ATTENTION])
def test_an_answer_that_changes_nothing_leaves_what_somebody_fills_in(browser_client, sqlite_session, make, state):
    broadcast = make(
        state, {D.UNCERTAIN: 2} if state is B.NEEDS_ATTENTION else {}, starts_at=now() + timedelta(hours=36, minutes=30)
    )
    ask = asked_for_progress(browser_client.get(f"/mass-mail/{broadcast.id}/").text)
    assert browser_client.get(ask, headers=HTMX).status_code == 204
    broadcasts.cancel(sqlite_session, broadcast.id, now())
    sqlite_session.commit()
    answer = browser_client.get(ask, headers=HTMX)
    assert answer.headers["HX-Trigger"] == "broadcast-changed" and "Cancelled" in answer.text


def test_a_page_that_shows_a_pause_hears_of_the_next_one(browser_client, sqlite_session, make):
    broadcast = make(B.PAUSED, {D.PENDING: 1}, pause_reason="by Alice")
    ask = asked_for_progress(browser_client.get(f"/mass-mail/{broadcast.id}/").text)
    broadcasts.resume(sqlite_session, broadcast.id, now())
    broadcasts.stop(sqlite_session, broadcast.id, "The relay refuses", now())
    sqlite_session.commit()
    answer = browser_client.get(ask, headers=HTMX).text
    assert "The relay refuses" in answer and broadcast.paused_at.isoformat() in part(answer, "broadcast-actions")


def test_a_page_of_a_scheduled_one_hears_that_it_was_edited_confirmed_anew_or_deleted(
    browser_client, sqlite_session, make
):
    broadcast = make(B.SCHEDULED, starts_at=now() + timedelta(days=1))
    ask = asked_for_progress(browser_client.get(f"/mass-mail/{broadcast.id}/").text)
    broadcasts.unschedule(sqlite_session, broadcast.id, None, now())
    broadcasts.edit(sqlite_session, broadcast.id, None, {"name": "Other", "subject": "Other news"}, now())
    sqlite_session.commit()
    answer = browser_client.get(ask, headers=HTMX).text
    assert "It is a draft again." in answer and "Other news" in part(answer, "about")
    assert "Other" in part(answer, "broadcast-title") and "action-draft" in answer
    ask = asked_for_progress(answer)
    broadcasts.schedule(sqlite_session, broadcast.id, None, now())
    sqlite_session.commit()
    assert "action-edit" in browser_client.get(ask, headers=HTMX).text
    broadcasts.unschedule(sqlite_session, broadcast.id, None, now())
    broadcasts.delete_draft(sqlite_session, broadcast.id)
    sqlite_session.commit()
    gone = browser_client.get(ask, headers=HTMX)
    assert gone.status_code == 286 and "does not exist any more" in gone.text and "every" not in gone.text


def rows_ask(page: str) -> str:
    return asked_next(page, "/moving-rows?")


def test_the_list_hears_what_others_did_to_what_is_not_over(browser_client, sqlite_session, make):
    paused = make(B.PAUSED, {D.PENDING: 1})
    scheduled = make(B.SCHEDULED, starts_at=now() + timedelta(days=1))
    make(B.FINISHED), make(B.DRAFT)
    ask = rows_ask(browser_client.get("/mass-mail/").text)
    assert browser_client.get(ask, headers=HTMX).status_code == 204
    broadcasts.resume(sqlite_session, paused.id, now())
    sqlite_session.commit()
    answer = browser_client.get(ask, headers=HTMX).text
    assert "Sending" in part(answer, f"row-state-{paused.id}") and f"row-state-{scheduled.id}" not in answer
    assert "every 2s" in part(answer, f"row-progress-{paused.id}")
    for one in (paused, scheduled):
        broadcasts.cancel(sqlite_session, one.id, now())
    sqlite_session.commit()
    last = browser_client.get(rows_ask(answer), headers=HTMX).text
    assert "Cancelled" in part(last, f"row-state-{scheduled.id}") and "every 8s" not in last


def test_a_list_where_all_is_over_does_not_ask(browser_client, make):
    make(B.FINISHED), make(B.DRAFT), make(B.CANCELLED)
    assert "hx-get" not in part(browser_client.get("/mass-mail/").text, "moving-rows")
    assert browser_client.get("/mass-mail/moving-rows?seen=4711.paused,x,,", headers=HTMX).status_code == 200


def test_while_recipients_are_collected_the_page_says_what_a_pause_and_a_cancel_mean(
    browser_client, sqlite_session, make
):
    broadcast = make(B.SENDING, {D.PENDING: 2, D.SKIPPED: 1}, frozen_at=None)
    assert "recipients collected so far" in browser_client.get(f"/mass-mail/{broadcast.id}/").text
    page = browser_client.post(f"/mass-mail/{broadcast.id}/pause", follow_redirects=True).text
    assert "The list is not complete yet" in page and "accepted by the relay" not in page
    assert "3 so far" in browser_client.get("/mass-mail/").text
    page = browser_client.post(f"/mass-mail/{broadcast.id}/cancel", follow_redirects=True).text
    assert "3 were on the list by then. Nobody has got it" in page
    assert "3 collected" in browser_client.get("/mass-mail/").text


@pytest.fixture
def missed(make):
    """One that was to start at a time, two hours ago."""
    at = now() - timedelta(hours=2)
    wall = at.strftime("%Y-%m-%dT%H:%M")
    return make(B.SCHEDULED, starts_at=at, start_wall=wall, time_zone="Europe/Berlin", scheduled_at=at)


def test_a_missed_start_asks_on_the_page_and_in_the_list(browser_client, make, missed):
    make(B.SCHEDULED, scheduled_at=now())
    page = browser_client.get(f"/mass-mail/{missed.id}/").text
    assert "Europe/Berlin; nobody was there to send it. Start it now, choose another time, or cancel." in page
    assert f"/mass-mail/{missed.id}/edit" in part(page, "progress") and "action-cancel" in page
    assert "Start missed" in part(page, "broadcast-state")
    needed = browser_client.get("/mass-mail/?tab=needs_you").text
    assert "Start missed" in part(needed, f"row-state-{missed.id}")
    assert "Needs you 1" in part(needed, "tab-needs_you") and "Scheduled 1" in part(needed, "tab-scheduled")
    assert f"row-state-{missed.id}" not in browser_client.get("/mass-mail/?tab=scheduled").text


def test_a_page_hears_when_a_start_is_missed(browser_client, sqlite_session, make):
    broadcast = make(B.SCHEDULED, scheduled_at=now() - timedelta(minutes=29))
    ask = asked_for_progress(browser_client.get(f"/mass-mail/{broadcast.id}/").text)
    ask_rows = rows_ask(browser_client.get("/mass-mail/").text)
    broadcast.scheduled_at = now() - timedelta(minutes=31)
    sqlite_session.commit()
    answer = browser_client.get(ask, headers=HTMX)
    assert "The start was missed." in answer.text and answer.headers["HX-Trigger"] == "broadcast-changed"
    assert "Start missed" in browser_client.get(ask_rows, headers=HTMX).text


def test_a_missed_start_is_confirmed_with_one_button_and_only_while_it_is_missed(
    browser_client, sqlite_session, missed
):
    page = browser_client.post(f"/mass-mail/{missed.id}/start-now", follow_redirects=True).text
    assert "It starts as soon as" in page and "The start was missed." not in page
    assert now_in(sqlite_session, missed).start_confirmed_at is not None
    browser_client.post(f"/mass-mail/{missed.id}/edit")
    assert browser_client.post(f"/mass-mail/{missed.id}/start-now").status_code == 409
    assert now_in(sqlite_session, missed).state is B.DRAFT


def test_where_nobody_wants_to_be_asked_a_late_start_is_just_late(browser_client, sqlite_app, missed):
    sqlite_app.config["MISSED_START"] = None
    assert "The start was missed." not in browser_client.get(f"/mass-mail/{missed.id}/").text
    assert "Needs you 0" in browser_client.get("/mass-mail/").text


@pytest.mark.parametrize("state", [state for state in B if state is not B.DRAFT])
@pytest.mark.parametrize("button", ["pause", "resume", "start-now", "edit"])
def test_a_button_of_a_page_that_is_behind_says_what_the_state_is_now(
    browser_client, sqlite_session, make, state, button
):
    at_home = {"pause": B.SENDING, "resume": B.PAUSED, "start-now": B.SCHEDULED, "edit": B.SCHEDULED}[button]
    broadcast = make(state, {D.UNCERTAIN: 1})
    answer = browser_client.post(f"/mass-mail/{broadcast.id}/{button}", follow_redirects=True)
    if state is at_home:
        assert now_in(sqlite_session, broadcast).state is not state or button == "start-now"
        return
    assert now_in(sqlite_session, broadcast).state is state
    already = {("pause", B.PAUSED): "It is paused already", ("resume", B.SENDING): "It goes on already"}
    assert already.get((button, state), f"is {state.label} by now") in answer.text


def test_a_resume_is_of_the_pause_that_the_page_showed(browser_client, sqlite_session, make):
    broadcast = make(B.PAUSED, {D.PENDING: 1}, pause_reason="by Alice")
    seen = broadcast.paused_at.isoformat()
    assert f'value="{seen}"' in browser_client.get(f"/mass-mail/{broadcast.id}/").text
    broadcast.paused_at += timedelta(seconds=1)
    sqlite_session.commit()
    url = f"/mass-mail/{broadcast.id}/resume"
    assert "paused anew" in browser_client.post(url, data={"paused_at": seen}).text
    assert browser_client.post(url, data={"paused_at": "noon"}).status_code == 422
    assert now_in(sqlite_session, broadcast).state is B.PAUSED
    browser_client.post(url, data={"paused_at": broadcast.paused_at.isoformat()})
    assert now_in(sqlite_session, broadcast).state is B.SENDING


def test_who_cancels_what_nobody_has_got_does_not_cancel_what_has_begun(browser_client, sqlite_session, make):
    broadcast = make(B.SENDING, {D.ACCEPTED: 1, D.PENDING: 1})
    answer = browser_client.post(f"/mass-mail/{broadcast.id}/cancel", data={"seen": "scheduled"})
    assert answer.status_code == 409 and "Sending has begun meanwhile" in answer.text
    assert now_in(sqlite_session, broadcast).state is B.SENDING
    browser_client.post(f"/mass-mail/{broadcast.id}/cancel", data={"seen": "sending"})
    assert now_in(sqlite_session, broadcast).state is B.CANCELLED
