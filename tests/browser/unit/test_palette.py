"""static/compose/palette.js: the palette of tags, with a plain element in the place of the rich editor."""

import pytest
from playwright.sync_api import expect

from tests.browser.unit.conftest import Bench

MODULE = "compose/palette.js"

PAGE = """
<form id="compose"><input id="subject" data-takes-tags><button type="button" data-insert-tag="subject">Tag</button></form>
<mail-editor id="body-editor"><textarea data-body></textarea></mail-editor>
<div id="home"><div id="tag-palette" popover><input type="search" role="combobox">
  <div role="group" id="of-clients"><button data-tag="first_name" id="tag-first" aria-selected="false">First name</button>
    <button data-tag="last_name" id="tag-last" aria-selected="false">Last name</button></div>
  <div role="group" id="of-services"><button data-tag="domain" id="tag-domain" aria-selected="false">Domain</button></div>
  <p data-part="none" hidden>None</p></div></div>
<script>
  window.told = [];
  const editor = document.getElementById("body-editor");
  editor.textarea = editor.querySelector("textarea");
  editor.insertTag = (name, typed) => told.push([name, typed]);
  editor.insertText = (text) => told.push([text]);
</script>
"""


@pytest.fixture(autouse=True)
def page_has_a_palette(bench: Bench):
    bench.lay(PAGE)
    bench.run(MODULE, "m.watchPalette()")


def palette(bench: Bench):
    return bench.page.locator("#tag-palette")


def subject(bench: Bench):
    return bench.page.locator("#subject")


def selected(bench: Bench):
    return bench.page.locator("#tag-palette [aria-selected=true]")


def test_a_tag_goes_to_the_cursor_of_the_field(bench: Bench):
    subject(bench).fill("Hello , good day")
    subject(bench).evaluate("field => field.setSelectionRange(6, 6)")
    bench.page.keyboard.press("Control+/")
    expect(bench.page.locator("#tag-palette input")).to_be_focused()
    bench.page.locator("#tag-first").click()
    expect(palette(bench)).to_be_hidden()
    expect(subject(bench)).to_have_value("Hello {{ first_name }}, good day")


def test_its_button_names_the_field(bench: Bench):
    bench.page.locator("[data-insert-tag]").click()
    bench.page.locator("#tag-domain").click()
    expect(subject(bench)).to_have_value("{{ domain }}")


def test_two_braces_open_it_and_give_way_to_the_tag(bench: Bench):
    subject(bench).press_sequentially("To {{")
    expect(palette(bench)).to_have_attribute("data-braces", "")
    bench.page.keyboard.type("last")
    bench.page.keyboard.press("Enter")
    expect(subject(bench)).to_have_value("To {{ last_name }}")


def test_who_knows_the_tag_types_it_to_its_end(bench: Bench):
    subject(bench).press_sequentially("To {{ company }}")
    expect(palette(bench)).to_be_hidden()
    expect(subject(bench)).to_have_value("To {{ company }}")


def test_every_word_of_a_search_narrows_the_list(bench: Bench):
    subject(bench).focus()
    bench.page.keyboard.press("Control+/")
    expect(selected(bench)).to_have_attribute("data-tag", "first_name")
    bench.page.keyboard.type("name last")
    expect(bench.page.locator("[data-tag]:not([hidden])")).to_have_count(1)
    expect(selected(bench)).to_have_attribute("data-tag", "last_name")
    expect(bench.page.locator("#of-services")).to_be_hidden()
    bench.page.keyboard.type("x")
    expect(bench.page.locator("[data-part=none]")).to_be_visible()
    bench.page.keyboard.press("Enter")
    expect(palette(bench)).to_be_visible()


def test_the_arrows_go_round(bench: Bench):
    subject(bench).focus()
    bench.page.keyboard.press("Control+/")
    bench.page.keyboard.press("ArrowUp")
    expect(selected(bench)).to_have_attribute("data-tag", "domain")
    expect(bench.page.locator("#tag-palette input")).to_have_attribute("aria-activedescendant", "tag-domain")
    bench.page.keyboard.press("ArrowDown")
    expect(selected(bench)).to_have_attribute("data-tag", "first_name")


def test_closed_without_a_choice_it_gives_the_cursor_back_and_lets_the_braces_be_saved(bench: Bench):
    subject(bench).press_sequentially("{{")
    bench.page.evaluate("document.addEventListener('input', (event) => told.push([event.target.id]))")
    bench.page.keyboard.press("Escape")
    expect(subject(bench)).to_be_focused()
    expect(subject(bench)).to_have_value("{{")
    assert bench.page.evaluate("told") == [["subject"]]
    expect(bench.page.locator("#home > #tag-palette")).to_have_count(1)


def test_in_the_editor_the_editor_inserts_it(bench: Bench):
    bench.page.locator("[data-body]").focus()
    bench.page.keyboard.press("Control+/")
    expect(palette(bench)).to_be_hidden()  # the editor has keys of its own outside of the form
    bench.page.evaluate("document.getElementById('body-editor').dispatchEvent(new CustomEvent('mail-editor:braces'))")
    bench.page.locator("#tag-first").click()
    assert bench.page.evaluate("told") == [["first_name", 2]]
