"""static/editor/pasting.js: what programs put on the clipboard, as the design view has it."""

from pathlib import Path

import pytest

from tests.browser.unit.conftest import Bench
from tests.browser.unit.test_blocks import SCHEMA

MODULE = "editor/pasting.js"
CLIPBOARDS = Path(__file__).parent.parent / "clipboards"


@pytest.fixture(autouse=True)
def page_is_empty(bench: Bench):
    bench.lay()


def pasted(bench: Bench, html: str) -> object:
    return bench.run(MODULE, "return m.cleaned(given)", html)


def test_what_twelve_programs_copy_comes_out_as_it_was_meant(bench: Bench):
    wanted = {path.name.removesuffix(".out.html"): path.read_text().strip() for path in CLIPBOARDS.glob("*.out.html")}
    copied = {name: (CLIPBOARDS / f"{name}.html").read_text() for name in wanted}
    script = f"""{SCHEMA}
    return Object.fromEntries(Object.entries(given).map(([name, html]) => [name, round(m.cleaned(html))]));"""
    found = bench.run(MODULE, script, copied)
    assert len(wanted) == 12
    assert found == wanted
    assert bench.sent == []


def test_a_paste_comes_without_styles(bench: Bench):
    html = "<style>p { color: red }</style><p style='color: red' class=x>One <b style=\"color: red\">two</b></p>"
    assert pasted(bench, html) == "<p>One <strong>two</strong></p>"


def test_a_paste_comes_without_pictures_and_links_that_no_mail_takes_along(bench: Bench):
    html = '<p>a<img src="file:///C:/a.png"><img src="https://example.com/a.png"><a href="javascript:x()">y</a></p>'
    assert pasted(bench, html) == "<p>ay</p>"


def test_a_source_that_was_written_here_keeps_its_pictures(bench: Bench):
    html = '<div style="color:red"><p>a<img src="https://example.com/a.png" alt="b"></p></div>'
    kept = bench.run(MODULE, "return m.cleaned(given, { fromWeb: true })", html)
    assert kept == '<p>a<img src="https://example.com/a.png" alt="b"></p>'


def test_a_piece_of_a_mail_of_ours_is_known(bench: Bench):
    html = ['<p data-pm-slice="1 1 []">x</p>', '<p data-pm-slice="1 1 []" style="color:red">x</p>', "<p>x</p>"]
    assert bench.run(MODULE, "return given.map(m.isOwn)", html) == [True, False, False]
