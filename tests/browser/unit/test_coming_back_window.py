"""static/coming-back.js: the window that asks for the sign-in comes once. htmx and the console are played by the test."""

import pytest

from tests.browser.unit.conftest import Bench

MODULE = "coming-back.js"

PAGE = """
<dialog id="sign-in-dialog" data-src="/window" data-email="ada@example.org"></dialog><p id="one"></p><p id="two"></p>
<script>
  window.asked = 0; window.said = []; window.htmx = { process() {} };
  const form = "<form><input name=email><input name=password></form>";
  window.fetch = async () => { window.asked += 1; return new Response(form, { status: window.answers ?? 200 }); };
  window.until = async (holds) => { while (!holds()) await new Promise(requestAnimationFrame); };
  window.turnAway = (id) => {
    const elt = document.getElementById(id);
    const detail = { xhr: { status: 401 }, elt, requestConfig: { verb: "post", path: "/save" } };
    elt.dispatchEvent(new CustomEvent("htmx:responseError", { bubbles: true, detail }));
  };
</script>
"""


@pytest.fixture(autouse=True)
def sign_in_is_watched(bench: Bench):
    bench.lay(PAGE)
    bench.run(MODULE, "m.watchSignIn((words) => said.push(words))")


def test_what_is_turned_away_together_asks_once_and_the_address_stands_there(bench: Bench):
    script = """const dialog = document.getElementById("sign-in-dialog");
    turnAway("one"); turnAway("two"); await until(() => dialog.open); turnAway("two");
    return [asked, dialog.open, dialog.querySelector("[name=email]").value, document.activeElement.name]"""
    assert bench.run(MODULE, script) == [1, True, "ada@example.org", "password"]


def test_a_window_that_does_not_come_is_told_and_asked_for_again(bench: Bench):
    script = """const dialog = document.getElementById("sign-in-dialog");
    answers = 503; turnAway("one"); await until(() => said.length);
    answers = 200; turnAway("one"); await until(() => dialog.open);
    return [asked, said.length]"""
    assert bench.run(MODULE, script) == [2, 1]
