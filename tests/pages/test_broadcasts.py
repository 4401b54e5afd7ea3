"""The list of mass mails, a new one, and the page of one. Everything works by plain links and forms; htmx gets the same parts alone."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from tests import factories
from tests.pages.broadcast_page import HTMX, bare, maker, now_in, part
from tests.pages.page import read
from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts.listing import BROADCASTS_A_PAGE
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery, MinuteCount

B, D = BroadcastState, DeliveryState


@pytest.fixture
def make(sqlite_session):
    return maker(sqlite_session)


def test_an_empty_list_says_what_this_is_for_and_has_the_one_button(browser_client, sqlite_session):
    factories.client(sqlite_session)
    sqlite_session.commit()
    page = browser_client.get("/mass-mail/").text
    assert "No mass mail yet" in page and page.count("Create Mass Mail</a>") == 1


def test_a_list_that_is_not_empty_has_it_at_its_head(browser_client, make):
    make()
    assert browser_client.get("/mass-mail/").text.count("Create Mass Mail</a>") == 1
    assert browser_client.get("/mass-mail/?q=nothing-like-it").text.count("Create Mass Mail</a>") == 1


def test_the_list_shows_name_state_audience_author_and_progress(browser_client, sqlite_session, make):
    author = factories.user(sqlite_session, name="Olga")
    make(B.SENDING, {D.ACCEPTED: 3, D.FAILED: 1, D.PENDING: 6, D.SKIPPED: 2}, name="Frankfurt", created_by=author.id)
    page = browser_client.get("/mass-mail/").text
    for words in ("Frankfurt", "Sending", "General", "everyone", "Olga", "3 of 10", "1 failed"):
        assert words in page


def test_the_tabs_are_links_with_numbers_and_filter_the_list(browser_client, make):
    make(B.DRAFT, name="Alpha")
    make(B.PAUSED, name="Beta")
    page = browser_client.get("/mass-mail/?tab=needs_you").text
    assert "Beta" in page and "Alpha" not in page
    assert read(page).texts("a[starts-with(@id, 'tab-')]") == [
        "All 2", "Drafts 1", "Scheduled 0", "Sending 0", "Needs you 1", "Finished 0",
    ]  # fmt: skip


def test_a_search_without_a_hit_says_so_and_leads_back(browser_client, make):
    make()
    page = browser_client.get("/mass-mail/?q=zebra").text
    assert "Nothing found" in page and "Show all" in page


def test_htmx_gets_the_same_list_that_the_page_holds(browser_client, make):
    make(B.DRAFT)
    page = browser_client.get("/mass-mail/?q=broad").text
    alone = browser_client.get("/mass-mail/?q=broad", headers=HTMX | {"HX-Target": "broadcast-list"}).text
    assert bare(part(page, "broadcast-list")) == bare(part(alone, "broadcast-list"))


def test_a_long_list_has_pages_that_keep_search_and_tab(browser_client, sqlite_session):
    for _ in range(BROADCASTS_A_PAGE + 1):
        factories.broadcast(sqlite_session, name="Letter")
    sqlite_session.commit()
    page = read(browser_client.get("/mass-mail/?tab=drafts&q=letter"))
    assert page.next and "1–25 of 26" in page
    last = read(browser_client.get(page.next))
    assert "26–26 of 26" in last and not last.next and last.previous


def test_only_rows_that_move_ask_again_and_stop_when_the_work_is_over(browser_client, sqlite_session, make):
    sending = make(B.SENDING, {D.PENDING: 1})
    done = make(B.FINISHED, {D.ACCEPTED: 1})
    page = browser_client.get("/mass-mail/").text
    assert "every 2s" in part(page, f"row-progress-{sending.id}")
    assert "every 2s" not in part(page, f"row-progress-{done.id}")
    answer = browser_client.get(f"/mass-mail/{sending.id}/row-progress", headers=HTMX).text
    assert "every 2s" in answer and "Sending" in answer
    sending.state = B.PAUSED
    sqlite_session.commit()
    answer = browser_client.get(f"/mass-mail/{sending.id}/row-progress", headers=HTMX).text
    assert "every 2s" not in answer and "Paused" in answer


def test_a_draft_is_counted_when_its_row_comes_into_sight(browser_client, sqlite_session, make):
    draft = make()
    factories.client(sqlite_session)
    sqlite_session.commit()
    assert f"/mass-mail/{draft.id}/recipient-number" in browser_client.get("/mass-mail/").text
    assert "1" in browser_client.get(f"/mass-mail/{draft.id}/recipient-number").text


IMPORTANT = {"purpose": "important", "important_reason": "Hosts are replaced"}


def test_a_new_mass_mail_asks_for_its_type_and_says_what_each_is_for(browser_client):
    page = browser_client.get("/mass-mail/new").text
    for words in (
        "General",
        "Services &amp; Products",
        "Addons",
        "whatever they hold",
        "certain products",
        "certain addons",
        "May it be declined?",
        "Marketing",
        "Important",
    ):
        assert words in page
    assert "checked" not in page.partition("May it be declined?")[2].partition("</fieldset>")[0], "there is no default"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "Say whether it may be declined"),
        ({"purpose": "news"}, "Say whether it may be declined"),
        ({"purpose": "marketing"}, "Choose the topic"),
        ({"purpose": "marketing", "topic_id": "99"}, "Choose the topic"),
        ({"purpose": "important", "important_reason": "  "}, "Say why everybody must be told"),
        ({"purpose": "important", "important_reason": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_is_missing_in_the_answer_is_said_beside_what_was_chosen(browser_client, sqlite_session, answer, words):
    page = browser_client.post("/mass-mail/new", data={"message_type": "addons", "important_reason": "Zebra"} | answer)
    assert page.status_code == 422 and words in page.text
    assert read(page).at("input[@name='message_type'][@checked]")["value"] == "addons"
    assert ("Zebra" in page.text) is ("important_reason" not in answer)
    assert sqlite_session.query(Broadcast).count() == 0


def test_the_answer_is_kept_and_can_be_changed_while_it_is_a_draft(browser_client, sqlite_session, make):
    answer = {"message_type": "general", "purpose": "important", "important_reason": "A new  law"}
    browser_client.post("/mass-mail/new", data=answer | {"topic_id": "1"})
    (made,) = sqlite_session.query(Broadcast).all()
    assert (made.purpose, made.topic_id, made.important_reason) == (Purpose.IMPORTANT, None, "A new law")
    assert "Important: A new law" in browser_client.get(f"/mass-mail/{made.id}/audience/").text
    url = f"/mass-mail/{made.id}/purpose"
    assert "A new law" in browser_client.get(url).text
    assert browser_client.post(url, data={"purpose": "marketing", "important_reason": "Zebra"}).status_code == 422
    assert browser_client.post(url, data={"purpose": "marketing", "topic_id": "2"}).status_code == 303
    sqlite_session.rollback()
    assert (made.purpose, made.topic_id, made.important_reason) == (Purpose.MARKETING, 2, "")
    assert "Marketing: Product news" in browser_client.get(f"/mass-mail/{made.id}/review/").text
    running = make(B.SENDING)
    assert browser_client.get(f"/mass-mail/{running.id}/purpose").location == f"/mass-mail/{running.id}/"
    assert (
        browser_client.post(
            f"/mass-mail/{running.id}/purpose", data={"purpose": "marketing", "topic_id": "2"}
        ).status_code
        == 409
    )


def test_a_draft_of_which_nobody_has_said_it_is_not_sent_before(browser_client, sqlite_session, make):
    row = make(B.DRAFT, purpose=None)
    assert "Marketing or important?" in browser_client.get(f"/mass-mail/{row.id}/audience/").text
    assert (
        "Nobody has said yet whether it is marketing or important."
        in browser_client.get(f"/mass-mail/{row.id}/review/").text
    )


def test_the_list_names_mass_mails_without_reading_their_text(browser_client, sqlite_session, make):
    for state in (B.DRAFT, B.SENDING, B.FINISHED):
        make(state, name="", subject=f"About {state.value}")
    asked = []
    engine = sqlite_session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: asked.append(statement))
    page = browser_client.get("/mass-mail/").text
    assert "About draft" in page and "About sending" in page and "About finished" in page
    assert asked and not [statement for statement in asked if "content.html" in statement]


@pytest.mark.parametrize("part", ["", "progress", "timeline", "deliveries/", "cancel", "uncertain"])
def test_the_page_of_a_mass_mail_and_its_polls_name_it_without_reading_its_text(
    browser_client, sqlite_session, make, part
):
    row = make(B.SENDING, name="", subject="About us")
    asked = []
    engine = sqlite_session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: asked.append(statement))
    assert browser_client.get(f"/mass-mail/{row.id}/{part}").status_code == 200
    assert any("content.subject" in statement or "content_1.subject" in statement for statement in asked)
    assert not [statement for statement in asked if ".html" in statement]


def test_creating_makes_a_draft_in_the_users_zone_and_leads_to_its_audience(browser_client, sqlite_session):
    answer = browser_client.post("/mass-mail/new", data={"message_type": "services"} | IMPORTANT)
    (made,) = sqlite_session.query(Broadcast).all()
    assert answer.status_code == 303 and answer.location == f"/mass-mail/{made.id}/audience/"
    assert (made.state, made.message_type.value, made.time_zone) == (B.DRAFT, "services", "UTC")
    assert made.created_by is not None


def test_a_type_that_does_not_exist_makes_nothing(browser_client, sqlite_session):
    assert browser_client.post("/mass-mail/new", data={"message_type": "spam"}).status_code == 400
    assert sqlite_session.query(Broadcast).count() == 0


def test_a_duplicate_is_a_new_draft_with_the_same_content(browser_client, sqlite_session, make):
    original = make(B.FINISHED, name="News", subject="Hello")
    answer = browser_client.post(f"/mass-mail/{original.id}/duplicate")
    sqlite_session.rollback()
    copy = sqlite_session.query(Broadcast).filter(Broadcast.id != original.id).one()
    assert answer.status_code == 303 and f"/mass-mail/{copy.id}/" in answer.location
    assert (copy.state, copy.name, copy.content.subject) == (B.DRAFT, "News (copy)", "Hello")


def test_a_draft_is_deleted_after_a_question_that_needs_no_javascript(browser_client, sqlite_session, make):
    draft = make(name="Old idea")
    assert "Old idea" in browser_client.get(f"/mass-mail/{draft.id}/delete").text
    answer = browser_client.post(f"/mass-mail/{draft.id}/delete")
    assert answer.location == "/mass-mail/"
    sqlite_session.rollback()
    assert sqlite_session.query(Broadcast).count() == 0
    assert "is deleted" in browser_client.get("/mass-mail/").text


def test_what_was_sent_cannot_be_deleted(browser_client, sqlite_session, make):
    sent = make(B.FINISHED)
    assert browser_client.post(f"/mass-mail/{sent.id}/delete").status_code == 409
    assert sqlite_session.query(Broadcast).count() == 1


def test_the_name_is_saved_in_place_and_the_page_learns_the_new_version(browser_client, sqlite_session, make):
    draft = make(name="Old")
    answer = browser_client.post(
        f"/mass-mail/{draft.id}/name", data={"name": " New  name ", "version": 1}, headers=HTMX
    )
    assert now_in(sqlite_session, draft).name == "New name"
    assert 'value="2"' in answer.text and 'hx-swap-oob="outerHTML:.draft-version"' in answer.text
    again = browser_client.post(f"/mass-mail/{draft.id}/name", data={"name": "New name", "version": 1}, headers=HTMX)
    assert again.status_code == 200 and now_in(sqlite_session, draft).version == 2


def test_a_name_over_somebody_elses_change_is_refused(browser_client, sqlite_session, make):
    draft = make(name="Old")
    broadcasts.edit(sqlite_session, draft.id, None, {"name": "Theirs"}, now())
    sqlite_session.commit()
    answer = browser_client.post(f"/mass-mail/{draft.id}/name", data={"name": "Mine", "version": 1}, headers=HTMX)
    assert answer.status_code == 409 and "Somebody else" in answer.text
    assert now_in(sqlite_session, draft).name == "Theirs"


def test_without_javascript_a_name_is_saved_by_a_form_and_the_step_comes_back(browser_client, make):
    draft = make()
    answer = browser_client.post(f"/mass-mail/{draft.id}/name?step=schedule", data={"name": "New", "version": 1})
    assert answer.status_code == 303 and answer.location == f"/mass-mail/{draft.id}/schedule/"


@pytest.mark.parametrize(
    ("columns", "step"),
    [
        ({"subject": "", "html": ""}, "audience"),
        ({"subject": "", "html": "", "audience_filter": {"countries": ["DE"]}}, "content"),
        ({"html": "Hello {{ frist_name }}"}, "content"),
        ({"starts_at": factories.NOW - timedelta(days=9999), "start_wall": "1999-07-09T09:00"}, "schedule"),
        ({}, "schedule"),
        ({"schedule_seen": True}, "review"),
    ],
)
def test_a_draft_leads_to_its_first_step_with_something_to_do(browser_client, make, columns, step):
    draft = make(**columns)
    assert browser_client.get(f"/mass-mail/{draft.id}/").location == f"/mass-mail/{draft.id}/{step}/"


def test_what_does_not_exist_is_said(browser_client):
    assert browser_client.get("/mass-mail/99/").status_code == 404


def test_the_page_shows_every_number_with_a_link_to_its_list(browser_client, make):
    counts = {D.ACCEPTED: 5, D.PENDING: 4, D.DEFERRED: 3, D.FAILED: 2, D.UNCERTAIN: 1, D.SKIPPED: 2}
    broadcast = make(B.SENDING, counts)
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert "of 15 accepted by the relay" in page
    for group, count in (
        ("accepted", 5),
        ("waiting", 4),
        ("deferred", 3),
        ("failed", 2),
        ("uncertain", 1),
        ("skipped", 2),
    ):
        figure = part(page, f"figure-{group}")
        assert f"<b>{count}</b>" in figure and f"group={group}" in figure


@pytest.mark.parametrize("state", [B.SCHEDULED, B.SENDING, B.PAUSED, B.NEEDS_ATTENTION, B.FINISHED, B.CANCELLED])
def test_the_progress_fragment_equals_the_pages_part(browser_client, make, state):
    broadcast = make(state, {D.ACCEPTED: 1, D.UNCERTAIN: 1} if state is not B.SCHEDULED else {})
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    alone = browser_client.get(f"/mass-mail/{broadcast.id}/progress?seen={state.value}&tenths=5", headers=HTMX).text
    assert bare(part(page, "progress")) == bare(part(alone, "progress"))


def test_the_timeline_fragment_equals_the_pages_part(browser_client, sqlite_session, make):
    broadcast = make(B.FINISHED, {D.ACCEPTED: 2})
    minute = now().replace(second=0, microsecond=0)
    sqlite_session.add(MinuteCount(broadcast_id=broadcast.id, sender_id=1, minute=minute, accepted=2, other=1))
    sqlite_session.commit()
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    alone = browser_client.get(f"/mass-mail/{broadcast.id}/timeline", headers=HTMX).text
    assert bare(part(page, "timeline")) == bare(part(alone, "timeline"))
    assert "2 mails accepted, 1 other answer" in alone and "Mails a minute" in alone


def test_polling_goes_on_while_it_sends_and_ends_with_the_work(browser_client, sqlite_session, make):
    broadcast = make(B.SENDING, {D.ACCEPTED: 1})
    url = f"/mass-mail/{broadcast.id}/progress"
    first = browser_client.get(url + "?seen=sending&tenths=10", headers=HTMX)
    assert "every 2s" in first.text and "HX-Trigger" not in first.headers and "announcement" not in first.text
    broadcasts.finish_if_done(sqlite_session, broadcast.id, now())
    sqlite_session.commit()
    last = browser_client.get(url + "?seen=sending&tenths=10", headers=HTMX)
    assert "every 2s" not in last.text
    assert last.headers["HX-Trigger"] == "broadcast-changed"
    assert "finished. 1 of 1 accepted." in last.text
    assert 'id="broadcast-actions" hx-swap-oob="true"' in last.text and "action-pause" not in last.text


def test_it_announces_a_step_only_when_a_tenth_is_reached(browser_client, make):
    broadcast = make(B.SENDING, {D.ACCEPTED: 3, D.PENDING: 7})
    url = f"/mass-mail/{broadcast.id}/progress?seen=sending"
    assert "announcement" not in browser_client.get(f"{url}&tenths=3", headers=HTMX).text
    assert "3 of 10 accepted." in browser_client.get(f"{url}&tenths=2", headers=HTMX).text


def test_when_everybody_is_collected_the_page_is_told_although_the_state_is_the_same(
    browser_client, sqlite_session, make
):
    broadcast = make(B.SENDING, {D.PENDING: 2}, frozen_at=None)
    url = f"/mass-mail/{broadcast.id}/progress"
    collecting = browser_client.get(url + "?seen=collecting&tenths=0", headers=HTMX)
    assert "recipients collected so far" in collecting.text and "HX-Trigger" not in collecting.headers
    broadcast.frozen_at = now()
    sqlite_session.commit()
    begun = browser_client.get(url + "?seen=collecting&tenths=0", headers=HTMX)
    assert begun.headers["HX-Trigger"] == "broadcast-changed" and "of 2 accepted" in begun.text


def test_the_ledger_comes_to_the_page_when_a_scheduled_one_begins(browser_client, make):
    scheduled = make(B.SCHEDULED)
    page = browser_client.get(f"/mass-mail/{scheduled.id}/").text
    assert "broadcast-changed from:body" in part(page, "ledger") and "ledger-rows" not in page


def test_pause_says_who_and_resume_goes_on(browser_client, sqlite_session, make):
    broadcast = make(B.SENDING, {D.PENDING: 1})
    browser_client.post(f"/mass-mail/{broadcast.id}/pause")
    assert now_in(sqlite_session, broadcast).state is B.PAUSED
    assert "by Uma Example" in browser_client.get(f"/mass-mail/{broadcast.id}/").text
    browser_client.post(f"/mass-mail/{broadcast.id}/resume")
    assert now_in(sqlite_session, broadcast).state is B.SENDING


def test_a_pause_by_the_breaker_shows_the_relays_own_words(browser_client, make):
    broadcast = make(B.PAUSED, {D.HELD: 2}, pause_reason="The relay refuses: 535 5.7.8 no such user", probing=True)
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert "535 5.7.8 no such user" in page and "a single mail is tried first" in page
    assert "2 of them held because of the relay" in page and "Nobody was marked as failed" in page


def test_a_pause_after_many_failures_does_not_say_that_nobody_failed(browser_client, make):
    words = "20 mails failed one after the other. The last: No such mailbox"
    broadcast = make(B.PAUSED, {D.FAILED: 20, D.PENDING: 1}, pause_reason=words, probing=True)
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert words in page and "a single mail is tried first" in page and "Nobody was marked as failed" not in page


def test_cancelling_asks_with_the_number_first(browser_client, sqlite_session, make):
    broadcast = make(B.SENDING, {D.ACCEPTED: 2, D.PENDING: 3, D.CLAIMED: 1})
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert "Cancel 3 mails" in part(page, "cancel-dialog")
    assert "Cancel 3 mails" in browser_client.get(f"/mass-mail/{broadcast.id}/cancel").text
    browser_client.post(f"/mass-mail/{broadcast.id}/cancel")
    assert now_in(sqlite_session, broadcast).state is B.CANCELLED


def test_what_is_finished_cannot_be_cancelled(browser_client, sqlite_session, make):
    broadcast = make(B.FINISHED, {D.ACCEPTED: 1})
    assert "action-cancel" not in browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert browser_client.post(f"/mass-mail/{broadcast.id}/cancel").status_code == 409
    assert now_in(sqlite_session, broadcast).state is B.FINISHED


def test_a_scheduled_one_shows_its_start_and_can_be_taken_back(browser_client, sqlite_session, make):
    starts_at = now() + timedelta(days=3)
    wall = starts_at.strftime("%Y-%m-%dT%H:%M")
    broadcast = make(B.SCHEDULED, starts_at=starts_at, start_wall=wall, time_zone="UTC")
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert "Starts" in page and "in UTC (UTC)" in page and "action-edit" in page and "every 2s" not in page
    answer = browser_client.post(f"/mass-mail/{broadcast.id}/edit")
    assert answer.location == f"/mass-mail/{broadcast.id}/review/"
    assert now_in(sqlite_session, broadcast).state is B.DRAFT


@pytest.mark.parametrize(
    ("decision", "delivery", "broadcast_state"),
    [("accepted", D.ACCEPTED, B.FINISHED), ("failed", D.FAILED, B.FINISHED), ("retry", D.PENDING, B.SENDING)],
)
def test_a_decision_about_uncertain_mails_is_taken_for_all(
    browser_client, sqlite_session, make, decision, delivery, broadcast_state
):
    broadcast = make(B.NEEDS_ATTENTION, {D.ACCEPTED: 1, D.UNCERTAIN: 2})
    assert "Decide for 2 mails" in browser_client.get(f"/mass-mail/{broadcast.id}/").text
    browser_client.post(f"/mass-mail/{broadcast.id}/uncertain", data={"decision": decision})
    assert now_in(sqlite_session, broadcast).state is broadcast_state
    states = sorted(row.state for row in sqlite_session.query(Delivery))
    assert states == sorted([D.ACCEPTED, delivery, delivery])


def test_nothing_of_a_cancelled_one_is_sent_again(browser_client, sqlite_session, make):
    broadcast = make(B.CANCELLED, {D.UNCERTAIN: 1})
    address = f"/mass-mail/{broadcast.id}/uncertain"
    assert address in browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert 'value="failed"' in (question := browser_client.get(address).text) and 'value="retry"' not in question
    answer = browser_client.post(address, data={"decision": "retry"})
    assert answer.status_code == 409 and "This mass mail is cancelled" in answer.text
    assert [row.state for row in sqlite_session.query(Delivery)] == [D.UNCERTAIN]


@pytest.mark.parametrize("data", [{"number": "1"}, {"number": "3"}, {"delivery_id": "0"}, {"delivery_id": "one"}])
def test_a_decision_is_only_about_the_mails_that_were_seen(browser_client, sqlite_session, make, data):
    broadcast = make(B.NEEDS_ATTENTION, {D.UNCERTAIN: 2})
    browser_client.post(f"/mass-mail/{broadcast.id}/uncertain", data={"decision": "accepted"} | data)
    assert [row.state for row in sqlite_session.query(Delivery)] == [D.UNCERTAIN] * 2


def test_one_that_was_cancelled_before_it_began_says_that_nobody_got_it(browser_client, make):
    broadcast = make(B.CANCELLED)
    assert "Cancelled before it began." in browser_client.get(f"/mass-mail/{broadcast.id}/").text


def test_a_decision_may_be_about_one_mail_only_and_nonsense_is_refused(browser_client, sqlite_session, make):
    broadcast = make(B.NEEDS_ATTENTION, {D.UNCERTAIN: 2})
    one = sqlite_session.query(Delivery).first()
    url = f"/mass-mail/{broadcast.id}/uncertain"
    assert browser_client.post(url, data={"decision": "guess"}).status_code == 422
    browser_client.post(url, data={"decision": "accepted", "delivery_id": one.id})
    assert now_in(sqlite_session, broadcast).state is B.NEEDS_ATTENTION
    assert [row.state for row in sqlite_session.query(Delivery).order_by(Delivery.id)] == [D.ACCEPTED, D.UNCERTAIN]


def test_a_broadcast_that_sends_can_no_longer_be_edited_by_its_steps(browser_client, make):
    broadcast = make(B.SENDING, {D.PENDING: 1})
    for step in ("schedule", "review"):
        answer = browser_client.get(f"/mass-mail/{broadcast.id}/{step}/")
        assert answer.status_code == 303 and answer.location == f"/mass-mail/{broadcast.id}/"
