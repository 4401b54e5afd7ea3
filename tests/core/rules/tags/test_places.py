"""How a value is escaped follows from where its tag stands."""

import re

import pytest

from webapp.core.rules.markup import spots
from webapp.core.rules.tags.contexts import escape_at
from webapp.core.rules.tags.nodes import Escape


def escape_of(html: str) -> Escape:
    ((match, piece),) = spots(html, re.compile("X"))
    return escape_at(piece, html[piece.start : match.start()])


@pytest.mark.parametrize(
    ("html", "escape"),
    [
        ("<p>X</p>", Escape.HTML),
        ('<p title="a X">', Escape.HTML),
        ("<title>X</title>", Escape.HTML),
        ('<a href="https://x.example/X">', Escape.URL),
        ('<a href="HTTP://X/">', Escape.URL),
        ('<a href="&#104;ttps://x.example/X">', Escape.URL),
        ('<a href="tel:X">', Escape.URL),
        ('<a href="#X">', Escape.URL),
        ('<a href=" MailTo:X">', Escape.MAIL_URL),
        ('<img src="https://x.example/X">', Escape.URL),
        ('<td background="https://x.example/X">', Escape.URL),
    ],
)
def test_it_follows_from_the_place(html, escape):
    assert escape_of(html) is escape


@pytest.mark.parametrize(
    "html",
    [
        '<a href="X">', '<a href="javascript:X">', '<a href="httpsX">', '<a href="//X">', '<img src="mailto:X">', '<td background="cid:X">',
        '<p style="X">', '<img srcset="https://x.example/X">', "<p X>", "<style>X</style>", "<script>X</script>", "<!-- X -->",
    ],
)  # fmt: skip
def test_where_no_escape_makes_a_value_safe_there_is_none(html):
    with pytest.raises(ValueError, match="tag"):
        escape_of(html)
