"""What goes from a content, or cannot work in a mail, is named."""

from pathlib import Path

import pytest

from tests.core.rules.message.mails import compiled, rendered
from tests.core.rules.message.readers import READERS
from webapp.core.rules.preflight.left_out import complaints, of_html, of_text

CASES = Path(__file__).parents[3] / "data/cases"


def named(html: str) -> list[str]:
    return [problem.message for problem in of_html(html)]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ('<a href="www.example.com/renew">one</a>', "“www.example.com/renew” has no https:// before it. The mail gets it."),
        ('<a href="//example.com/x">two</a>', "“//example.com/x” has no https: before it"),
        ('<a href="/help">three</a>', "The link “/help” has no https:// and no domain. It is left out"),
        ('<a href="./help.html">three</a>', "The link “./help.html” has no https:// and no domain"),
        ('<a href="example.com/x">x</a>', "“example.com/x” has no https:// before it. It is left out"),
        ('<a href="me@example.com">x</a>', "has no mailto: before it"),
        ('<a href="javascript:go()">x</a>', "begins with javascript:"),
        ('<a href="java&#10;script:go()">x</a>', "begins with javascript:"),
        ('<a href="ftp://example.com">x</a>', "begins with ftp:"),
        ('<a href="">x</a>', "This link has no address"),
        ('<a href="#">x</a>', "“#” leads nowhere"),
        ('<a href="http://localhost:8000/x">x</a>', "which only computers near yours can reach"),
        ('<a href="https://192.168.1.5/x">x</a>', "which only computers near yours can reach"),
        ('<a href="https://intranet/x">x</a>', "has no whole domain"),
        ('<a href="https://">x</a>', "cannot be read as an address"),
        ('<a href="https://https://example.com">x</a>', "begins twice"),
        ('<a href="file:///C:/x.html">x</a>', "a file on one computer"),
        ('<a href="mailto:nobody">x</a>', "holds no mail address"),
        ('<img src="//cdn.example.com/a.png" alt="LOGO">', "The picture “//cdn.example.com/a.png”"),
        ('<img src="./img/a.png" alt="HERO">', "It is left out, as nobody could see it. Its text is “HERO”."),
        ('<img src="data:image/png;base64,AA" alt="x">', "written into the HTML itself"),
        ('<img src="http://example.com/a.png" alt="x">', "has http://"),
        ('<img src="cid:a" alt="x">', "is not part of this mail"),
        ('<img alt="x">', "This picture has no address"),
        ('<td background="bg.png">x</td>', "The picture “bg.png”"),
        ('<p style="background:url(bg.png)">x</p>', "The picture “bg.png”"),
        ("<style>p{background:url(bg.png)}</style>", "The picture “bg.png”"),
        ("<style>@import url(https://example.com/a.css);</style>", "fetches another one"),
        ('<link rel="stylesheet" href="https://example.com/a.css">', "A style sheet from elsewhere"),
        ('<base href="https://example.com/">', "(base)"),
        ("<form><input></form>", "A form is left out"),
        ("<script>x()</script>", "A script is left out"),
        ("<svg><path/></svg>", "A drawing (svg) is left out"),
        ('<video src="x"></video>', "A video is left out"),
        ('<!--[if mso]><v:fill src="a.png"/><![endif]-->', "The picture “a.png”"),
    ],
)  # fmt: skip
def test_it_is_named(html, words):
    assert any(words in message for message in named(html)), named(html)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://example.com/?a=1&b=2">x</a>', '<a href="https://{{ service_domain }}/{{ client_id }}">x</a>',
        '<a href="mailto:help@example.com?subject=x">x</a>', '<a href="tel:+491">x</a>', '<a href="sms:+491">x</a>',
        '<a href="#top">x</a>', '<a name="top">x</a>', '<img src="https://example.com/{{ client_id }}.png" alt="x">',
        "<p style=\"background:url('https://example.com/a.png')\">x</p>", "<p>1 [2] (3) [draft] 100 % 50%off% ((see there)) a << b</p>",
        "<!-- <form> --><p>{{ first_name }}</p>", '<p class="data:x" title="www.example.com">x</p>',
    ],
)  # fmt: skip
def test_what_works_is_not_named(html):
    assert named(html) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("*|FNAME|*", "first_name"), ("[firstname]", "first_name"), ("((name))", "full_name"), ("%%first_name%%", "first_name"),
        ("%FIRSTNAME%", "first_name"), ("[[email]]", "email"), ("##company##", "company"),
        ("%recipient.name%", "full_name"), ("[subscriber:firstname | default:you]", "first_name"), ("*|MC:SUBJECT|*", None),
        ("[unsubscribe]", "unsubscribe_url"), ("{!Contact.FirstName}", "first_name"), ("$(email)", "email"), ("<<Name>>", "full_name"),
    ],
)  # fmt: skip
def test_tags_of_other_systems_are_named_with_the_tag_that_is_meant(written, meant):
    for problems in (
        of_text(f"Dear {written},", "subject"),
        of_html(f"<p>Dear {written.replace('<', '&lt;').replace('>', '&gt;')},</p>"),
    ):
        (problem,) = problems
        assert "a tag of another system" in problem.message and problem.suggestion == meant and not problem.blocking


def test_coded_braces_are_a_tag_of_another_system_in_a_link():
    source = (CASES / "19-coded-braces.html").read_text()
    problems = of_html(source)
    assert [(source[problem.start : problem.end], problem.suggestion) for problem in problems] == [
        ("%7B%7B%20first_name%20%7D%7D", "first_name"),
        ("*|FNAME|*", "first_name"),
        ("[firstname]", "first_name"),
        ("((name))", "full_name"),
        ("%%first_name%%", "first_name"),
    ]


def test_each_has_its_place_in_what_was_written():
    source = '<p>{{ first_name }}</p>\n<p>{{ company }} <a href="/{{ client_id }}">x</a></p>'
    (problem,) = of_html(source)
    assert (problem.line, source[problem.start : problem.end]) == (2, "/{{ client_id }}")
    assert "“/{{ client_id }}”" in problem.message


def test_the_same_thing_is_named_once_with_the_number_of_places():
    (problem,) = of_html('<a href="/x">go</a><p></p><a href="/x">go</a>')
    assert problem.message.endswith("(2 places.)")


def test_subject_and_text_are_looked_at_too():
    assert [problem.field for problem in complaints("*|FNAME|*", '<a href="/x">x</a>', "%%email%%")] == [
        "subject",
        "html",
        "text",
    ]


@pytest.mark.parametrize("attribute", ['href="{}"', "href='{}'"])
@pytest.mark.parametrize(
    "address",
    [
        "/x", "x.html", "http:x", "https:///x", "ftp://x.example", "www.x.example", "//x.example", "data:x", "", "#", "https://[x",
        "https://x y", "x:y", "sms:1", "https://x.example:port/", "https://x.example:99999/", "https://x.example:{{ client_id }}/",
    ],
)  # fmt: skip
def test_what_goes_is_always_named(address, attribute):
    source = f"<a {attribute.format(address)}>go</a>"
    html = READERS[1](rendered(compiled(source), {})).html or ""
    if f'href="{address}"' not in html:
        assert named(source)
