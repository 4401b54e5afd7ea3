"""The compose page in a real browser: how it is opened, and where its parts are."""

import re

from playwright.sync_api import Page, expect

from tests.consoles import Console
from webapp.core.tables.broadcasts import Broadcast

HTML = '<p>Hello {{ first_name | default: "there" }},</p>\n<p>we move the hosts.</p>'


def open_draft(page: Page, console: Console, draft: Broadcast) -> None:
    page.goto(f"{console.url}/mass-mail/{draft.id}/content/")
    page.locator("mail-editor[ready]").wait_for()


def expect_source(page: Page, *, ends: str = "", has: str = "", starts: str = "") -> None:
    """What the textarea says, which is what is saved."""
    pattern = rf"^{re.escape(starts)}.*{re.escape(has)}.*{re.escape(ends)}$"
    expect(page.locator("#html")).to_have_value(re.compile(pattern, re.DOTALL))


def body(page: Page):
    return page.get_by_role("textbox", name="Body")


def open_sender(page: Page) -> None:
    """Show who the mail is from and where answers go, where a line says it only."""
    if page.locator("#sender").get_attribute("open") is None:
        # By keys: a click at the place of the last one, on a page that has only just come, is taken for that one's second half.
        page.locator("#sender > summary").press("Enter")


def subject(page: Page):
    return page.get_by_role("textbox", name="Subject")


def mail(page: Page):
    """What the preview's frame shows."""
    return page.frame_locator("mail-preview > iframe:not([data-coming])").locator("body")


def saved(page: Page) -> None:
    expect(page.locator("#draft-saved")).to_contain_text("Saved")


AT_REST = """() => new Promise((done) => {
    let timer = setTimeout(done, 120);
    document.addEventListener("selectionchange", () => { clearTimeout(timer); timer = setTimeout(done, 120); });
})"""
"""The selection has not moved for a while: the editor takes it over from the browser, and back, a moment after focus and keys."""


def cursor_to_end_of_line(page: Page, line: int) -> None:
    body(page).locator("p").nth(line).click(position={"x": 2, "y": 5})
    page.evaluate(AT_REST)
    page.keyboard.press("End")
    page.evaluate(AT_REST)
