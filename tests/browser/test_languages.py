"""A message in several languages in a real browser: written in one, translated in another, each saved for itself."""

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.browser.compose_page import body, mail, open_draft, saved, subject
from tests.consoles import Console, bring_sign_in
from tests.looks import Looker
from webapp.core.content.languages import content_of
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast


@pytest.fixture
def multilingual(sqlite_session: Session) -> Broadcast:
    """A draft in English to clients of four languages."""
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    for name, language in (("Ada", "en"), ("Ben", "de"), ("Carl", "de-AT"), ("Ali", "ar"), ("Dot", None)):
        factories.client(sqlite_session, first_name=name, language=language)
    html = "<p>Hello {{ first_name }},</p>\n<p>we move the hosts.</p>"
    row = factories.broadcast(sqlite_session, subject="Maintenance", html=html)
    sqlite_session.commit()
    return row


def add_text(page: Page, name: str) -> None:
    page.get_by_text("Language", exact=False).and_(page.locator(".dropdown > summary")).click()
    page.get_by_label("any other").fill(name)
    page.get_by_role("button", name="Add it").click()
    page.locator("mail-editor[ready]").wait_for()


def test_a_translation_is_written_beside_its_original(
    browser_client: FlaskClient,
    console: Console,
    page: Page,
    looker: Looker,
    sqlite_session: Session,
    multilingual: Broadcast,
):
    bring_sign_in(browser_client, console, page)
    open_draft(page, console, multilingual)
    expect(mail(page)).to_contain_text("Hello Ada")
    add_text(page, "German")
    expect(page.get_by_role("link", name="German 2")).to_have_attribute("aria-current", "page")
    subject(page).fill("Wartung")
    saved(page)
    add_text(page, "ar")  # what is typed in one tab is saved before another comes
    expect(page.locator("#original")).to_contain_text("we move the hosts.")
    body(page).click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("مرحبا {{ first_name }}")
    saved(page)
    expect(mail(page)).to_contain_text("مرحبا")
    assert body(page).evaluate("node => getComputedStyle(node).direction") == "rtl"
    looker.look("languages-arabic", whole=True)
    page.get_by_role("button", name="Fall back to English").click()
    expect(page.get_by_role("button", name="Fall back to English")).to_have_attribute("aria-pressed", "true")

    page.get_by_role("link", name="English").first.click()
    page.locator("mail-editor[ready]").wait_for()
    expect(mail(page)).to_contain_text("we move the hosts.")
    body(page).locator("p").last.click()
    page.keyboard.press("End")
    page.keyboard.type(" Tonight.")
    saved(page)
    page.get_by_role("link", name="German 2").click()
    expect(page.locator("#original mark")).to_contain_text("Tonight.")
    expect(mail(page)).to_contain_text("we move the hosts.")
    page.get_by_text("Languages").and_(page.locator(".dropdown > summary")).click()
    looker.look("languages-german", whole=True)
    sqlite_session.expire_all()
    sqlite_session.rollback()
    row = sqlite_session.get_one(Broadcast, multilingual.id)
    assert (row.content.subject, content_of(row, "de").subject) == ("Maintenance", "Wartung")
    assert "مرحبا" in content_of(row, "ar").html and "Tonight" not in content_of(row, "de").html
