"""Writing in the compose page: keys that do no harm, tags in addresses, lists out of a word processor, right to left, a slow network."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy.orm import Session

from tests.browser.compose_page import (
    body,
    cursor_to_end_of_line,
    expect_source,
    open_sender,
    saved,
    subject,
)
from tests.consoles import Console
from webapp.core.tables.broadcasts import Broadcast

CASES = Path(__file__).parent.parent / "data" / "cases"

PASTE = """(html) => { const data = new DataTransfer(); data.setData("text/html", html);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })) }"""


@pytest.mark.parametrize("field", ["Subject", "Reply-To"])
def test_enter_in_a_field_does_nothing_and_loses_nothing(compose: Page, field: str):
    open_sender(compose)
    box = compose.get_by_role("textbox", name=field)
    before = compose.url
    box.fill("desk@example.com")
    box.press("Enter")
    box.press("Enter")
    saved(compose)
    expect(box).to_be_focused()
    compose.keyboard.press("Tab")
    assert compose.url == before
    expect(compose.locator("#draft-saved")).to_contain_text("Saved")
    compose.reload()
    open_sender(compose)
    expect(box).to_have_value("desk@example.com")


def test_one_key_lays_the_preview_over_what_is_written_and_the_cursor_comes_back(compose: Page):
    cursor_to_end_of_line(compose, 1)
    compose.keyboard.press("Alt+p")
    button = compose.get_by_role("button", name="Preview", exact=True)
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(body(compose)).to_be_hidden()
    expect(compose.get_by_role("region", name="Preview")).to_be_visible()
    compose.keyboard.press("Escape")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(body(compose)).to_be_focused()
    button.click()
    compose.keyboard.press("Alt+p")
    expect(body(compose)).to_be_visible()


@pytest.mark.parametrize("kind", ["Link", "Button"])
def test_two_braces_in_an_address_open_the_palette_there_and_lose_nothing(compose: Page, kind: str):
    cursor_to_end_of_line(compose, 1)
    compose.get_by_role("toolbar").get_by_role("button", name=kind, exact=True).click()
    form = compose.locator(f".bubble[data-kind={kind.lower()}]")
    text, address = form.locator("[name=text]"), form.locator("[name=href]")
    palette = compose.get_by_role("dialog", name="Insert a tag")
    text.fill("Your page")
    address.press_sequentially("https://example.com/?c={{")
    expect(palette.get_by_role("combobox")).to_be_focused()
    expect(form).to_be_visible()
    compose.keyboard.type("client id")
    compose.keyboard.press("Enter")
    expect(palette).to_be_hidden()
    expect(address).to_be_focused()
    expect(address).to_have_value("https://example.com/?c={{ client_id }}")
    compose.keyboard.type("&l={{")
    compose.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    expect(address).to_be_focused()
    compose.keyboard.press("Backspace")
    compose.keyboard.press("Backspace")
    form.get_by_role("button", name="Insert a tag into the address").click()
    palette.get_by_role("option", name="Language", exact=False).first.click()
    expect(text).to_have_value("Your page")
    compose.keyboard.press("Enter")
    expect(form).to_be_hidden()
    wanted = '<a href="https://example.com/?c={{ client_id }}&amp;l={{ language }}">Your page</a>'
    expect_source(compose, has=wanted)


def word(*items: tuple[str, int, str], guard: str = "<![if !supportLists]>{}<![endif]>") -> str:
    """Paragraphs as a word processor copies a list: (marker, level, text)."""
    return "".join(
        f"<p class=MsoListParagraph style='margin-left:36pt;mso-list:l0 level{level} lfo1'>"
        + guard.format(f"<span style='mso-list:Ignore'>{marker}<span style='font:7pt'>&nbsp;&nbsp; </span></span>")
        + f"{text}<o:p></o:p></p>\n"
        for marker, level, text in items
    )


HIDDEN = "<!--[if gte mso 9]><xml>settings</xml><![endif]-->"
COMMENT_GUARD = "<!--[if !supportLists]-->{}<!--[endif]-->"
LISTS = {
    "bullets": ((CASES / "25-word-list-paste.html").read_text(), "<ul><li>first</li><li>second</li></ul>"),
    "numbers": (word(("3.", 1, "a"), ("4.", 1, "b")), '<ol start="3"><li>a</li><li>b</li></ol>'),
    "letters": (word(("a)", 1, "x"), ("b)", 1, "y"), guard=COMMENT_GUARD), "<ol><li>x</li><li>y</li></ol>"),
    "nested": (
        HIDDEN + word(("·", 1, "one"), ("o", 2, "deep"), ("·", 1, "two")),
        "<ul><li>one<ul><li>deep</li></ul></li><li>two</li></ul>",
    ),
    "apart": (
        word(("·", 1, "one")) + "<p class=MsoNormal>between</p>" + word(("1.", 1, "first")),
        "<ul><li>one</li></ul><p>between</p><ol><li>first</li></ol>",
    ),
    "no list": ("<p class=MsoNormal>- not <b>a</b> list</p>", "<p>- not <strong>a</strong> list</p>"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_out_of_a_word_processor_is_pasted_as_a_list(compose: Page, name: str):
    pasted, wanted = LISTS[name]
    body(compose).click()
    compose.keyboard.press("ControlOrMeta+a")
    compose.evaluate(PASTE, pasted)
    source = compose.locator("#html")
    expect(source).not_to_have_value("")
    assert "".join(line.strip() for line in source.input_value().splitlines()) == wanted


def test_the_test_says_as_whom_it_is_made(compose: Page):
    compose.get_by_role("link", name="Send a test").click()
    dialog = compose.get_by_role("dialog", name="Send a test")
    expect(dialog).to_contain_text("Made as for Ada Byron (ada@example.com), 1 of 2")
    dialog.get_by_role("button", name="Close").click()
    compose.get_by_role("link", name="Next recipient").click()
    expect(compose.locator("#person")).to_contain_text("Zoë Oster")
    compose.get_by_role("link", name="Send a test").click()
    expect(dialog).to_contain_text("Made as for Zoë Oster (zoe@example.com), 2 of 2")


def test_a_subject_from_right_to_left_is_written_so_wherever_it_is_shown(
    compose: Page, console: Console, sqlite_session: Session, draft
):
    words = "צוות: עבודות {{ company }}"
    draft.name = ""
    sqlite_session.commit()
    compose.reload()
    compose.locator("mail-editor[ready]").wait_for()
    subject(compose).fill(words)
    saved(compose)
    for place in (subject(compose), compose.locator(".preview-subject b")):
        expect(place).to_have_css("direction", "rtl")
    subject(compose).fill("צוות: עבודות")
    saved(compose)
    compose.goto(f"{console.url}/mass-mail/{draft.id}/review/")
    expect(compose.get_by_role("definition").filter(has_text="צוות")).to_have_css("direction", "rtl")
    compose.goto(f"{console.url}/mass-mail/")
    expect(compose.locator("table").get_by_role("link", name="צוות")).to_have_css("direction", "rtl")


def test_on_a_slow_network_the_source_is_not_seen_before_the_editor(compose: Page, console: Console, draft: Broadcast):
    waiting: list[Route] = []
    compose.route("**/assets/editor*", lambda route: waiting.append(route))
    compose.goto(f"{console.url}/mass-mail/{draft.id}/content/", wait_until="commit")
    compose.wait_for_function("() => customElements.get('mail-editor')")
    expect(compose.locator("#html")).to_have_css("visibility", "hidden")
    [editor] = waiting
    editor.continue_()
    compose.locator("mail-editor[ready]").wait_for()


def test_without_the_editor_the_source_is_there(compose: Page, console: Console, draft: Broadcast):
    compose.route("**/assets/editor*", lambda route: route.abort())
    compose.goto(f"{console.url}/mass-mail/{draft.id}/content/")
    expect(compose.locator("#html")).to_be_visible()
    expect(compose.locator("#html")).to_have_css("visibility", "visible")


@pytest.mark.parametrize("step", ["audience", "content", "schedule"])
def test_on_a_phone_what_leads_on_stands_at_the_foot_of_every_step(
    compose: Page, console: Console, draft: Broadcast, step: str
):
    compose.set_viewport_size({"width": 390, "height": 844})
    compose.goto(f"{console.url}/mass-mail/{draft.id}/{step}/")
    expect(compose.locator("#next")).to_have_count(1)
    for _ in range(2):
        box = compose.locator("#next").bounding_box()
        assert box and box["y"] + box["height"] > 790 and box["x"] + box["width"] <= 390
        expect(compose.locator("#draft-saved")).to_be_in_viewport()
        compose.mouse.wheel(0, 4000)
    assert compose.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
