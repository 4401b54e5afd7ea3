"""A whole mail, with a table, a picture, a button, an attachment and a second language: made by the keyboard alone, and by the mouse."""

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.browser.compose_page import AT_REST, body, expect_source, mail, saved, subject
from tests.browser.test_pictures import png
from webapp.core.content.languages import content_of
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.media import Attachment

MOST_STOPS = 250
"""More stops of the Tab key than the page has: what is not met within these cannot be reached."""

PICTURE = {"name": "hall.png", "mimeType": "image/png", "buffer": png("navy")}
PLAN = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"Thursday, 22:00\n"}


def tab_to(page: Page, target: Locator) -> None:
    """Go to an element as somebody does who has no mouse."""
    for _ in range(MOST_STOPS):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {target}")


def choose_block(page: Page, name: str) -> None:
    page.keyboard.type(f"/{name}")
    expect(page.get_by_role("listbox", name="Blocks")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox", name="Blocks")).to_be_hidden()


def expect_whole(page: Page, session: Session, draft: Broadcast) -> None:
    """What was made is stored, and the preview shows it as a mail."""
    seen = mail(page)
    expect(seen.get_by_role("columnheader", name="When")).to_be_visible()
    expect(seen.get_by_role("img", name="The new hall")).to_be_visible()
    expect(seen.get_by_role("link", name="Read the plan")).to_have_attribute("href", "https://example.com/plan")
    session.rollback()
    session.expire_all()
    row = session.get_one(Broadcast, draft.id)
    assert (row.content.subject, content_of(row, "de").subject) == ("We move on Thursday", "Umzug am Donnerstag")
    names = session.scalars(select(Attachment.name).where(Attachment.content_id == row.content.id)).all()
    assert names == ["plan.txt"]


def test_it_is_made_by_the_keyboard_alone(compose: Page, sqlite_session: Session, draft: Broadcast):
    page, keys = compose, compose.keyboard
    tab_to(page, subject(page))
    keys.press("ControlOrMeta+a")
    keys.type("We move on Thursday")
    tab_to(page, body(page))
    keys.press("ControlOrMeta+a")
    keys.type("Hello")
    for words in ("Here is when:", "Regards"):
        keys.press("Enter")
        keys.type(words)
    keys.press("ArrowUp")
    keys.press("End")
    page.evaluate(AT_REST)
    keys.press("Enter")
    choose_block(page, "table")
    for words in ("When", "What", "How long", "22:00", "Mail", "5 min"):
        keys.type(words)
        keys.press("Tab")
    expect_source(page, has="<td>22:00</td><td>Mail</td><td>5 min</td>")
    keys.press("ControlOrMeta+End")
    page.evaluate(AT_REST)
    keys.press("Enter")
    choose_block(page, "button")
    expect(page.get_by_role("form", name="Button")).to_be_visible()
    keys.type("Read the plan")
    keys.press("Tab")
    keys.type("https://example.com/plan")
    keys.press("Enter")
    expect(page.get_by_role("form", name="Button")).to_be_hidden()
    keys.press("ControlOrMeta+Home")
    page.evaluate(AT_REST)
    keys.press("End")
    keys.press("Enter")
    choose_block(page, "picture")
    form = page.get_by_role("form", name="Picture")
    expect(form).to_be_visible()
    tab_to(page, form.get_by_label("A picture from this computer"))
    with page.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files(PICTURE)
    expect(form.get_by_label("In words")).to_be_focused()
    keys.type("The new hall")
    keys.press("Enter")
    expect(form).to_be_hidden()
    saved(page)
    files = page.get_by_label("Files to attach")
    tab_to(page, files)
    with page.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files(PLAN)
    tab_to(page, page.get_by_role("button", name="Attach for everybody"))
    keys.press("Enter")
    expect(page.get_by_role("link", name="plan.txt")).to_be_visible()
    tab_to(page, page.locator("#languages .dropdown > summary"))
    keys.press("Enter")
    tab_to(page, page.locator("#language-other"))
    keys.type("German")
    keys.press("Enter")
    expect(page.get_by_role("link", name="German")).to_have_attribute("aria-current", "page")
    page.locator("mail-editor[ready]").wait_for()
    tab_to(page, subject(page))
    keys.press("ControlOrMeta+a")
    keys.type("Umzug am Donnerstag")
    saved(page)
    expect(page.locator(".preview-subject")).to_have_text("Umzug am Donnerstag")
    expect_whole(page, sqlite_session, draft)


def test_it_is_made_by_the_mouse(compose: Page, sqlite_session: Session, draft: Broadcast):
    page, tools = compose, compose.get_by_role("toolbar", name="Formatting")
    subject(page).click(click_count=3)
    page.keyboard.insert_text("We move on Thursday")
    for name in ("Table", "Button", "Picture"):
        body(page).locator("p").last.click()
        page.evaluate(AT_REST)
        tools.get_by_role("button", name="Insert a block").click()
        page.get_by_role("listbox", name="Blocks").get_by_role("option", name=name, exact=True).click()
        if name == "Table":
            for cell, words in enumerate(("When", "What", "How long")):
                body(page).get_by_role("columnheader").nth(cell).click()
                page.keyboard.insert_text(words)
            continue
        form = page.get_by_role("form", name=name)
        expect(form).to_be_visible()
        if name == "Button":
            form.get_by_label("Text on the button").fill("Read the plan")
            form.get_by_label("Leads to").fill("https://example.com/plan")
        else:
            form.get_by_label("A picture from this computer").set_input_files(PICTURE)
            expect(form.get_by_label("In words")).to_be_focused()
            form.get_by_label("In words").fill("The new hall")
        form.get_by_role("button", name=f"Set {name.lower()}").click()
        expect(form).to_be_hidden()
    saved(page)
    card = page.locator("#attachments")
    card.get_by_label("Files to attach").set_input_files(PLAN)
    card.get_by_role("button", name="Attach for everybody").click()
    expect(card.get_by_role("link", name="plan.txt")).to_be_visible()
    page.locator("#languages .dropdown > summary").click()
    page.locator("#language-other").fill("German")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("link", name="German")).to_have_attribute("aria-current", "page")
    page.locator("mail-editor[ready]").wait_for()
    subject(page).click(click_count=3)
    page.keyboard.insert_text("Umzug am Donnerstag")
    saved(page)
    expect(page.locator(".preview-subject")).to_have_text("Umzug am Donnerstag")
    expect_whole(page, sqlite_session, draft)
