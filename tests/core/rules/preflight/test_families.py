"""Each family of judgements with what it must find, and with what it must leave alone."""

from datetime import UTC, datetime

import pytest

from webapp.core.rules.preflight import (
    Finding,
    attachment_words,
    contrast,
    doubtful_links,
    filter_words,
    inbox,
    night,
    pictures,
    size,
    text_part,
)


def rules(found: list[Finding]) -> list[str]:
    return [one.rule for one in found]


@pytest.mark.parametrize(
    ("href", "rule"),
    [
        ("https://example.com/offer", "links.example"),
        ("https://shop.example.org", "links.example"),
        ("https://www.yourdomain.com/", "links.unfinished"),
        ("https://host.net/[LINK]", "links.unfinished"),
        ("https://host.net/TODO", "links.unfinished"),
        ("http://host.net/a", "links.http"),
    ],
)
def test_a_link_that_nobody_meant_is_found_by_its_form(href: str, rule: str):
    assert rules(doubtful_links.of_html(f'<p><a href="{href}">x</a></p>')) == [rule]


@pytest.mark.parametrize(
    "href",
    ["https://host.net/a?b=1&amp;c=2", "https://myexample.com", "mailto:a@host.net", "https://host.net/{{ number }}"],
)
def test_a_good_link_is_left_alone(href: str):
    assert doubtful_links.of_html(f'<a href="{href}">x</a>') == []


def test_several_unprotected_links_are_one_finding_and_a_tag_is_shown_as_written():
    html = '<a href="http://host.net/{{ number }}">x</a><a href="http://host.net/b">y</a>'
    (found,) = doubtful_links.of_html(html)
    assert found.message == "The link “http://host.net/{{ number }}” and 1 more begin with http://."


def test_pictures_need_words_unless_they_are_decoration_or_a_dot():
    assert rules(pictures.of_html('<img src="https://a.net/b.png">')) == ["pictures.alt"]
    assert (
        pictures.of_html('<img src="https://a.net/b.png" alt=""><img src="https://a.net/c" width="1" height="1">') == []
    )
    assert rules(pictures.of_html('<a href="https://a.net"><img src="https://a.net/b.png" alt=""></a>')) == [
        "pictures.link"
    ]
    assert pictures.of_html('<a href="https://a.net"><img src="https://a.net/b.png" alt=""> Order</a>') == []


@pytest.mark.parametrize(
    ("style", "found"),
    [
        ("color:#767676", False),
        ("color:#777777", True),
        ("color:#949494;font-size:24px", False),
        ("color:#949494;font-size:14pt;font-weight:bold", False),
        ("color:rgba(0,0,0,.3)", True),
        ("background:#0b3a75", True),
        ("background:#0b3a75;color:white", False),
        ("background:url(https://a.net/b.png);color:white", False),
        ("color:white;display:none", False),
    ],
)
def test_contrast_is_that_of_the_letters_on_what_is_behind_them(style: str, found: bool):
    assert bool(contrast.of_html(f'<div style="{style}"><p>Read this</p></div>')) is found


def test_a_colour_holds_inside_and_not_behind_its_element_and_counts_once():
    html = '<div style="color:#ccc"><p>One</p><p>Two <img></p></div><p>Three</p>'
    (finding,) = contrast.of_html(html)
    assert finding.message == "“One” is hard to read: #cccccc on #ffffff has a contrast of 1.6."


def test_an_inbox_cuts_each_part_and_shows_the_preheader_alone():
    hidden = '<div style="display:none">The short of it' + "\u200c\u00a0" * 60 + "</div>"
    begins = inbox.beginning(
        f"<html><head><title>T</title><style>p {{}}</style></head><body>{hidden}<p>Dear Ada</p>", ""
    )
    assert begins == "The short of it"
    assert inbox.beginning("<p>Dear&nbsp;Ada,</p><!-- x --><p>news</p>", "") == "Dear Ada, news"
    assert inbox.beginning(None, "Plain\n text") == "Plain text"
    gmail, outlook, apple = inbox.lines("Example Hosting", "S" * 60, "p" * 200)
    assert [len(line.subject) for line in (gmail, outlook, apple)] == [37, 55, 48]
    assert gmail.subject.endswith("…") and len(apple.preheader) == 99


@pytest.mark.parametrize(("length", "severity"), [(37, None), (38, "hint"), (70, "hint"), (71, "warning")])
def test_a_subject_is_as_long_as_phones_show(length: int, severity: str | None):
    assert [one.severity for one in inbox.of_subject("x" * length)] == ([severity] if severity else [])


@pytest.mark.parametrize(("preheader", "found"), [("", 1), ("short", 1), ("x" * 60, 0), ("x" * 120, 1)])
def test_a_preheader_is_there_and_neither_too_short_nor_too_long(preheader: str, found: int):
    assert len(inbox.of_preheader(preheader, "Dear Ada")) == found


def test_gmail_cuts_what_has_more_than_102_kilobytes():
    assert size.of_mail(102 * 1024, "Ada", is_marketing=False) == []
    (found,) = size.of_mail(110 * 1024, "Ada", is_marketing=True)
    assert "110 KB" in found.message and "decline" in found.why


def test_words_that_filters_know_are_said_with_the_reason():
    found = filter_words.of_words("RE: ACT NOW AND WIN!!", "please Click\nhere")
    assert rules(found) == ["words.capitals", "words.signs", "words.answer", "words.known"]
    assert "“click here”: it does not say where it leads" in found[-1].why
    assert filter_words.of_words("Maintenance on Tuesday", "The factory acts nowhere. Clicked hereafter.") == []


@pytest.mark.parametrize(
    "words",
    [
        "Please see the attached invoice.",
        "Die Rechnung finden Sie im Anhang.",
        "Vous trouverez ci-joint la facture.",
        "Le enviamos la factura adjunta.",
        "In allegato trovi la fattura.",
        "De factuur vindt u in de bijlage.",
        "Faktura znajduje się w załączniku.",
        "Segue em anexo a fatura.",
    ],
)
def test_an_attachment_is_missed_in_eight_languages(words: str):
    assert rules(attachment_words.of_text(words, attachments=0)) == ["attachment.missing"]
    assert attachment_words.of_text(words, attachments=1) == []


def test_what_only_sounds_like_an_attachment_is_none():
    assert (
        attachment_words.named("The attached service ends. Der Bahnhof anhalten. We are attaching importance to it.")
        == ""
    )


def test_a_text_part_belongs_to_the_words_of_a_body():
    written_for = text_part.body_digest("<p>Hello</p>")
    assert text_part.of_parts("<div><b>Hello</b></div>", "Hello", written_for) == []
    assert rules(text_part.of_parts("<p>Bye</p>", "Hello", written_for)) == ["text.older"]
    assert text_part.of_parts("<p>Bye</p>", None, written_for) == [] == text_part.of_parts("<p>Bye</p>", "x", None)


AT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def test_the_clocks_of_recipients_are_those_of_their_countries():
    assert night.regions({"DE": 5, "": 3, "XX": 2}, AT) == []
    (asia,) = night.regions({"JP": 1204, "KR": 2, "DE": 5}, AT)
    assert asia.words == "for 1,206 in Asia it is 03:00"
    (asia,) = night.regions({"JP": 1, "VN": 2}, AT)
    assert asia.words == "for 3 in Asia it is between 01:00 and 03:00"


def test_a_country_of_several_zones_counts_where_all_of_them_sleep():
    late = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 03:00 in New York, 00:00 in Los Angeles, 22:00 in Honolulu
    assert [one.name for one in night.regions({"US": 7}, late)] == ["the Americas"]
    assert night.regions({"US": 7}, datetime(2026, 11, 23, 11, 0, tzinfo=UTC)) == [], "06:00 in New York"


def test_a_finding_is_the_same_for_what_it_is_about_and_not_for_its_words():
    one, other = (Finding(words, "content", rule="r", about=("x",)) for words in ("a", "b"))
    assert one.fingerprint == other.fingerprint
    assert Finding("a", "content", rule="r").fingerprint != Finding("b", "content", rule="r").fingerprint
