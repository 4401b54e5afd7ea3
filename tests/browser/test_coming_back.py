"""The sign-in ends while somebody works: a window asks for it, what was typed stays, and what was asked for goes on."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import PATIENCE_MS, Console
from tests.factories import NOW
from tests.workers import wait_until
from webapp.adapters.clock import now
from webapp.core import users
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.users import SignIn

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
TEXT = "<p>Hello {{ first_name }},</p>"


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    factories.client(sqlite_session, "zoe@example.com", first_name="Zoë")
    row = factories.broadcast(sqlite_session, subject="Maintenance", html=TEXT)
    sqlite_session.commit()
    return row


@pytest.fixture
def compose(page: Page, console: Console, sqlite_session: Session, draft: Broadcast) -> Page:
    """The compose page of somebody who came by its address and signed in with a password."""
    users.create(sqlite_session, EMAIL, PASSWORD, NOW)
    sqlite_session.commit()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{console.url}/mass-mail/{draft.id}/content/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/content/")
    page.locator("mail-editor[ready]").wait_for()
    # What the page still loads would otherwise be the first to hear that the sign-in has ended, and its window would take what is typed.
    page.wait_for_load_state("networkidle")
    return page


def end_sign_ins(session: Session) -> None:
    session.rollback()
    session.execute(delete(SignIn))
    session.commit()


def stored(session: Session, draft: Broadcast) -> tuple[str, str]:
    session.rollback()
    content = session.get_one(Broadcast, draft.id, populate_existing=True).content
    return content.subject, content.html


def name_of(session: Session, draft: Broadcast) -> str:
    session.rollback()
    return session.get_one(Broadcast, draft.id, populate_existing=True).name


def subject(page: Page):
    return page.get_by_role("textbox", name="Subject")


def window(page: Page):
    return page.get_by_role("dialog", name="Sign in to go on")


def sign_in(page: Page, password: str = PASSWORD) -> None:
    expect(window(page).get_by_label("E-mail")).to_have_value(EMAIL)
    expect(window(page).get_by_label("Password")).to_be_focused()
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_what_is_typed_stays_a_window_signs_in_and_the_save_goes_on(compose: Page, sqlite_session: Session, draft):
    end_sign_ins(sqlite_session)
    body = compose.get_by_role("textbox", name="Body")
    body.locator("p").click()
    compose.keyboard.press("End")
    compose.keyboard.type(" we move.")
    expect(window(compose)).to_be_visible()
    expect(compose.locator("#draft-saved")).to_have_text("Not saved")
    sign_in(compose, "wrong words")
    expect(window(compose)).to_contain_text("E-mail or password is wrong.")
    expect(window(compose).get_by_label("Password")).to_be_focused()
    sign_in(compose)
    expect(window(compose)).to_be_hidden()
    expect(compose.locator("#draft-saved")).to_contain_text("Saved")
    assert stored(sqlite_session, draft) == ("Maintenance", "<p>Hello {{ first_name }}, we move.</p>")
    expect(body).to_be_focused()
    compose.keyboard.type(" Tonight.")
    wait_until(lambda: "we move. Tonight." in stored(sqlite_session, draft)[1], 60, "saved on")


def test_who_goes_on_at_once_signs_in_and_is_then_where_they_wanted_to_be(
    compose: Page, sqlite_session: Session, draft
):
    end_sign_ins(sqlite_session)
    subject(compose).fill("Last words")
    compose.locator("#next").click()
    sign_in(compose)
    compose.wait_for_url("**/schedule/")
    assert stored(sqlite_session, draft)[0] == "Last words"


def test_who_does_not_want_to_sign_in_keeps_the_page_and_is_asked_again_when_they_type(
    compose: Page, sqlite_session: Session, draft
):
    end_sign_ins(sqlite_session)
    subject(compose).fill("One")
    window(compose).get_by_role("button", name="Not now").click()
    expect(compose.locator("#toasts")).to_contain_text("You are signed out")
    expect(subject(compose)).to_have_value("One")
    subject(compose).fill("Two")
    sign_in(compose)
    expect(compose.locator("#draft-saved")).to_contain_text("Saved")
    expect(compose.locator("#toasts")).not_to_contain_text("You are signed out")
    assert stored(sqlite_session, draft)[0] == "Two"


def test_who_signed_in_anew_in_another_tab_goes_on_without_a_question(
    compose: Page, console: Console, sqlite_session: Session, draft
):
    other = compose.context.new_page()
    other.goto(f"{console.url}/account/")
    other.get_by_role("button", name="Sign out", exact=True).click()
    other.get_by_label("E-mail").fill(EMAIL)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/mass-mail/")
    other.close()
    subject(compose).fill("Still here")
    expect(compose.locator("#draft-saved")).to_contain_text("Saved")
    wait_until(lambda: stored(sqlite_session, draft)[0] == "Still here", 60, "saved")
    expect(window(compose)).to_be_hidden()
    compose.locator("#next").click()
    compose.wait_for_url("**/schedule/")


def test_a_name_and_a_step_saved_while_signed_out_are_saved_after_it(compose: Page, sqlite_session: Session, draft):
    end_sign_ins(sqlite_session)
    name = compose.get_by_label("Name of this mass mail")
    name.fill("Hosts move")
    name.press("Enter")
    sign_in(compose)
    wait_until(lambda: name_of(sqlite_session, draft) == "Hosts move", 60, "named")


def test_a_form_that_is_sent_as_a_page_is_kept_and_sent_with_one_press(
    compose: Page, console: Console, sqlite_session: Session
):
    compose.goto(f"{console.url}/settings/sending")
    form = compose.locator("form", has=compose.get_by_label("Name", exact=True)).first
    form.get_by_label("Name", exact=True).fill("Night Desk")
    form.get_by_label("Address", exact=False).first.fill("night@example.com")
    end_sign_ins(sqlite_session)
    form.get_by_role("button").first.click()
    compose.get_by_label("E-mail").fill(EMAIL)
    compose.get_by_label("Password").fill(PASSWORD)
    compose.get_by_role("button", name="Sign in").click()
    compose.get_by_role("button", name="Send it now").click()
    expect(compose.get_by_text("night@example.com").first).to_be_visible()


def test_who_has_only_a_link_signs_in_with_it_in_another_tab_and_returns(
    compose: Page, console: Console, sqlite_session: Session, draft
):
    end_sign_ins(sqlite_session)
    subject(compose).fill("By a link")
    expect(window(compose)).to_be_visible()
    token = users.make_link(sqlite_session, users.by_email(sqlite_session, EMAIL).id, now())
    sqlite_session.commit()
    other = compose.context.new_page()
    other.goto(f"{console.url}/sign-in/link/#{token}")
    other.get_by_role("main").get_by_role("button").click()
    other.wait_for_url("**/mass-mail/")
    other.close()
    compose.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(window(compose)).to_be_hidden()
    expect(compose.locator("#draft-saved")).to_contain_text("Saved")
    assert stored(sqlite_session, draft)[0] == "By a link"
