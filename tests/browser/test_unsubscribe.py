"""The pages of a mail's own links, in a browser without scripts; and without fault for those who cannot see them."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from tests import engine
from tests.consoles import Console
from tests.core.consent.consent_world import marketing, token_of, topic


@pytest.fixture
def address(console: Console, sqlite_session: Session) -> str:
    """Where the link of a mail leads."""
    topic(sqlite_session, "Events", description="Where we will be.")
    broadcast = marketing(sqlite_session, 1)
    return f"{console.url}/unsubscribe/{token_of(sqlite_session, engine.rows(sqlite_session, broadcast)[0].id)}?lang=en"


def unsubscribed(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Unsubscribe from all offers and news").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()


def test_one_button_declines_and_one_takes_it_back_without_a_script(browser: Browser, address: str):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        unsubscribed(page, address)
        page.get_by_role("button", name="Undo: subscribe again").click()
        expect(page.get_by_text("This was undone")).to_be_visible()
        page.get_by_label("Events").uncheck()
        page.get_by_role("button", name="Keep this choice").click()
        expect(page.get_by_text("Your choice is kept.")).to_be_visible()
        expect(page.get_by_label("Events")).not_to_be_checked()
        assert context.cookies() == []


def test_everybody_can_read_it(browser: Browser, console: Console, address: str):
    with browser.new_context(bypass_csp=True, viewport={"width": 390, "height": 800}) as context:
        page = context.new_page()
        page.goto(address)
        seen = [Axe().run(page)]
        unsubscribed(page, address)
        seen.append(Axe().run(page))
        page.emulate_media(color_scheme="dark")
        for place in (address, address.replace("unsubscribe/", "preferences/"), f"{console.url}/view/x"):
            page.goto(place)
            seen.append(Axe().run(page))
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert [one.violations_count for one in seen] == [0] * 5, [one.generate_report() for one in seen]
