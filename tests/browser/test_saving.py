"""Two tabs of one draft in a real browser: at one field they are told of each other, at different steps they are not."""

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console, bring_sign_in
from tests.looks import without_complaint
from webapp.core.tables.broadcasts import Broadcast

CONFLICT = "#conflict"


def choose_country(page: Page, value: str) -> None:
    page.locator(f"input[name=countries][value='{value}']").check()


def write_subject(page: Page, value: str) -> None:
    page.locator("mail-editor[ready]").wait_for()
    page.get_by_role("textbox", name="Subject").fill(value)


def set_pace(page: Page, value: str) -> None:
    page.get_by_role("spinbutton", name="Mails at a time").fill(value)


STEPS: dict[str, tuple[Callable[[Page, str], None], str, str, str, str]] = {
    "audience": (choose_country, "DE", "FR", "Clients in Germany.", "Clients in France."),
    "content": (write_subject, "Theirs", "Mine", "Theirs", "Mine"),
    "schedule": (set_pace, "7", "9", "7 every 30 s", "9 every 30 s"),
}


@pytest.fixture
def tab(
    browser_client: FlaskClient, console: Console, page: Page, draft: Broadcast, sqlite_session: Session
) -> Iterator[Callable[[str], Page]]:
    """Opens a step of the draft in a tab of its own."""
    factories.client(sqlite_session, country="FR")
    sqlite_session.commit()
    bring_sign_in(browser_client, console, page)

    def opened(step: str) -> Page:
        one = page.context.new_page()
        one.goto(f"{console.url}/mass-mail/{draft.id}/{step}/")
        return one

    with without_complaint(page, lambda words: "409" in words):
        yield opened


def saved(page: Page) -> None:
    expect(page.locator("#draft-saved")).to_contain_text("Saved")


@pytest.mark.parametrize("step", STEPS)
def test_the_slower_tab_sees_what_is_in_force_beside_its_own_and_keeps_it(tab, step: str):
    change, theirs, mine, their_words, my_words = STEPS[step]
    other, one = tab(step), tab(step)
    with other.expect_response(f"**/{step}/"):
        change(other, theirs)
    change(one, mine)
    row = one.locator(f"{CONFLICT} tbody tr")
    expect(row).to_contain_text(their_words)
    expect(row).to_contain_text(my_words)
    expect(one.locator("#draft-saved")).to_have_text("Not saved")
    one.get_by_role("button", name="Keep mine").click()
    expect(one.locator(CONFLICT)).to_be_empty()
    saved(one)
    other.reload()
    change(other, mine)  # it is what is stored: nothing to save, and nobody was faster
    expect(other.locator(CONFLICT)).to_be_empty()


@pytest.mark.parametrize("step", STEPS)
def test_taking_theirs_shows_the_page_as_it_is_stored_without_a_question(tab, step: str):
    change, theirs, mine, *_ = STEPS[step]
    other, one = tab(step), tab(step)
    one.on("dialog", lambda dialog: pytest.fail(f"asked: {dialog.message}"))
    with other.expect_response(f"**/{step}/"):
        change(other, theirs)
    change(one, mine)
    with one.expect_navigation():
        one.get_by_role("link", name="Take theirs").click()
    expect(one.locator(CONFLICT)).to_be_empty()


def test_a_change_of_the_subject_in_another_tab_is_no_conflict_for_the_pace(tab, sqlite_session: Session, draft):
    pace, subject = tab("schedule"), tab("content")
    with subject.expect_response("**/content/"):
        write_subject(subject, "Another subject")
    saved(subject)
    with pace.expect_response("**/schedule/") as answered:
        set_pace(pace, "9")
    assert answered.value.status == 200
    saved(pace)
    expect(pace.locator(CONFLICT)).to_be_empty()
    sqlite_session.rollback()
    sqlite_session.refresh(draft)
    assert (draft.batch_size, draft.content.subject) == (9, "Another subject")
