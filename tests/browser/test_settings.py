"""The settings in a real browser: refused limits, and two administrators at once."""

from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests.consoles import Console
from tests.looks import Looker
from webapp.core.settings import limits


def test_limits_changed_by_two_are_shown_side_by_side_to_decide(
    console: Console, console_page: Page, sqlite_session: Session, looker: Looker
):
    page, other = console_page, console_page.context.new_page()
    for tab in (page, other):
        tab.goto(f"{console.url}/settings/sending")
    other.get_by_label("Mails a second").fill("7")
    other.get_by_role("button", name="Set limits").click()
    expect(other.locator("#toasts")).to_contain_text("The limits are set")
    other.close()

    page.get_by_label("Mails a second").fill("50")
    page.get_by_label("Relay connections").fill("20")
    page.get_by_role("button", name="Set limits").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has set other limits")
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.get_by_label("Mails a second")).to_have_value("50")
    expect(page.get_by_label("Mails a second")).to_have_accessible_description("In force now: 7.")
    looker.complaints = [one for one in looker.complaints if "409" not in one]
    looker.look("limits-conflict", whole=True)
    sqlite_session.rollback()
    assert limits.read(sqlite_session).per_second == 7

    page.get_by_role("button", name="Set mine").click()
    expect(page.locator("#toasts")).to_contain_text("The limits are set")
    sqlite_session.rollback()
    assert (limits.read(sqlite_session).per_second, limits.read(sqlite_session).connections) == (50, 20)


def test_the_cursor_is_in_the_limit_that_was_refused(console: Console, console_page: Page):
    console_page.goto(f"{console.url}/settings/sending")
    console_page.get_by_label("Mails in 24 hours").fill("99999999999999")
    console_page.get_by_role("button", name="Set limits").click()
    expect(console_page.get_by_label("Mails in 24 hours")).to_be_focused()
    expect(console_page.get_by_label("Mails in 24 hours")).to_be_in_viewport()
