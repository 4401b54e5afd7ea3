"""static/saving.js: what a page knows of its own state while it is saved as one types. htmx is played by the test."""

import pytest

from tests.browser.unit.conftest import Bench

MODULE = "saving.js"

PAGE = """
<form id="draft" action="/save" method="post">
  <input name="name"><input type="hidden" name="lost"><button name="go" value="1">Next</button>
</form>
<form id="other" action="/other" method="post"><button>Other</button></form>
<a id="away" href="#away">Away</a><a id="theirs" href="/elsewhere" data-discard>Take theirs</a>
<span id="draft-saved">Saved</span><div id="conflict"></div>
<script>
  window.asked = [];
  window.htmx = { trigger: (_form, what) => window.asked.push(what) };
  const event = (what, detail) => new CustomEvent(what, { bubbles: true, cancelable: true, detail });
  const form = document.getElementById("draft");
  window.type = (words) => { form.elements.name.value = words; form.elements.name.dispatchEvent(new Event("input", { bubbles: true })); };
  window.leave = () => { const one = new Event("beforeunload", { cancelable: true }); dispatchEvent(one); return one.defaultPrevented; };
  window.sends = () => { const xhr = {}; form.dispatchEvent(event("htmx:beforeRequest", { xhr })); return xhr; };
  window.answers = (xhr, status) => { xhr.status = status; form.dispatchEvent(event("htmx:afterRequest", { xhr })); };
  window.said = () => document.getElementById("draft-saved").textContent;
</script>
"""


@pytest.fixture(autouse=True)
def page_is_watched(bench: Bench):
    watch(bench, asks=False)


def watch(bench: Bench, *, asks: bool) -> None:
    bench.lay(PAGE)
    bench.run(MODULE, "m.watchSaving('draft', { counts: ['input'], asks: given })", asks)


def test_it_says_how_far_saving_is(bench: Bench):
    script = """type("a"); const words = [said()]; const xhr = sends(); words.push(said()); answers(xhr, 200);
    document.getElementById("draft-saved").textContent = "Saved now"; words.push(said()); return words;"""
    assert bench.run(MODULE, script) == ["Not saved yet", "Saving…", "Saved now"]


def test_what_is_typed_while_an_answer_is_awaited_is_not_held_for_saved(bench: Bench):
    assert (
        bench.run(MODULE, 'type("a"); const xhr = sends(); type("ab"); answers(xhr, 200); return said()')
        == "Not saved yet"
    )


@pytest.mark.parametrize("status", [0, 500, 503])
def test_what_nobody_knows_the_fate_of_is_told_to_the_server_with_the_next_save(bench: Bench, status: int):
    script = 'type("a b"); answers(sends(), given); return [said(), document.forms.draft.elements.lost.value]'
    assert bench.run(MODULE, script, status) == ["Not saved", "name=a+b"]


def test_a_save_that_is_answered_takes_back_what_was_lost(bench: Bench):
    script = 'type("a"); answers(sends(), 500); answers(sends(), 200); return document.forms.draft.elements.lost.value'
    assert bench.run(MODULE, script) == ""


def test_what_the_server_refused_is_not_lost(bench: Bench):
    script = 'type("a"); answers(sends(), 422); return [said(), document.forms.draft.elements.lost.value]'
    assert bench.run(MODULE, script) == ["Not saved", ""]


def test_a_link_waits_until_all_is_saved(bench: Bench):
    bench.lay(PAGE.replace('href="#away"', 'href="/away"'))
    bench.page.evaluate("import('/static/saving.js').then((m) => m.watchSaving('draft', { counts: ['input'] }))")
    bench.page.evaluate("() => { type('a'); document.getElementById('away').click(); }")
    assert bench.page.evaluate("asked") == ["save"]
    assert bench.sent == []
    with bench.page.expect_request("**/away"):
        bench.page.evaluate("() => answers(sends(), 200)")


def test_a_link_within_the_page_and_one_that_discards_do_not_wait(bench: Bench):
    bench.run(MODULE, 'type("a"); document.getElementById("away").click()')
    assert bench.page.evaluate("asked") == []
    # The page stays, as the window hears of the click after the module has.
    script = """window.addEventListener("click", (event) => event.preventDefault());
    document.getElementById("theirs").click(); const held = leave(); await fetch("/last"); return held"""
    assert bench.run(MODULE, script) is False
    assert [one.url.rpartition("/")[2] for one in bench.sent] == ["last"]


def test_what_was_refused_or_is_in_conflict_holds_nobody_back(bench: Bench):
    script = """type("a"); answers(sends(), 422); document.forms.other.addEventListener("submit", (event) => event.preventDefault());
    document.forms.other.requestSubmit(); return asked"""
    assert bench.run(MODULE, script) == []
    watch(bench, asks=False)
    script = script.replace(
        "answers(sends(), 422);", 'document.getElementById("conflict").append(document.createElement("p"));'
    )
    assert bench.run(MODULE, script) == []


def test_another_form_waits_until_all_is_saved(bench: Bench):
    script = """type("a"); window.sent = 0;
    document.forms.other.addEventListener("submit", (event) => { event.preventDefault(); window.sent += 1; });
    document.forms.other.requestSubmit(); const before = sent; answers(sends(), 200); return [asked, before, sent]"""
    assert bench.run(MODULE, script) == [["save"], 0, 1]


def test_the_pages_own_button_saves_first_and_then_goes_on_with_its_name(bench: Bench):
    script = """type("a"); const form = document.forms.draft; window.by = [];
    form.addEventListener("submit", (event) => { if (!event.defaultPrevented) by.push(event.submitter?.value); event.preventDefault(); });
    form.requestSubmit(form.elements.go); const before = [...by]; answers(sends(), 200); return [asked, before, by]"""
    assert bench.run(MODULE, script) == [["save"], [], ["1"]]


def test_a_page_that_is_left_sends_the_rest_once_and_says_what_is_lost(bench: Bench):
    with bench.page.expect_request("**/save") as asked:
        held = bench.run(
            MODULE, 'type("a"); answers(sends(), 500); type("ab"); const held = [leave(), leave()]; return held'
        )
    assert held == [False, False]
    assert asked.value.method == "POST" and asked.value.headers["hx-request"] == "true"
    assert asked.value.post_data == "name=ab&lost=name%3Da"
    asked.value.response()  # by then the server of this test was asked
    assert [one.url.rpartition("/")[2] for one in bench.sent] == ["save"]


def test_a_page_that_asks_holds_whoever_leaves_with_something_unsaved(bench: Bench):
    watch(bench, asks=True)
    assert bench.run(MODULE, "return leave()") is False
    assert bench.run(MODULE, 'type("a"); return leave()') is True
    assert bench.run(MODULE, "answers(sends(), 200); return leave()") is False
    assert bench.sent == []


def test_a_rest_too_large_to_be_sent_last_is_asked_about(bench: Bench):
    assert bench.run(MODULE, 'type("a".repeat(60_001)); return leave()') is True


def test_it_saves_when_the_network_is_back(bench: Bench):
    assert bench.run(
        MODULE, 'dispatchEvent(new Event("online")); type("a"); dispatchEvent(new Event("online")); return asked'
    ) == ["save"]
