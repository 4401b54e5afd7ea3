"""What opens over a page: palette, menus, popovers and dialogs, open, as assistive technology finds them."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import delete
from sqlalchemy.orm import Session

from tests import factories
from tests.browser.compose_page import body, cursor_to_end_of_line, subject
from tests.consoles import Console
from tests.looks import RULES
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.users import SignIn

BRACES = "{{"


def palette(page: Page) -> None:
    subject(page).press_sequentially(BRACES)
    expect(page.get_by_role("dialog", name="Insert a tag")).to_be_visible()


def palette_without_a_find(page: Page) -> None:
    palette(page)
    page.keyboard.type("no such tag")
    expect(page.get_by_text("No tag of this message is called that.")).to_be_visible()


def palette_in_a_form(page: Page) -> None:
    tool("Link")(page)
    page.locator("#link-href").press_sequentially(BRACES)
    expect(page.get_by_role("dialog", name="Insert a tag")).to_be_visible()


def tool(name: str) -> Callable[[Page], None]:
    def press(page: Page) -> None:
        cursor_to_end_of_line(page, 1)
        page.get_by_role("toolbar").get_by_role("button", name=name, exact=True).click()
        expect(page.locator(":popover-open")).to_have_count(1)

    return press


def tag(page: Page) -> None:
    body(page).locator(".tag").first.click()
    expect(page.get_by_role("form", name="Tag", exact=True).get_by_label("Where it is empty, write")).to_be_focused()


def person_search(page: Page) -> None:
    page.get_by_title("Choose another recipient").click()
    expect(page.locator("#people")).to_contain_text("Zoë Oster")


def send_a_test(page: Page) -> None:
    page.get_by_role("link", name="Send a test").click()
    expect(page.get_by_role("dialog", name="Send a test")).to_be_visible()


def text_part(page: Page) -> None:
    page.get_by_text("Plain text part").click()
    page.get_by_label("Write it by hand").check()


def menu_of_the_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


OPEN = {
    "palette": palette,
    "palette, nothing found": palette_without_a_find,
    "palette in a form": palette_in_a_form,
    "headings": tool("Heading"),
    "link": tool("Link"),
    "button": tool("Button"),
    "picture": tool("Picture"),
    "tag": tag,
    "person": person_search,
    "test": send_a_test,
    "text part": text_part,
    "menu": menu_of_the_phone,
}


def demand_none(page: Page) -> None:
    """No violation in either theme."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"


@pytest.mark.parametrize("name", OPEN)
def test_nothing_is_wrong_with_what_opens_on_the_compose_page(compose: Page, name: str):
    OPEN[name](compose)
    demand_none(compose)


def test_nothing_is_wrong_with_the_window_that_signs_in(compose: Page, sqlite_session: Session):
    sqlite_session.execute(delete(SignIn))
    sqlite_session.commit()
    subject(compose).fill("Later")
    window = compose.get_by_role("dialog", name="Sign in to go on")
    expect(window).to_be_visible()
    demand_none(compose)
    window.get_by_label("E-mail").fill("ada@example.org")
    window.get_by_label("Password").fill("wrong words")
    window.get_by_role("button", name="Sign in").click()
    expect(window).to_contain_text("E-mail or password is wrong.")
    demand_none(compose)


def test_nothing_is_wrong_with_what_opens_elsewhere(
    compose: Page, console: Console, sqlite_session: Session, draft: Broadcast
):
    for code in ("AT", "BE", "CH", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IT", "NL", "NO", "PL"):
        factories.client(sqlite_session, country=code)
    sqlite_session.commit()
    compose.goto(f"{console.url}/mass-mail/")
    compose.get_by_role("button", name="Actions for").click()
    expect(compose.locator(":popover-open")).to_have_count(1)
    demand_none(compose)
    compose.locator(":popover-open").get_by_role("button", name="Delete").or_(
        compose.locator(":popover-open").get_by_role("link", name="Delete")
    ).first.click()
    expect(compose.get_by_role("dialog", name="Delete this draft?")).to_be_visible()
    demand_none(compose)
    compose.goto(f"{console.url}/settings/sending")
    compose.get_by_role("button", name="Remove support@example.com").click()
    expect(compose.get_by_role("dialog")).to_be_visible()
    demand_none(compose)
    compose.goto(f"{console.url}/mass-mail/{draft.id}/audience/")
    compose.get_by_role("button", name="add a country").click()
    expect(compose.locator(":popover-open")).to_have_count(1)
    demand_none(compose)
