"""Blocks in the design view: put in by the slash list, written in, moved by keys and by mouse, and pasted from elsewhere."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.compose_page import body, cursor_to_end_of_line, expect_source, mail, saved


def test_blocks_are_put_in_written_in_and_moved_without_a_mouse(compose: Page):
    page, keys = compose, compose.keyboard
    offers = page.get_by_role("listbox", name="Blocks")
    cursor_to_end_of_line(page, 1)
    keys.press("Enter")
    keys.type("/tab")
    expect(offers.get_by_role("option")).to_have_count(1)
    expect(body(page)).to_have_attribute("aria-activedescendant", "offer-table")
    keys.press("Enter")
    expect(offers).to_be_hidden()
    for word in ("Service", "Until", "Price"):
        keys.type(word)
        keys.press("Tab")
    keys.type("Hosting")
    expect_source(page, has="<tr><th>Service</th><th>Until</th><th>Price</th></tr>\n<tr><td>Hosting</td><td></td>")
    keys.press("Alt+ArrowUp")
    expect(page.locator("[data-part=told]")).to_have_text("Moved to place 2 of 4")
    expect_source(page, has="</table>\n<p>we move the hosts.</p>")
    keys.press("Alt+ArrowDown")
    expect_source(page, has="<p>we move the hosts.</p>\n<table")
    page.get_by_role("button", name="Table").click()
    page.get_by_role("group", name="Table").get_by_role("button", name="Delete the column").click()
    expect_source(page, has="<tr><th>Until</th><th>Price</th></tr>")
    cursor_to_end_of_line(page, -1)
    keys.type("/two")
    keys.press("Enter")
    keys.type("Left")
    keys.press("ControlOrMeta+u")
    keys.type("most")
    expect_source(
        page,
        has='<div data-column="">\n<p>Left<u>most</u></p>\n</div>\n<div data-column="">\n<p><br></p>\n</div>\n</div>',
    )
    keys.type(" /")
    expect(offers.get_by_role("option").first).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    keys.press("ArrowDown")
    expect(body(page)).to_have_attribute("aria-activedescendant", "offer-heading1")
    keys.press("Escape")
    expect(offers).to_be_hidden()
    expect_source(page, has="<p>Left<u>most /</u></p>")
    keys.press("ControlOrMeta+Shift+Backspace")
    expect_source(page, has='<div data-column="">\n<p><br></p>\n</div>\n<div data-column="">')
    keys.press("ControlOrMeta+z")
    expect_source(page, has="<u>most /</u>")
    saved(page)
    expect(mail(page).locator(".b-column")).to_have_count(2)
    expect(mail(page).get_by_role("columnheader", name="Price")).to_be_visible()


def test_a_block_is_dragged_by_its_handle_and_links_are_asked_for(compose: Page):
    page, keys = compose, compose.keyboard
    blocks = body(page).locator("> *")
    blocks.last.hover()
    handle = page.locator(".block-handle")
    expect(handle).to_be_visible()
    handle.drag_to(blocks.first, target_position={"x": 3, "y": 2})
    expect_source(page, starts="<p>we move the hosts.</p>\n<p>Hello ")
    blocks.first.hover()
    handle.click()
    menu = page.get_by_role("group", name="This block")
    expect(menu.get_by_role("button", name="Move up")).to_be_focused()
    menu.get_by_role("button", name="Duplicate").click()
    expect_source(page, starts="<p>we move the hosts.</p>\n<p>we move the hosts.</p>\n")
    cursor_to_end_of_line(page, 2)
    page.get_by_role("button", name="Insert a block").click()
    expect(page.get_by_role("listbox", name="Blocks")).to_be_visible()
    keys.type("linkedin")
    keys.press("Enter")
    form = page.get_by_role("form", name="Social links")
    expect(form).to_be_visible()
    form.get_by_label("LinkedIn").fill("linkedin.com/in/example")
    form.get_by_role("button", name="Set links").click()
    expect_source(page, has='<li><a href="https://linkedin.com/in/example">LinkedIn</a></li>')
    cursor_to_end_of_line(page, 3)
    keys.type("/service l")
    keys.press("Enter")
    expect_source(
        page, has="<tr><td>{% for service in services %}{{ service.product }}</td><td>{{ service.due_date }}</td>"
    )
    page.locator("mail-editor").get_by_text("HTML", exact=True).click()
    page.locator("mail-editor").get_by_text("Design", exact=True).click()
    expect(body(page).get_by_role("img", name="Links to LinkedIn")).to_be_visible()
    blocks.first.click()
    keys.press("ControlOrMeta+a")
    page.get_by_role("toolbar").get_by_role("button", name="Colour").click()
    page.get_by_role("group", name="Colour of the words").get_by_role("button", name="Green").click()
    page.get_by_role("toolbar").get_by_role("button", name="Alignment").click()
    page.get_by_role("group", name="Alignment").get_by_role("button", name="Centred").click()
    expect_source(page, starts='<p class="align-center"><span class="colour-green">we move the hosts.</span></p>')
    saved(page)
    expect(mail(page).get_by_role("columnheader", name="Due")).to_be_visible()
    expect(mail(page).locator("p").first).to_have_css("text-align", "center")
