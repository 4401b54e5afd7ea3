"""The pages' tests see what a reader sees, and send what a browser would."""

import pytest

from tests.pages.page import read

PAGE = """
<html><head><title>Not read</title><style>p {}</style></head><body>
<h1>Two <b>mails</b>, done</h1><p hidden>later</p><script>no()</script>
<div role="alert">Look <a href="/there?a=1&amp;b=2">here</a></div>
<table id="rows"><tr><th>Name</th><th>Count</th></tr><tr><td>Ada</td><td>2</td></tr></table>
<form id="known"><input type="hidden" name="base" value="7"><input name="title" value="A &amp; B">
<input type="checkbox" name="to" value="x" checked><input type="checkbox" name="to" value="y" checked>
<input type="checkbox" name="off" value="z"><textarea name="note">
two
lines</textarea><select name="kind"><option value="1">One</option><option value="2" selected>Two</option></select>
<button name="press" value="now">Go</button></form>
<a rel="next" href="/page/2">Older</a>
</body></html>
"""


def test_only_what_can_be_read_is_read_and_no_word_ends_at_an_inline_element():
    page = read(PAGE)
    assert page.heading == "Two mails, done" and page.alerts == ["Look here"]
    assert "later" not in page and "no()" not in page and "Not read" not in page


def test_tables_and_links_are_found_by_what_they_say():
    page = read(PAGE)
    assert page.rows("#rows") == [["Name", "Count"], ["Ada", "2"]]
    assert page.link("here") == "/there?a=1&b=2"
    assert (page.next, page.previous) == ("/page/2", None)


def test_a_form_has_what_a_browser_would_send():
    page = read(PAGE)
    sent = {"base": "7", "title": "A & B", "to": ["x", "y"], "note": "two\nlines", "kind": "2"}
    assert page.form("#known").fields == sent
    assert page.value("press") == "now" and page.value("kind") == "2"


def test_what_is_not_there_once_is_an_error():
    for selector in ("#nowhere", "input"):
        with pytest.raises(AssertionError):
            read(PAGE).at(selector)
    with pytest.raises(AssertionError):
        read(PAGE).link("there")


def test_fragments_of_a_table_and_empty_answers_are_pages_too():
    assert read('<tr id="row-1"><td>Ada</td></tr><div id="other">x</div>').at("#row-1").texts("td") == ["Ada"]
    assert read("").words == ""
