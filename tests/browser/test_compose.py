"""Composing in a real browser: the editor, the palette of tags, saving while typing, and the preview."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests.browser.compose_page import (
    HTML,
    body,
    cursor_to_end_of_line,
    expect_source,
    mail,
    open_draft,
    saved,
    subject,
)
from tests.consoles import Console
from webapp.core.tables.broadcasts import Broadcast


def test_what_is_typed_is_saved_and_shown_without_losing_the_place(compose: Page, sqlite_session: Session, draft):
    expect(mail(compose)).to_contain_text("Hello Ada")
    cursor_to_end_of_line(compose, 1)
    compose.keyboard.type(" Tonight.")
    expect(mail(compose)).to_contain_text("we move the hosts. Tonight.")
    saved(compose)
    expect(body(compose)).to_be_focused()
    sqlite_session.rollback()
    assert sqlite_session.get_one(Broadcast, draft.id).content.html == HTML.replace("hosts.", "hosts. Tonight.")


def test_the_preview_changes_behind_the_scenes_and_keeps_its_scroll_position(compose: Page):
    cursor_to_end_of_line(compose, 1)
    for number in range(30):
        compose.keyboard.press("Enter")
        compose.keyboard.insert_text(f"Line {number}")
    expect(mail(compose)).to_contain_text("Line 29")
    scrolled = "frame => frame.contentWindow.scrollY"
    frame = compose.locator("mail-preview > iframe:not([data-coming])")
    frame.evaluate("frame => frame.contentWindow.scrollTo(0, 150)")
    compose.evaluate(
        """() => { window.gaps = 0; new MutationObserver(() => {
            if (!document.querySelector("mail-preview > iframe:not([data-coming])")) window.gaps += 1;
        }).observe(document.querySelector("mail-preview"), { childList: true, attributes: true, subtree: true }) }"""
    )
    compose.keyboard.type("!")
    expect(mail(compose)).to_contain_text("Line 29!")
    assert frame.evaluate(scrolled) == 150
    assert compose.evaluate("window.gaps") == 0, "there was a moment without a mail"


def test_a_typed_tag_becomes_a_chip_and_its_default_is_edited_with_the_keyboard(compose: Page):
    cursor_to_end_of_line(compose, 1)
    compose.keyboard.type(" {{ company }}")
    chip = body(compose).locator(".tag", has_text="company")
    expect(chip).to_have_attribute("aria-label", "Tag company")
    compose.keyboard.press("ArrowLeft")
    expect(chip).to_have_class("tag ProseMirror-selectednode")
    compose.keyboard.press("Enter")
    expect(compose.get_by_role("form", name="Tag", exact=True).get_by_label("Where it is empty, write")).to_be_focused()
    compose.keyboard.type('your "firm"')
    compose.keyboard.press("Enter")
    expect(chip).to_have_text("company · “your “firm””")
    expect_source(compose, ends='<p>we move the hosts. {{ company | default: "your “firm”" }}</p>')
    compose.keyboard.type(".")
    expect_source(compose, ends="}}.</p>")
    for _ in range(3):
        compose.keyboard.press("ControlOrMeta+z")
    expect(chip).to_have_count(0)


def test_tags_are_inserted_where_the_cursor_last_was(compose: Page):
    palette = compose.get_by_role("dialog", name="Insert a tag")
    subject(compose).press("End")
    compose.keyboard.type(" for {{")
    expect(palette.get_by_role("combobox")).to_be_focused()
    compose.keyboard.type("last")
    compose.keyboard.press("Enter")
    expect(subject(compose)).to_have_value("Maintenance for {{ last_name }}")
    expect(subject(compose)).to_be_focused()

    cursor_to_end_of_line(compose, 1)
    compose.keyboard.press("ControlOrMeta+/")
    compose.keyboard.press("ArrowDown")
    compose.keyboard.press("Enter")
    expect(body(compose).locator("p").nth(1).locator(".tag")).to_have_text("last_name")
    compose.get_by_role("button", name="Insert tag", exact=True).click()
    palette.get_by_role("option", name="Country").click()
    expect_source(compose, ends="hosts.{{ last_name }}{{ country }}</p>")
    compose.keyboard.type("{{")
    expect(palette).to_be_visible()
    compose.keyboard.press("Escape")
    expect(body(compose)).to_be_focused()
    expect(compose.get_by_text("This tag is not closed")).to_be_visible()


def test_an_unknown_tag_stops_the_preview_and_is_mended_with_one_press(compose: Page):
    cursor_to_end_of_line(compose, 1)
    compose.keyboard.insert_text(" {{ frist_name | default: 'you' }}")
    expect(compose.get_by_text("There is no tag frist_name. Did you mean first_name?")).to_be_visible()
    expect(mail(compose)).to_contain_text("we move the hosts.")
    expect(compose.locator("mail-preview")).to_have_css("opacity", "0.4")
    compose.get_by_role("button", name="Show").click()
    expect(body(compose).locator(".ProseMirror-selectednode")).to_contain_text("frist_name")
    compose.get_by_role("button", name="Use first_name").click()
    expect(compose.locator(".problems")).to_have_count(0)
    expect(mail(compose)).to_contain_text("we move the hosts. Ada")
    expect_source(compose, has="{{ first_name | default: 'you' }}")


KEPT = (
    "",
    "<p>Hello</p>\n\n<p>to <b>you</b> &amp; <i>me</i>: 1 &lt; 2&nbsp;!</p>",
    "Just words with {{ first_name }}",
    "<ul><li>one</li><li>two<ul><li>deep</li></ul></li></ul><ol start=3><li><p>three</p></li></ol>",
    "<h1>A</h1><h2>B</h2><hr><blockquote><p>said</p></blockquote><p><br></p><p>a<br>b</p>",
    '<p><a href="https://example.com/?c={{ client_id }}" target="_blank">x</a> <u>u</u> <s>s</s></p>',
    '<p class="button"><a href="https://example.com/{{ client_id }}">Go, {{ first_name }}</a></p>',
    "<p>{% if company %}Dear {{ company }}{% else %}Hi{% endif %} {{ first_name | upcase }}</p>",
    "{% if company %}<p>x</p>{% endif %}",
)
FOREIGN = {
    "<table><tr><td>{{ first_name }}</td></tr></table>": "a table",
    '<p style="color: red">x</p>': "inline styles",
    "<!doctype html><html><body><p>x</p></body></html>": "a whole document",
    "<style>p { color: red }</style><p>x</p>": "a style sheet",
    "<p>x</p><!-- note -->": "comments",
    "<div><p>x</p></div>": "layout boxes",
    '<p class="lead">x</p>': "attributes of <p>",
    "<h5>x</h5>": "<h5>",
    '<p class="button"><a href="/x">a</a> and more</p>': "some of its structure",
}


def test_html_is_designed_where_nothing_gets_lost_and_else_stays_as_it_is(compose: Page):
    load = """(editor, html) => { editor.source(); editor.textarea.value = html; editor.design();
        return [editor.mode, editor.textarea.value, editor.querySelector("[data-notice=kept]:not([hidden])")?.innerText ?? ""] }"""
    editor = compose.locator("mail-editor")
    for html in KEPT:
        assert editor.evaluate(load, html)[:2] == ["design", html]
    for html, word in FOREIGN.items():
        mode, value, notice = editor.evaluate(load, html)
        assert (mode, value) == ("source", html)
        assert f"holds {word}" in notice


def test_foreign_html_can_be_simplified_and_brought_back(compose: Page):
    foreign = '<table><tr><td style="color: red">Hello {{ first_name }}</td></tr></table>'
    compose.get_by_role("radio", name="HTML").check()
    compose.locator("#html").fill(foreign)
    compose.get_by_role("radio", name="Design").click()
    compose.get_by_role("button", name="Simplify it and edit as design").click()
    expect(body(compose).locator(".tag")).to_have_text("first_name")
    expect(compose.locator("#html")).to_have_value("<p>Hello {{ first_name }}</p>")
    compose.locator(".editor-notice").get_by_role("button", name="Undo").click()
    expect(compose.locator("#html")).to_have_value(foreign)
    saved(compose)


def test_links_buttons_and_headings_are_made_with_the_toolbar_and_keys(compose: Page):
    cursor_to_end_of_line(compose, 1)
    compose.keyboard.press("ControlOrMeta+k")
    compose.keyboard.type("our page")
    compose.keyboard.press("Tab")
    compose.keyboard.type("example.com")
    compose.keyboard.press("Enter")
    expect_source(compose, ends='hosts.<a href="https://example.com">our page</a></p>')
    compose.keyboard.press("Enter")
    compose.keyboard.press("Alt+F10")
    expect(compose.get_by_role("button", name="Bold")).to_be_focused()
    compose.keyboard.press("ArrowLeft")
    expect(compose.get_by_role("button", name="Redo")).to_be_focused()
    compose.get_by_role("button", name="Button", exact=True).click()
    compose.get_by_label("Text on the button").fill("Choose")
    compose.get_by_label("Leads to").last.fill("https://example.com/choose")
    compose.keyboard.press("Enter")
    expect_source(compose, has='<p class="button"><a href="https://example.com/choose">Choose</a></p>')
    body(compose).locator("p").first.click(position={"x": 2, "y": 5})
    compose.get_by_role("button", name="Heading", exact=True).click()
    compose.get_by_role("button", name="Title").click()
    expect_source(compose, starts="<h1>Hello {{")
    expect(mail(compose).locator("a", has_text="Choose")).to_have_css("background-color", "rgb(11, 58, 117)")


def test_the_editor_survives_being_moved_and_replaced(compose: Page):
    compose.evaluate("() => { const e = document.querySelector('mail-editor'); e.parentElement.append(e) }")
    compose.locator("mail-editor[ready]").wait_for()
    expect(body(compose)).to_have_count(1)
    expect(compose.get_by_role("toolbar")).to_have_count(1)
    compose.evaluate(
        """async () => { const page = await (await fetch(location.href)).text();
            const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("mail-editor").outerHTML;
            htmx.swap(document.querySelector("mail-editor"), fresh, { swapStyle: "outerHTML" }) }"""
    )
    compose.locator("mail-editor[ready]").wait_for()
    expect(body(compose)).to_have_count(1)
    expect(compose.locator("[data-part=bubbles]")).to_have_count(1)


WORD = (
    '<p class=MsoNormal>Dear clients,<img width=9 src="file:///C:/clip_image001.png"><img src=cid:image001.png@01D></p>'
    '<p class=MsoNormal><a href="file:///C:/terms.docx">our terms</a>, <a href="https://example.com/">our page</a> '
    '<img src="https://example.com/logo.png" alt="logo"></p>'
)


def test_what_no_mail_takes_along_is_not_pasted(compose: Page):
    body(compose).click()
    compose.keyboard.press("Control+A")
    compose.evaluate(
        """(html) => { const data = new DataTransfer(); data.setData("text/html", html);
            const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
            document.activeElement.dispatchEvent(paste) }""",
        WORD,
    )
    expect_source(compose, has="<p>Dear clients,</p>")
    expect_source(
        compose,
        has='<p>our terms, <a href="https://example.com/">our page</a></p>',
    )


@pytest.mark.parametrize("width", [320, 360])
def test_on_a_narrow_phone_every_tool_can_be_reached_and_the_page_is_not_wider(compose: Page, width: int):
    compose.set_viewport_size({"width": width, "height": 800})
    tools = compose.get_by_role("toolbar").get_by_role("button")
    for tool in (tools.first, tools.last):
        tool.scroll_into_view_if_needed()
        expect(tool).to_be_in_viewport(ratio=1)
    assert compose.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_draft_without_a_name_is_called_by_its_subject_as_it_is_typed(compose: Page, sqlite_session: Session, draft):
    draft.name = ""
    sqlite_session.commit()
    compose.reload()
    compose.locator("mail-editor[ready]").wait_for()
    subject(compose).fill("Hosts move")
    expect(compose.locator("#draft-title")).to_have_text("Hosts move")
    expect(compose.get_by_role("textbox", name="Name of this mass mail")).to_have_attribute("placeholder", "Hosts move")


def test_another_tab_is_not_overwritten_and_nothing_typed_is_lost(compose: Page, console: Console, draft):
    other = compose.context.new_page()
    open_draft(other, console, draft)
    subject(other).fill("Theirs")
    saved(other)
    subject(compose).fill("Mine")
    alert = compose.get_by_role("alert").filter(has_text="changed this message")
    expect(alert).to_contain_text("What you typed is still here")
    expect(subject(compose)).to_have_value("Mine")
    expect(compose.locator("#draft-saved")).to_have_text("Not saved")
    alert.get_by_role("button", name="Keep mine").click()
    saved(compose)
    expect(alert).to_have_count(0)
    other.reload()
    expect(subject(other)).to_have_value("Mine")
    other.close()


def test_a_lost_answer_is_no_conflict_and_the_next_words_are_saved(compose: Page, sqlite_session: Session, draft):
    def lose_answer(route) -> None:
        route.fetch()
        route.abort()

    compose.route("**/content/", lose_answer)
    subject(compose).fill("First")
    expect(compose.locator("#draft-saved")).to_have_text("Not saved")
    compose.unroute("**/content/")
    subject(compose).fill("Second")
    saved(compose)
    expect(compose.locator("#conflict")).to_be_empty()
    sqlite_session.rollback()
    assert sqlite_session.get_one(Broadcast, draft.id).content.subject == "Second"
    for button in compose.locator("#toasts button").all():
        button.click()


def test_leaving_saves_the_last_words_first(compose: Page, sqlite_session: Session, draft):
    asked: list[str] = []
    compose.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    subject(compose).fill("Last words")
    compose.get_by_role("link", name="Review").click()
    compose.wait_for_url("**/review/")
    sqlite_session.rollback()
    assert sqlite_session.get_one(Broadcast, draft.id).content.subject == "Last words"
    assert asked == []


def test_closing_the_page_asks_only_when_something_is_unsaved(compose: Page):
    asked: list[str] = []
    compose.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    subject(compose).fill("Saved words")
    saved(compose)
    compose.reload()
    compose.locator("mail-editor[ready]").wait_for()
    assert asked == []
    subject(compose).press("End")
    compose.evaluate("() => document.querySelector('#subject').dispatchEvent(new Event('input', { bubbles: true }))")
    compose.reload()
    assert asked == ["beforeunload"]


def test_one_pages_through_recipients_and_looks_at_phone_dark_and_text(compose: Page):
    compose.get_by_role("link", name="Next recipient").click()
    expect(compose.locator("#person")).to_contain_text("Zoë Oster2 of 2")
    expect(mail(compose)).to_contain_text("Hello Zoë")
    expect(compose.get_by_role("link", name="Previous recipient")).to_be_visible()
    compose.get_by_role("radio", name="Phone").check()
    expect(compose.locator("mail-preview > iframe")).to_have_css("width", "375px")
    compose.get_by_role("checkbox", name="Dark").check()
    expect(mail(compose)).to_have_css("color", "rgb(255, 255, 255)")
    compose.get_by_role("radio", name="Text").check()
    expect(compose.locator("#preview-text")).to_contain_text("Hello Zoë,")
    expect(compose.locator("mail-preview")).to_be_hidden()
    subject(compose).fill("Still for {{ first_name }}")
    expect(compose.locator("#preview")).to_contain_text("Still for Zoë")


def test_the_text_part_begins_as_what_was_derived_and_comes_back_when_ticked_again(compose: Page):
    compose.get_by_text("Plain text part").click()
    derived = 'Hello {{ first_name | default: "there" }},\n\nwe move the hosts.'
    expect(compose.locator("#derived-text")).to_contain_text(derived)
    own = compose.get_by_label("Write it by hand")
    own.check()
    text = compose.get_by_label("Plain text", exact=True).and_(compose.locator("textarea"))
    expect(text).to_be_focused()
    assert text.input_value().strip() == derived
    text.fill("By hand")
    saved(compose)
    own.uncheck()
    expect(compose.locator("#derived-text")).to_be_visible()
    own.check()
    expect(text).to_have_value("By hand")


def test_the_page_is_accessible_in_both_themes_and_fits_a_phone(compose: Page):
    subject(compose).fill("{{ frist_name }}")
    compose.locator(".problems").wait_for()
    for width, scheme in ((1280, "light"), (390, "dark")):
        compose.set_viewport_size({"width": width, "height": 900})
        compose.emulate_media(color_scheme=scheme)
        found = Axe().run(compose, options={"runOnly": ["wcag2a", "wcag2aa", "best-practice"]})
        assert found.violations_count == 0, found.generate_report()
        assert compose.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_who_is_left_out_gives_way_in_the_preview_and_can_be_put_back(compose: Page):
    expect(compose.locator("#person")).to_contain_text("Ada Byron1 of 2")
    compose.get_by_label("Add or leave out").fill("ada")
    compose.get_by_role("button", name="Leave out Ada Byron").click()
    expect(compose.locator("#person")).to_contain_text("Zoë Oster1 of 1")
    expect(compose.locator("#tag-gaps")).to_contain_text("Tags over all 1 recipient")
    subject(compose).fill("Saved all the same")
    saved(compose)
    expect(compose.locator("#conflict")).to_be_empty()
    compose.get_by_role("button", name="Put back Ada Byron").click()
    expect(compose.locator("#person")).to_contain_text("2 of 2")
