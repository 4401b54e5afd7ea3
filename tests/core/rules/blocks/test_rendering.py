"""Blocks as they leave, read by programs that did not make them."""

import re

import html5lib
import pytest

from tests.core.rules.blocks.documents import document
from webapp.core.rules.blocks import laid_out, uses_blocks, write
from webapp.core.rules.blocks.document import TextColour
from webapp.core.rules.blocks.sheet import colour
from webapp.core.rules.branding.colours import contrast
from webapp.core.rules.branding.look import DARK, LIGHT, BrandLook
from webapp.core.rules.message import Envelope, Frame, MessageParts, compile_message
from webapp.core.rules.tags.unparse import source_of

COLUMNS = """<div data-block="columns" data-version="1">
<div data-column="">
<p>Left</p>
<p class="button"><a href="https://example.com/go">Go</a></p>
</div>
<div data-column="">
<p>Right</p>
</div>
</div>"""
TABLE = """<table data-block="table" data-version="1"><tbody>
<tr><th>Service</th><th><p class="align-right">Price</p></th></tr>
<tr><td>{% if company %}Hosting</td><td><p class="align-right">12 EUR{% endif %}</p></td></tr>
<tr><td>{% if company %}half</td><td>of it</td></tr>
</tbody></table>"""
BRANDS = pytest.mark.parametrize("brand", [None, BrandLook()], ids=["alone", "in a brand"])


def mail(html: str, brand: BrandLook | None = None, *, framed: bool = True) -> dict[str, str]:
    frame = Frame("https://mail.example.com", brand=brand) if framed else None
    trees = compile_message(MessageParts("Subject", html), Envelope.of("a@example.com"), frame).trees
    return {kind: source_of(tree) for kind, tree in trees.items()}


def elements(html: str, name: str) -> list[str]:
    body = html5lib.parse(html, namespaceHTMLElements=False).find("body")
    assert body is not None
    return ["".join(one.itertext()).strip() for one in body.iter(name)]


@pytest.mark.parametrize(
    "html",
    [
        "<p>Hello  {{ first_name }}</p>\n\n<hr><blockquote><p>x</p></blockquote>",
        '<p class="button"><a href="https://example.com">x</a></p>',
        '<table><tr><td style="color:red">x</td></tr></table><!--[if mso]>y<![endif]-->',
        "<p>never ends",
    ],
)
def test_a_body_without_a_block_is_not_touched(html: str):
    assert not uses_blocks(html)
    assert laid_out(html) is html
    assert "b-column" not in mail(html)["html"] and "@media" not in mail(html)["html"]


@BRANDS
def test_columns_stand_in_a_table_that_only_outlook_reads(brand: BrandLook | None):
    found = mail(COLUMNS, brand)
    hidden = "".join(re.findall(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", found["html"], re.DOTALL))
    assert hidden.count('<td width="50%" valign="top">') == 2
    assert hidden.count("<td") == hidden.count("</td") and hidden.count("<table") == hidden.count("</table")
    assert re.search(r'<div class="b-column b-of-2" style="[^"]*display: inline-block[^"]*width: 50%', found["html"])
    assert ".b-column{display:block!important" in found["html"]
    assert '<v:roundrect href="https://example.com/go"' in hidden
    assert found["plain"].split() == ["Left", "Go", "<https://example.com/go>", "Right"]


@BRANDS
def test_a_table_has_its_heads_and_its_figures_to_the_right(brand: BrandLook | None):
    html = mail(TABLE.replace("{% if company %}half", "whole"), brand)["html"]
    assert elements(html, "th") == ["Service", "Price"] and 'scope="col"' in html
    cell = re.search(r"<td [^>]*>(?=12 EUR</td>)", html)
    assert cell and 'align="right"' in cell[0] and re.search(r"text-align: ?right", cell[0])


def test_a_condition_around_a_row_stands_outside_of_it():
    assert "{% if company %}<tr><td" in laid_out(TABLE) and "12 EUR</td></tr>{% endif %}" in laid_out(TABLE)
    assert ">{% if company %}half</td>" in laid_out(TABLE)


@BRANDS
def test_what_is_left_of_a_spacer_a_footer_and_links_is_for_every_program(brand: BrandLook | None):
    html = (
        '<p>x</p><div data-block="spacer" data-version="1" data-height="24"></div><ul data-block="social" data-version="1">'
        '<li><a href="https://example.com/a">A &amp; B</a></li></ul><div data-block="footer" data-version="1"><p>Foot</p></div>'
    )
    found = mail(html, brand)
    assert re.search(r'<td height="24" style="height:24px;font-size:0;line-height:24px', found["html"])
    assert '<a href="https://example.com/a"' in found["html"] and "A &amp; B</a>" in found["html"]
    assert "data-block" not in found["html"]
    assert [line for line in found["plain"].splitlines() if line] == ["x", "A & B <https://example.com/a>", "Foot"]


def test_an_unsubscribe_line_leads_to_the_own_link_and_is_not_told_twice():
    html = '<p>x</p><p data-block="unsubscribe" data-version="1"><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
    frame = Frame("https://mail.example.com", is_marketing=True, business_name="B", postal_address="C")
    trees = compile_message(MessageParts("Subject", html), Envelope.of("a@example.com"), frame).trees
    assert source_of(trees["html"]).count("/unsubscribe/{{ unsubscribe_token }}") == 1


def test_a_body_that_begins_with_a_table_of_facts_stands_in_a_brand():
    assert 'class="b-sheet"' in mail(f"\n{TABLE.replace('{% if company %}half', '')}", BrandLook())["html"]


@BRANDS
def test_all_that_the_design_view_can_write_can_be_sent(brand: BrandLook | None):
    html = "\n".join(write(document(number)) for number in range(24))
    for taken in ("{% if company %}", "{% endif %}", "{{ unsubscribe_url }}"):
        html = html.replace(taken, "x")
    assert "data-block" not in mail(html, brand, framed=brand is not None)["html"]


def test_each_colour_can_be_read_by_light_and_by_dark():
    for palette in (LIGHT, DARK):
        for name in TextColour:
            assert contrast(colour(name, palette), palette.background) >= 4.5
