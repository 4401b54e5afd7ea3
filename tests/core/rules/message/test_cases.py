"""Small sources that once came out changed, each with what must come out of it."""

import re
from pathlib import Path

import pytest

from tests.core.rules.message.mails import compiled, rendered
from tests.core.rules.message.readers import READERS, Read

CASES = Path(__file__).parents[3] / "data/cases"


def mail_of(case: str) -> Read:
    return READERS[1](rendered(compiled((CASES / case).read_text()), {}))


def head_and_body(case: str) -> tuple[str, str]:
    head, _, body = (mail_of(case).html or "").partition("</head>")
    return head, body


def test_a_link_in_the_text_part_is_decoded_once():
    text = mail_of("03-text-part-link.html").text
    assert "<https://example.com/cart.php?a=add&currency=2&region=eu&section=3&notify=1>" in text
    assert "Write &lt;b&gt; for bold." in text


def test_a_link_that_only_outlook_follows_is_decoded_once():
    _, body = head_and_body("04-vml-href.html")
    assert body.count('href="https://example.com/?a=1&amp;currency=2"') == 2
    assert "¤" not in body


def test_a_style_sheet_for_all_media_goes_inline_and_its_media_queries_stay_whole():
    head, body = head_and_body("05-style-media-all.html")
    assert '<p style="color: #c00000;">x</p>' in body
    assert '<div class="pre" style="display: none;">PREHEADER</div>' in body
    assert ">@media (max-width:600px){p{color:#00c000!important}}</style>" in head
    assert head.count("@") == 1


def test_style_sheets_stay_apart_and_a_broken_one_costs_itself():
    head, _ = head_and_body("06-styles-merged.html")
    first, second = re.findall(r"<style[^>]*>(.*?)</style>", head, re.DOTALL)
    assert first == "@media only screen and (min-width:480px){.col{width:50%!important}}"
    assert ".acc{display:block}" in second and "@media" not in second


def test_each_mail_program_sees_its_one_button():
    _, body = head_and_body("07-not-mso-with-blank-comment.html")
    for_outlook, for_others = body.split("<![endif]-->", 1)
    assert "<!--[if mso]><table><tr><td>OUTLOOK BUTTON</td></tr></table>" in for_outlook
    assert for_others.startswith("<!--[if !mso]><!-- --><div>OTHER BUTTON</div><!--<![endif]-->")


def test_links_get_the_scheme_that_only_they_can_have():
    _, body = head_and_body("08-links-and-pictures-that-go.html")
    assert re.findall(r'(?:href|src)="([^"]*)"', body) == [
        "https://www.example.com/renew",
        "https://example.com/x",
        "sms:+491",
        "https://cdn.example.com/a.png",
    ]


def test_values_that_stand_in_for_others_stay_before_them():
    _, body = head_and_body("09-fallback-in-rule.html")
    style = re.search(r'class="btn" style="([^"]*)"', body)
    assert style
    assert re.findall(r"(background|width): ([^;]+);", style[1]) == [
        ("background", "#0b3a75"),
        ("background", "linear-gradient(90deg,#0b3a75,#1f6feb)"),
        ("width", "600px"),
        ("width", "min(600px,100%)"),
    ]


@pytest.mark.parametrize("rule", [":root{--c:#c00000}", "html{background:#222222}"])
def test_rules_of_the_root_stay(rule):
    head, body = head_and_body("20-root-rules.html")
    assert rule in head
    assert 'style="color: #c00000;color: var(--c);"' in body


def test_the_word_data_in_a_selector_is_a_word():
    assert ".data:hover{color:red}" in head_and_body("21-css-word-data.html")[0]


def test_links_beside_each_other_are_apart_and_lists_begin_with_their_number():
    assert mail_of("22-neighbours-in-text.html").text == "https://facebook.com/x https://twitter.com/y\n\n  3. three\n"


def test_paragraphs_that_word_calls_a_list_are_a_list():
    _, body = head_and_body("25-word-list-paste.html")
    assert re.search(r"<ul><li[^>]*>first</li><li[^>]*>second</li></ul>", body)
    assert mail_of("25-word-list-paste.html").text == "  * first\n  * second\n"


@pytest.mark.parametrize(
    "meta",
    [
        '<meta name="x-apple-disable-message-reformatting">',
        '<meta name="format-detection" content="telephone=no,date=no,address=no,email=no">',
        '<meta name="supported-color-schemes" content="light dark">',
    ],
)
def test_metas_that_mail_programs_read_stay(meta):
    assert meta in head_and_body("26-meta-lost.html")[0]


def test_an_image_map_stays():
    _, body = head_and_body("27-image-map.html")
    assert 'usemap="#m"' in body
    assert '<map name="m"><area shape="rect" coords="0,0,10,10" href="https://example.com/a" alt="x"></map>' in body
    assert "<https://example.com/a>" in mail_of("27-image-map.html").text
