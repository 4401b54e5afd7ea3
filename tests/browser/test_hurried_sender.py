"""Somebody in a hurry, in a real browser: what is pressed twice happens once, what was pressed by mistake can be taken back, and no second
half of a double click does what nobody asked for."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy.orm import Session

from tests import factories, run
from tests.consoles import Console
from tests.pages.broadcast_page import maker, now_in
from webapp.adapters.clock import now
from webapp.core.rules.lifecycle import BroadcastState as B
from webapp.core.rules.lifecycle import DeliveryState as D
from webapp.core.tables.broadcasts import Broadcast, FromAddress

DISTANCES_MS = (50, 100, 200, 300, 400, 500, 700, 900, 1200, 1500)
"""Between the two halves of a double click. Each is tried every day somewhere, and everywhere with `--full`."""

TWICE = run.some(DISTANCES_MS, first=0, step=3)
"""For what is tried often elsewhere."""


@pytest.fixture
def settings(sqlite_app: Flask, sqlite_session: Session) -> dict:
    sqlite_session.add(FromAddress(name="Example Hosting", address="support@example.com"))
    for _ in range(3):
        factories.client(sqlite_session)
    sqlite_session.commit()
    sqlite_app.config |= {"UNDO": timedelta(seconds=30), "TYPE_NUMBER_ABOVE": 100}
    return sqlite_app.config


def press_twice(page: Page, button: Locator, wait_ms: int) -> None:
    """Press at one place, and once more at this place, whatever is there by then: on a page of which nobody can have seen anything, too."""
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    page.wait_for_timeout(wait_ms)
    page.mouse.click(x, y)


def later(session: Session, **columns) -> Broadcast:
    at = (now() + timedelta(days=2)).replace(second=0, microsecond=0)
    wall = at.strftime("%Y-%m-%dT%H:%M")
    made = {"starts_at": at, "start_wall": wall, "time_zone": "UTC", "scheduled_at": now()} | columns
    return maker(session)(B.SCHEDULED, **made)


@pytest.mark.parametrize("wait_ms", run.some(DISTANCES_MS, first=1, step=3))
def test_review_pressed_twice_sends_nothing(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session, wait_ms: int
):
    draft = maker(sqlite_session)()
    console_page.goto(f"{console.url}/mass-mail/{draft.id}/schedule/")
    press_twice(console_page, console_page.locator("#next"), wait_ms)
    expect(console_page.locator("#create-broadcast")).to_be_visible()
    console_page.wait_for_timeout(300)
    assert now_in(sqlite_session, draft).state is B.DRAFT


@pytest.mark.parametrize("wait_ms", run.some(DISTANCES_MS, first=2, step=3))
def test_create_broadcast_pressed_twice_creates_once_and_undoes_nothing(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session, wait_ms: int
):
    draft = maker(sqlite_session)()
    console_page.goto(f"{console.url}/mass-mail/{draft.id}/review/")
    press_twice(console_page, console_page.locator("#create-broadcast"), wait_ms)
    console_page.wait_for_url(f"**/mass-mail/{draft.id}/")
    expect(console_page.locator(f"#undo-{draft.id}")).to_be_visible()
    assert now_in(sqlite_session, draft).state is B.SCHEDULED


@pytest.mark.parametrize("wait_ms", TWICE)
def test_undo_pressed_twice_leads_to_the_draft_and_creates_nothing_anew(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session, wait_ms: int
):
    draft = maker(sqlite_session)()
    console_page.goto(f"{console.url}/mass-mail/{draft.id}/review/")
    console_page.locator("#create-broadcast").click()
    undo = console_page.locator(f"#undo-{draft.id}")
    expect(undo).to_contain_text(re.compile(r"\d+ s"))
    console_page.wait_for_timeout(2100)  # a person reads first; until then it would count as the same press
    press_twice(console_page, undo, wait_ms)
    console_page.wait_for_url("**/review/")
    expect(console_page.locator("#toasts")).to_contain_text("Undone. Nothing has left")
    assert now_in(sqlite_session, draft).state is B.DRAFT


def test_undo_stands_in_the_list_too_and_goes_when_its_time_is_over(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session
):
    settings["UNDO"] = timedelta(seconds=5)
    draft = maker(sqlite_session)()
    console_page.goto(f"{console.url}/mass-mail/{draft.id}/review/")
    console_page.locator("#create-broadcast").click()
    console_page.wait_for_url(f"**/mass-mail/{draft.id}/")
    console_page.goto(f"{console.url}/mass-mail/")
    undo = console_page.locator(f"#undo-{draft.id}")
    expect(undo).to_be_visible()
    expect(undo).to_be_hidden()
    console_page.goto(f"{console.url}/mass-mail/{draft.id}/")
    expect(undo).to_have_count(0)


def test_above_the_set_number_it_is_typed(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session
):
    settings["TYPE_NUMBER_ABOVE"] = 2
    draft = maker(sqlite_session)()
    console_page.goto(f"{console.url}/mass-mail/{draft.id}/review/")
    create, typed = console_page.locator("#create-broadcast"), console_page.get_by_label("Type 3 to say")
    create.click()
    expect(typed).to_be_focused()
    assert now_in(sqlite_session, draft).state is B.DRAFT
    typed.fill("4")
    console_page.wait_for_timeout(2100)
    create.click()
    expect(console_page.locator("main")).to_contain_text("That is not 3. Nothing was sent.")
    assert now_in(sqlite_session, draft).state is B.DRAFT
    console_page.get_by_label("Type 3 to say").fill("3")
    console_page.wait_for_timeout(2100)
    console_page.locator("#create-broadcast").click()
    console_page.wait_for_url(f"**/mass-mail/{draft.id}/")
    assert now_in(sqlite_session, draft).state is B.SCHEDULED


@pytest.mark.parametrize("wait_ms", TWICE)
@pytest.mark.parametrize("button", ["edit", "send-now"])
def test_a_question_stays_open_when_its_button_is_pressed_twice(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session, button: str, wait_ms: int
):
    broadcast = later(sqlite_session)
    console_page.goto(f"{console.url}/mass-mail/{broadcast.id}/")
    press_twice(console_page, console_page.locator(f"#action-{button}"), wait_ms)
    expect(console_page.locator(f"#{button}-dialog")).to_be_visible()
    asked = now_in(sqlite_session, broadcast)
    assert asked.state is B.SCHEDULED and asked.start_confirmed_at is None


def test_edit_asks_and_leaves_it_or_stops_it(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session
):
    broadcast = later(sqlite_session)
    console_page.goto(f"{console.url}/mass-mail/{broadcast.id}/")
    console_page.locator("#action-edit").click()
    console_page.get_by_role("button", name="Leave it as it is").click()
    assert now_in(sqlite_session, broadcast).state is B.SCHEDULED
    console_page.locator("#action-edit").click()
    console_page.get_by_role("button", name="Stop it and edit").click()
    console_page.wait_for_url("**/review/")
    assert now_in(sqlite_session, broadcast).state is B.DRAFT


def test_send_now_says_the_number_and_can_be_undone(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session
):
    broadcast = later(sqlite_session)
    console_page.goto(f"{console.url}/mass-mail/{broadcast.id}/")
    console_page.locator("#action-send-now").click()
    console_page.get_by_role("button", name="Send 3 mails now").click()
    undo = console_page.locator(f"#undo-{broadcast.id}")
    expect(undo).to_be_visible()
    assert now_in(sqlite_session, broadcast).start_confirmed_at is not None
    console_page.wait_for_timeout(2100)
    undo.click()
    console_page.wait_for_url("**/review/")
    undone = now_in(sqlite_session, broadcast)
    assert undone.state is B.DRAFT and undone.starts_at == broadcast.starts_at


@pytest.mark.parametrize("wait_ms", TWICE)
def test_pause_pressed_twice_does_not_resume(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session, wait_ms: int
):
    broadcast = maker(sqlite_session)(B.SENDING, {D.PENDING: 2})
    console_page.goto(f"{console.url}/mass-mail/{broadcast.id}/")
    press_twice(console_page, console_page.locator("#action-pause"), wait_ms)
    expect(console_page.locator("#action-resume")).to_be_visible()
    console_page.wait_for_timeout(300)
    assert now_in(sqlite_session, broadcast).state is B.PAUSED


def test_the_schedule_says_that_it_is_saved_when_it_is(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session
):
    draft = maker(sqlite_session)()
    console_page.goto(f"{console.url}/mass-mail/{draft.id}/schedule/")
    saved = console_page.locator("#draft-saved")
    for change in (
        lambda: console_page.get_by_text("At a date and time").click(),
        lambda: console_page.get_by_label("Mails at a time").fill("7"),
        lambda: console_page.get_by_text("As soon as I confirm").click(),
    ):
        with console_page.expect_response(lambda answer: answer.request.method == "POST"):
            change()
        console_page.wait_for_load_state("networkidle")
        expect(saved).to_contain_text(re.compile(r"^Saved \d"))


def test_back_leads_to_the_ledger_as_it_was_searched(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session
):
    broadcast = maker(sqlite_session)(B.FINISHED, {D.ACCEPTED: 3, D.FAILED: 2})
    console_page.goto(f"{console.url}/mass-mail/{broadcast.id}/")
    console_page.locator("#chip-failed").click()
    console_page.wait_for_url("**/?group=failed")
    console_page.locator("#ledger-search").fill("ada")
    console_page.wait_for_url("**/?group=failed&q=ada")
    console_page.locator("#ledger-rows tbody a").first.click()
    console_page.wait_for_url("**/deliveries/*")
    console_page.go_back()
    expect(console_page.locator("#ledger-search")).to_have_value("ada")
    expect(console_page.locator("#ledger-rows tbody tr")).to_have_count(2)


def test_the_cursor_stays_where_somebody_was_left_out(
    settings: dict, console: Console, console_page: Page, sqlite_session: Session
):
    draft = maker(sqlite_session)()
    console_page.goto(f"{console.url}/mass-mail/{draft.id}/audience/recipients")
    button = console_page.get_by_role("button", name=re.compile("^Leave out")).nth(1)
    id_ = button.get_attribute("id")
    button.focus()
    console_page.keyboard.press("Enter")
    kept = console_page.locator(f"#{id_}")
    expect(kept).to_contain_text("Put back")
    expect(kept).to_be_focused()
