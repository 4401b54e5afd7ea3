"""static/editor/document.js: between HTML source and the editor's document."""

import pytest

from tests.browser.unit.conftest import Bench

MODULE = "editor/document.js"

SCHEMA = """
const { pm } = await import("/editor.js");
const schema = new pm.model.Schema({
  nodes: {
    doc: { content: "block+" },
    paragraph: { group: "block", content: "inline*", toDOM: () => ["p", 0], parseDOM: [{ tag: "p" }] },
    list: { group: "block", content: "item+", toDOM: () => ["ul", 0], parseDOM: [{ tag: "ul" }] },
    item: { content: "paragraph block*", toDOM: () => ["li", 0], parseDOM: [{ tag: "li" }] },
    text: { group: "inline" },
    chip: {
      group: "inline", inline: true, attrs: { source: {} },
      toDOM: (node) => ["mail-tag", { source: node.attrs.source }],
      parseDOM: [{ tag: "mail-tag", getAttrs: (element) => ({ source: element.getAttribute("source") }) }],
    },
  },
});
const roundTrip = (source) => m.writeSource(pm.model, pm.model.DOMParser.fromSchema(schema).parse(m.parseSource(source)));
"""
"""A small schema over the editor's own model: paragraphs, bullets and tags."""


@pytest.fixture(autouse=True)
def page_is_empty(bench: Bench):
    bench.lay()


def parsed(bench: Bench, source: str) -> object:
    return bench.run(MODULE, "return m.parseSource(given).innerHTML", source)


def written(bench: Bench, source: str) -> object:
    return bench.run(MODULE, SCHEMA + "return roundTrip(given)", source)


def lost(bench: Bench, source: str) -> object:
    return bench.run(MODULE, SCHEMA + "return m.losses(given, roundTrip)", source)


def test_each_tag_of_a_text_becomes_an_element(bench: Bench):
    html = '<p>Hello {{ first_name | default: "there" }}{% if company %}!{% endif %}</p>'
    assert parsed(bench, html) == (
        '<p>Hello <mail-tag source="{{ first_name | default: &quot;there&quot; }}"></mail-tag>'
        '<mail-tag source="{% if company %}"></mail-tag>!<mail-tag source="{% endif %}"></mail-tag></p>'
    )


def test_a_tag_in_an_address_stays_text(bench: Bench):
    html = '<p><a href="https://example.com/{{ client_id }}">Look</a></p>'
    assert parsed(bench, html) == html


def test_a_paragraph_that_holds_only_a_break_is_empty(bench: Bench):
    assert parsed(bench, "<p><br></p><p>a<br></p>") == "<p></p><p>a<br></p>"


def test_nothing_of_a_source_runs_or_loads(bench: Bench):
    html = "<img src='/picture.png' onerror='window.ran = 1'><script>window.ran = 1</script>"
    assert (
        bench.run(
            MODULE, "m.parseSource(given); await new Promise(requestAnimationFrame); return window.ran ?? 0", html
        )
        == 0
    )
    assert bench.sent == []


def test_a_document_is_written_with_a_block_a_line(bench: Bench):
    assert written(bench, "<p>One {{ name }}</p><p>Two</p>") == "<p>One {{ name }}</p>\n<p>Two</p>"


def test_an_empty_line_keeps_its_height_and_an_empty_document_is_no_text(bench: Bench):
    assert written(bench, "<p>One</p><p></p><p>Two</p>") == "<p>One</p>\n<p><br></p>\n<p>Two</p>"
    assert written(bench, "") == ""


def test_list_items_are_written_as_people_write_them(bench: Bench):
    assert (
        written(bench, "<ul><li><p>One</p></li><li><p>Two</p></li></ul>") == "<ul>\n<li>One</li>\n<li>Two</li>\n</ul>"
    )


@pytest.mark.parametrize(
    "source",
    [
        "<p>One</p><p>Two</p>",
        "<p>One</p>\n\n  <p>Two</p>\n",
        "<ul><li>One</li><li><p>Two</p></li></ul>",
        "<p>a   b\n c</p>",
        "loose text",
        "<p></p><p><br></p>",
    ],
)
def test_what_means_the_same_loses_nothing(bench: Bench, source: str):
    assert lost(bench, source) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<!doctype html><html><body><p>x</p></body></html>", ["a whole document"]),
        ("<style>p { color: red }</style><p>x</p>", ["a style sheet"]),
        ('<p style="color: red">x</p>', ["inline styles"]),
        ("<table><tr><td>x</td></tr></table>", ["a table"]),
        ("<p>x</p><!-- later -->", ["comments"]),
        ("<div><p>x</p></div>", ["layout boxes"]),
        ('<p class="lead">x</p>', ["attributes of <p>"]),
        ("<p><u>x</u></p>", ["<u>"]),
    ],
)
def test_what_the_editor_has_no_room_for_is_named(bench: Bench, source: str, words: list[str]):
    assert lost(bench, source) == words
