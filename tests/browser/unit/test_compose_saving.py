"""static/compose/saving.js: what the compose page has beyond saving.js. htmx is played by the test."""

import pytest

from tests.browser.unit.conftest import Bench

MODULE = "compose/saving.js"

PAGE = """
<div id="conflict"><p>Somebody else</p><button name="keep_mine" value="theirs">Keep mine</button></div>
<form id="compose" action="/save"><input type="hidden" name="base" value="mine"><input type="hidden" name="lost">
  <input name="subject"><input name="reply_to" data-save-on="change"><div id="reply-to-problem"></div></form>
<div id="tag-palette" popover></div><span id="draft-saved">Saved</span>
<script>
  window.asked = [];
  window.htmx = { trigger: (_form, what) => window.asked.push(what) };
  const form = document.getElementById("compose");
  window.fires = (what, detail) => {
    const event = new CustomEvent(what, { bubbles: true, cancelable: true, detail });
    form.dispatchEvent(event);
    return event;
  };
  window.types = (name, what) => form.elements[name].dispatchEvent(new Event(what, { bubbles: true }));
  window.said = () => document.getElementById("draft-saved").textContent;
</script>
"""


@pytest.fixture(autouse=True)
def page_is_watched(bench: Bench):
    bench.lay(PAGE)
    bench.run(MODULE, "m.watchSaving()")


def test_a_half_typed_address_is_no_change_until_it_is_left(bench: Bench):
    script = 'types("reply_to", "input"); const before = said(); types("reply_to", "change"); return [before, said()]'
    assert bench.run(MODULE, script) == ["Saved", "Not saved yet"]


def test_a_subject_is_a_change_with_every_letter(bench: Bench):
    assert bench.run(MODULE, 'types("subject", "input"); return said()') == "Not saved yet"


def test_nothing_is_saved_while_a_tag_is_chosen_for_two_braces(bench: Bench):
    script = """const palette = document.getElementById("tag-palette"); palette.showPopover();
    const other = fires("htmx:beforeRequest", { xhr: {} }).defaultPrevented;
    palette.toggleAttribute("data-braces", true);
    return [other, fires("htmx:beforeRequest", { xhr: {} }).defaultPrevented]"""
    assert bench.run(MODULE, script) == [False, True]


def test_a_conflict_is_shown_although_its_status_is_an_errors(bench: Bench):
    script = """const [conflict, fault] = [409, 500].map((status) => ({
      xhr: { status }, requestConfig: { elt: document.forms.compose }, shouldSwap: false, isError: true }));
    fires("htmx:beforeSwap", conflict); fires("htmx:beforeSwap", fault);
    return [conflict.shouldSwap, conflict.isError, fault.shouldSwap, fault.isError]"""
    assert bench.run(MODULE, script) == [True, False, False, True]


def test_keep_mine_saves_over_what_is_known_by_then(bench: Bench):
    script = """document.querySelector("[name=keep_mine]").click();
    return [document.forms.compose.elements.base.value, document.getElementById("conflict").childElementCount, said(), asked]"""
    assert bench.run(MODULE, script) == ["theirs", 0, "Not saved yet", ["save"]]


def test_the_field_for_answers_is_marked_as_the_answer_says(bench: Bench):
    script = """const problem = document.createElement("span"); problem.className = "field-error";
    const place = document.getElementById("reply-to-problem"); const field = document.forms.compose.elements.reply_to;
    const answered = () => fires("htmx:afterRequest", { xhr: { status: 200 }, successful: true });
    place.append(problem); answered(); const wrong = field.getAttribute("aria-invalid");
    problem.remove(); answered(); return [wrong, field.getAttribute("aria-invalid")]"""
    assert bench.run(MODULE, script) == ["true", "false"]
