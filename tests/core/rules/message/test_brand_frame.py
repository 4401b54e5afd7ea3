"""A mail in its brand, read by programs that did not make it."""

import re

import html5lib
import pytest

from webapp.core.errors import Invalid
from webapp.core.rules.branding.look import BrandLook, FontStack, Logo, Palette
from webapp.core.rules.message import Envelope, Frame, MessageParts, compile_message
from webapp.core.rules.message.brand_footer import checked, lines
from webapp.core.rules.tags.unparse import source_of

BASE = "https://mail.example.com"
LOOK = BrandLook(
    logo=Logo("picture/a.png", 120, 40, is_dark=True),
    footer="Example Ltd, registered {in} Berlin\n[Status](https://status.example.com/?a=1&b=2) · [Help](mailto:help@example.com)",
    letters=FontStack.GEORGIA,
).by("Example Hosting", "1 High Street\n12345 Exampletown")
BODY = """<h1>Hello {{ first_name }}</h1>
<p>Text with a <a href="https://example.com">link</a>.</p>
<blockquote><p><b>When</b><br>Tonight</p></blockquote>
<p class="button"><a href="https://example.com/{{ client_id }}">Look at {{ service_product }}</a></p>"""


def made(
    html: str = BODY, *, text: str | None = None, brand: BrandLook | None = LOOK, marketing: bool = True
) -> dict[str, str]:
    own = {"business_name": "Example Hosting", "postal_address": "1 High Street\n12345 Exampletown"}
    frame = Frame(BASE, is_marketing=marketing, is_important=not marketing, list_name="x", brand=brand, **own)
    parts = MessageParts("Subject", html, text, preheader="Before")
    trees = compile_message(parts, Envelope.of("a@example.com"), frame).trees
    return {name: source_of(tree) for name, tree in trees.items()}


def seen(html: str) -> str:
    body = html5lib.parse(html, namespaceHTMLElements=False).find("body")
    assert body is not None
    return " ".join(" ".join(body.itertext()).split())


def test_it_has_the_logo_above_and_the_sender_below_once():
    mail = made()
    html, words = mail["html"], seen(mail["html"])
    assert re.search(rf'<img[^>]* alt="Example Hosting" src="{BASE}/picture/a.png" width="120" height="40"', html)
    assert words.count("1 High Street") == 1 and words.count("12345 Exampletown") == 1
    assert words.index("Tonight") < words.index("Example Ltd, registered (in) Berlin") < words.index("1 High Street")
    assert html.count(f"{BASE}/unsubscribe/") == 1
    assert 'href="https://status.example.com/?a=1&amp;b=2"' in html and 'href="mailto:help@example.com"' in html
    assert words.startswith("Before")
    plain = mail["plain"]
    assert plain.count("1 High Street") == 1 and plain.count("/unsubscribe/") == 1 and "Tonight" in plain


def test_a_body_that_says_how_to_decline_is_not_told_twice():
    html = made(f"{BODY}<p>{{{{ unsubscribe_url }}}} Example Hosting, 1 High Street, 12345 Exampletown</p>")["html"]
    assert html.count(f"{BASE}/unsubscribe/") == 1 and seen(html).count("1 High Street") == 1


def test_important_mail_says_who_sends_and_cannot_be_declined():
    html = made(marketing=False)["html"]
    assert "1 High Street" in html and "/unsubscribe/" not in html


def test_outlook_gets_a_shape_and_a_width_and_others_a_link():
    html = made()["html"]
    comments = re.findall(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", html, re.DOTALL)
    shape = next(one for one in comments if "v:roundrect" in one)
    assert 'href="https://example.com/{{ client_id }}"' in shape and "Look at {{ service_product }}" in shape
    assert any('width="600"' in one for one in comments) and "xmlns:v=" in html
    outside = re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)
    assert outside.count("Look at {{ service_product }}") == 1 and "blockquote" not in outside
    assert outside.count("<table") == outside.count("</table")


def test_its_styles_are_inline_and_those_of_the_dark_in_the_head():
    html = made()["html"]
    head, _, body = html.partition("</head>")
    assert "prefers-color-scheme:dark" in head.replace(" ", "") and 'name="supported-color-schemes"' in head
    assert re.search(r'<h1 style="[^"]*font-size: ?28px', body) and "Georgia" in body
    assert re.search(r'<a href="https://example.com" style="[^"]*#0b57b8', body)
    assert "background-color:#ffffff!important" in head.replace(" ", ""), "a dark logo lies on white there"


@pytest.mark.parametrize(
    "html",
    [
        "<html><body><p>Mine</p></body></html>",
        "<!DOCTYPE html><p>Mine</p>",
        "<!-- by hand --><style>p{color:red}</style><table><tr><td>Mine</td></tr></table>",
    ],
)
def test_a_document_or_layout_of_its_own_stays_as_it_is(html: str):
    assert made(html)["html"] == made(html, brand=None)["html"]


def test_text_alone_stays_as_it_is():
    assert made("", text="Hello") == made("", text="Hello", brand=None)


def test_without_logo_name_and_footer_nothing_stands_for_them():
    html = made(brand=BrandLook(), marketing=False)["html"]
    assert "b-head" not in html.partition("</head>")[2] and "<img" not in html


def test_a_footer_holds_words_and_links_and_nothing_else():
    assert list(lines(checked('<b>x</b> & {{ y }}\n[a "b"](https://example.com/"c)'))) == [
        "&lt;b&gt;x&lt;/b&gt; &amp; (( y ))",
        '<a href="https://example.com/&quot;c">a "b"</a>',
    ]
    for bad in ("[x](javascript:alert)", "[x](/here)", "x" * 1001):
        with pytest.raises(Invalid):
            checked(bad)


def test_any_colours_make_a_mail_that_passes_the_last_look():
    for light in (
        Palette("#ff0000", "#00ff00", "#0000ff", "#ffff00"),
        Palette(*["#000000"] * 4),
        Palette(*["#ffffff"] * 4),
    ):
        assert "Tonight" in made(brand=BrandLook(light, light))["html"]
