"""Leaving a page that saves while one types, at once after a change: by a link, the browser's back, a button, or while an answer is due."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console
from tests.workers import wait_until
from webapp.core.tables.broadcasts import Broadcast

TYPE = """(value) => {
    const field = document.getElementById("batch_size");
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
}"""
TICK = "(value) => document.querySelector(`input[name=countries][value='${value}']`).click()"
ROOMS = {"schedule": (TYPE, "7", "9"), "audience": (TICK, "AT", "BE")}
"""What is changed in a room, and two values for it."""


class Open:
    """A step of a draft, open in a browser."""

    def __init__(self, page: Page, console: Console, session: Session, room: str, draft: Broadcast):
        self.page, self.session, self.id, self.room = page, session, draft.id, room
        self.change, self.first, self.second = ROOMS[room]
        self.before = page.url
        self.url = f"{console.url}/mass-mail/{draft.id}/{room}/"
        page.goto(self.url)
        page.wait_for_function("() => window.htmx")

    def change_and(self, then: str, value: str = "") -> None:
        """Change something and do this at the very next moment, as nobody is quick enough to do from here."""
        self.page.evaluate(f"(value) => {{ ({self.change})(value); {then} }}", value or self.first)

    def stored(self) -> set[str]:
        """What of the values is stored."""
        self.session.rollback()
        row = self.session.get_one(Broadcast, self.id, populate_existing=True)
        if self.room == "audience":
            return set((row.audience_filter or {}).get("countries", []))
        return {str(row.batch_size)}

    def wait_for(self, *values: str) -> None:
        wait_until(lambda: self.stored() == set(values), 60, f"{values} stored")


@pytest.fixture(params=ROOMS)
def opened(request: pytest.FixtureRequest, console: Console, console_page: Page, sqlite_session: Session) -> Open:
    for code in ("AT", "BE"):
        factories.client(sqlite_session, country=code)
    draft = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    return Open(console_page, console, sqlite_session, request.param, draft)


@pytest.fixture
def answers(console: Console) -> Iterator[threading.Event]:
    """While it is cleared, what is saved is saved, and its answer is held back."""
    app, may_leave = console.app.wsgi_app, threading.Event()
    may_leave.set()

    def held(environ, start_response):
        answer = app(environ, start_response)
        if environ["REQUEST_METHOD"] == "POST" and environ.get("HTTP_HX_REQUEST"):
            may_leave.wait(20)
        return answer

    console.app.wsgi_app = held  # type: ignore[method-assign]
    yield may_leave
    may_leave.set()
    console.app.wsgi_app = app  # type: ignore[method-assign]


LINK = "document.querySelector('.steps a[href*=review]').click();"
BACK = "history.back();"


@pytest.fixture
def asked(opened: Open) -> list[str]:
    """The questions of the browser, which are answered with yes."""
    dialogs: list[str] = []
    opened.page.on("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.accept()))
    return dialogs


def test_a_link_pressed_at_once_saves_first(opened: Open, asked: list[str]):
    opened.change_and(LINK)
    opened.page.wait_for_url("**/review/")
    assert opened.stored() == {opened.first}
    assert asked == []


def test_going_back_at_once_loses_nothing(opened: Open, asked: list[str]):
    opened.change_and(BACK)
    opened.page.wait_for_url(opened.before)
    opened.wait_for(opened.first)
    assert asked == []


def test_signing_out_at_once_saves_first(opened: Open):
    opened.change_and("document.querySelector('.nav-sign-out button').click();")
    opened.page.wait_for_url("**/sign-in")
    assert opened.stored() == {opened.first}


@pytest.mark.parametrize("leave", [BACK, "document.getElementById('next').click();"], ids=["back", "next"])
def test_leaving_before_an_answer_has_come_is_no_conflict_with_oneself(
    opened: Open, answers: threading.Event, leave: str
):
    answers.clear()
    opened.change_and("")
    opened.wait_for(opened.first)
    opened.change_and(leave, opened.second)
    wanted = [opened.first, opened.second] if opened.room == "audience" else [opened.second]
    opened.page.wait_for_url(lambda url: opened.room not in url)
    opened.wait_for(*wanted)


@pytest.mark.parametrize("held", ["**/assets/htmx*", "**/static/saving.js"])
def test_a_change_made_before_the_page_is_quite_there_is_saved(opened: Open, held: str):
    waiting: list[Route] = []
    opened.page.goto(opened.before)
    opened.page.route(held, lambda route: waiting.append(route))
    with opened.page.expect_request(held):
        opened.page.goto(opened.url, wait_until="commit")
    opened.page.locator("#draft-saved").wait_for()
    opened.change_and("")
    [script] = waiting
    script.continue_()
    opened.wait_for(opened.first)


def test_the_page_says_what_is_not_saved_yet(opened: Open, answers: threading.Event):
    answers.clear()
    chip = opened.page.locator("#draft-saved")
    opened.change_and("")
    expect(chip).to_have_text("Saving…")
    answers.set()
    expect(chip).to_contain_text("Saved")


@pytest.mark.parametrize("opened", ["schedule"], indirect=True)
def test_what_cannot_be_saved_is_shown_before_one_leaves_without_it(opened: Open, asked: list[str]):
    opened.page.get_by_label("Mails at a time").fill("-1")
    review = opened.page.locator(".steps").get_by_role("link", name="Review")
    review.click()
    expect(opened.page.locator("#pace-check")).to_contain_text("Use a whole number")
    expect(opened.page.locator("#draft-saved")).to_have_text("Not saved")
    assert asked == []
    review.click()
    opened.page.wait_for_url("**/review/")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("opened", ["audience"], indirect=True)
def test_theirs_is_taken_without_a_question(opened: Open, asked: list[str]):
    other = opened.page.context.new_page()
    other.goto(opened.page.url)
    other.locator("input[name=countries][value=BE]").check()
    opened.wait_for("BE")
    other.close()
    opened.change_and("")
    expect(opened.page.locator("#conflict")).to_contain_text("You changed this audience in another tab")
    expect(opened.page.locator("#draft-saved")).to_have_text("Not saved")
    opened.page.get_by_role("link", name="Take theirs").click()
    expect(opened.page.locator("#conflict")).to_be_empty()
    expect(opened.page.locator("input[name=countries][value=BE]")).to_be_checked()
    assert asked == [] and opened.stored() == {"BE"}
