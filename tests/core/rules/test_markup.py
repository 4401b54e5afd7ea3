"""Where in HTML something stands."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.core.rules.markup import MarkupContext, MarkupTag, Piece, pieces, spots, tags_and_texts


@pytest.mark.parametrize(
    ("source", "place", "element", "attribute"),
    [
        ("a X b", MarkupContext.TEXT, "", ""),
        ("<p>X</p>", MarkupContext.TEXT, "", ""),
        ('<a href="X">', MarkupContext.VALUE, "a", "href"),
        ("<a title='a \" X'>", MarkupContext.VALUE, "a", "title"),
        ("<a HREF=X>", MarkupContext.VALUE, "a", "href"),
        ('<a title="a > b" alt="X">', MarkupContext.VALUE, "a", "alt"),
        ("<p title=a\"b class='X'>", MarkupContext.VALUE, "p", "class"),
        ('<a href="X', MarkupContext.VALUE, "a", "href"),
        ("<p X>", MarkupContext.INSIDE, "p", ""),
        ("<style>X</style>", MarkupContext.RAW, "style", ""),
        ("<script>if (a < b) X</script>", MarkupContext.RAW, "script", ""),
        ("<!-- X -->", MarkupContext.COMMENT, "!--", ""),
        ("<!-- > X", MarkupContext.COMMENT, "!--", ""),
        ("<!--> X -->", MarkupContext.TEXT, "", ""),
        ("<!DOCTYPE X>", MarkupContext.COMMENT, "!", ""),
        ("1 < 2 X", MarkupContext.TEXT, "", ""),
        ("<style></style>X", MarkupContext.TEXT, "", ""),
        ("<!--[if mso]><td>X</td><![endif]-->", MarkupContext.TEXT, "", ""),
        ('<!--[if mso]><v:rect href="X"/><![endif]-->', MarkupContext.VALUE, "v:rect", "href"),
        ("<!--[if mso]> X -->", MarkupContext.COMMENT, "!--", ""),
    ],
)
def test_it_knows_the_place(source, place, element, attribute):
    ((_, piece),) = spots(source, re.compile("X"))
    assert (piece.place, piece.element, piece.attribute) == (place, element, attribute)


def test_it_knows_the_conditional_comment_something_is_in():
    source = "a X <!--[if mso]>X<![endif]--> X <!--[if !mso]><!-->X<!--<![endif]-->"
    assert [piece.within for _, piece in spots(source, re.compile("X"))] == [-1, 4, -1, -1]


def test_tags_come_with_their_attributes_as_they_are_meant():
    (tag,) = tags_and_texts("<a href='https://x.example/?a=1&amp;b=2' title=\"&quot;\" hidden Title=x />")
    assert isinstance(tag, MarkupTag) and tag.self_closing
    assert tag.attributes == {"href": "https://x.example/?a=1&b=2", "title": '"', "hidden": ""}


@settings(deadline=None)
@given(st.text(alphabet="<>/!-'\"= abstyle[if]&\n", max_size=80))
def test_the_pieces_are_the_source_whatever_it_is(source):
    found = list(pieces(source))
    assert "".join(source[piece.start : piece.end] for piece in found) == source
    assert all(isinstance(piece, Piece) for piece in found)
    list(tags_and_texts(source))


@pytest.mark.parametrize("unit", ['<a "', '<a b="', "<!--", "<style>", "<", "<a b = ", "<!--[if a]>", "</", "<a/ "])
def test_it_is_quick_for_a_hundred_kilobytes_of_anything(unit):
    begin = time.process_time()
    list(pieces(unit * (100_000 // len(unit))))
    assert time.process_time() - begin < 2, "it takes a tenth of a second on an idle machine"
