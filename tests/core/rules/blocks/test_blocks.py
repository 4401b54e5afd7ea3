"""The document of blocks and its stored form."""

import pytest

from tests.core.rules.blocks.documents import document
from webapp.core.rules.blocks import BlockDocument, read, write
from webapp.core.rules.blocks.document import (
    Alignment,
    ButtonBlock,
    ColumnsBlock,
    ForeignBlock,
    HeadingBlock,
    ListBlock,
    ParagraphBlock,
    QuoteBlock,
    SpacerBlock,
    TableBlock,
    TagInText,
    Words,
)
from webapp.core.rules.blocks.elements import ElementNode
from webapp.core.rules.blocks.migrating import UnknownVersion, upgraded

SEEDS = range(1000)


def test_a_thousand_documents_are_read_as_they_were_written():
    for number in SEEDS:
        one = document(number)
        assert read(write(one)) == one, number


def test_together_they_hold_every_block_but_what_is_foreign():
    kinds = {type(block).__name__ for number in range(200) for block in document(number).blocks}
    assert len(kinds) == 12


def test_what_the_design_view_wrote_before_is_the_same_document():
    html = "<h1>Hello</h1>\n<p>{{ first_name }}, look</p>\n<p><br></p>\n<ul>\n<li>One<ul>\n<li>Deep</li>\n</ul></li>\n</ul>\n<hr>"
    found = read(html)
    assert found.blocks[1] == ParagraphBlock((TagInText("{{ first_name }}"), Words(", look")))
    assert found.blocks[2] == ParagraphBlock()
    assert write(found) == html


@pytest.mark.parametrize(
    ("html", "block"),
    [
        ("<p>a   b\n c </p>", ParagraphBlock((Words("a b c"),))),
        ('<h2 class="align-center">x</h2>', HeadingBlock(2, (Words("x"),), Alignment.CENTER)),
        ('<p class="button"><a href="https://example.com">Go</a></p>', ButtonBlock("https://example.com", (Words("Go"),))),
        ("<blockquote><p>x</p></blockquote>", QuoteBlock((ParagraphBlock((Words("x"),)),))),
        ("<ol start='3'><li><p>x</p></li></ol>", ListBlock(((ParagraphBlock((Words("x"),)),),), True, 3)),
        ('<div data-block="spacer" data-version="1" data-height="8"></div>', SpacerBlock(8)),
    ],
)  # fmt: skip
def test_a_block_is_read_however_its_source_is_laid_out(html: str, block: object):
    assert read(html) == BlockDocument((block,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "html",
    [
        "loose <b>words</b> {% if company %}",
        '<p style="color:red">x</p>',
        "<table><tr><td>layout</td></tr></table>",
        '<p class="lead">x</p>',
        "<p><code>x</code></p>",
        "<p>never ends",
        "<div><p>x</p></i></div>",
        '<p class="align-up">x</p>',
        '<div data-block="columns" data-version="1"><div data-column=""><p>one alone</p></div></div>',
        '<div data-block="spacer" data-version="1" data-height="9999"></div>',
        '<table data-block="table" data-version="1"><tr onclick="x"><td>x</td></tr></table>',
        "<ul>words<li>x</li></ul>",
    ],
)
def test_what_there_is_no_room_for_stays_to_the_letter(html: str):
    assert read(html) == BlockDocument((ForeignBlock(html),))


def test_what_is_foreign_stands_among_blocks_in_columns_too():
    html = (
        '<p>a</p>\n<center>b</center>\n<div data-block="columns" data-version="1">\n<div data-column="">\n<pre>x\n  y</pre>\n</div>\n'
        '<div data-column="">\n<p>c</p>\n</div>\n</div>\n<!-- kept -->'
    )
    found = read(html)
    columns = found.blocks[2]
    assert isinstance(columns, ColumnsBlock) and columns.columns[0] == (ForeignBlock("<pre>x\n  y</pre>"),)
    assert found.blocks[3] == ForeignBlock("<!-- kept -->")
    assert write(found) == html


@pytest.mark.parametrize("version", ["2", "0", "", "x", "-1", "٣"])
def test_a_version_that_is_not_known_stays_to_the_letter(version: str):
    html = f'<div data-block="spacer" data-version="{version}" data-height="8"></div>'
    assert read(html) == BlockDocument((ForeignBlock(html),))


def test_an_older_form_becomes_the_newest_step_by_step():
    def higher(element: ElementNode) -> ElementNode:
        known = element.attributes
        return ElementNode("div", {**known, "data-height": str(int(known.pop("data-tall")) * 2)}, 0)

    old = ElementNode("div", {"data-block": "spacer", "data-version": "1", "data-tall": "8"}, 0)
    assert upgraded(old, {("spacer", 2): higher}, newest=4).attributes["data-height"] == "16"
    with pytest.raises(UnknownVersion):
        upgraded(ElementNode("div", {"data-block": "spacer", "data-version": "5"}, 0), {}, newest=4)


def test_a_table_is_read_with_or_without_its_body():
    inside = "<tr><td>a</td><td>b</td></tr>"
    bare = read(f'<table data-block="table" data-version="1">{inside}</table>')
    assert bare == read(f'<table data-block="table" data-version="1"><tbody>{inside}</tbody></table>')
    assert isinstance(bare.blocks[0], TableBlock)
