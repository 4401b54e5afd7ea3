"""The HTML part: what of the composed or pasted source becomes part of the mail."""

import re
from pathlib import Path

import pytest

from tests.core.rules.message.mails import compiled, rendered
from tests.core.rules.message.readers import READERS
from webapp.core.errors import Invalid

PASTED = Path(__file__).parent / "pasted"


def html_of(source: str, **values: str) -> str:
    found = READERS[0](rendered(compiled(source, "News {{ company }}"), values))
    assert found.html is not None
    return found.html


def body_of(source: str, **values: str) -> str:
    """What stands in the body, without the frame of ours."""
    inside = re.search(r'<div class="mail"[^>]*>\n(.*)\n</div></body>', html_of(source, **values), re.DOTALL)
    assert inside
    return inside[1]


def test_a_fragment_becomes_a_whole_document():
    html = html_of("<p>Hi</p>", company="M & S <x>")
    assert html.startswith('<!DOCTYPE html>\n<html dir="auto">\n<head>\n<meta charset="utf-8">\n')
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "<title>News M &amp; S &lt;x&gt;</title>" in html
    assert '<div class="mail" dir="auto"' in html and html.endswith("</body></html>\n")


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<iframe src='https://x.example'>c</iframe>b", "ab"),
        ("<form action='https://x.example'><input>a</form>", "a"),
        ("<a href='javascript:alert(1)'>a</a>", "<a>a</a>"),
        ("<a href='JaVa\nScript:alert(1)'>a</a>", "<a>a</a>"),
        ("<a href='data:text/html,x'>a</a>", "<a>a</a>"),
        ("<a href='/relative'>a</a>", "<a>a</a>"),
        ("<a href='https://x.example/?a=1&b=2' target=_blank>a</a>", '<a href="https://x.example/?a=1&amp;b=2" target="_blank">a</a>'),
        ("<a href='tel:+49'>a</a><a href='mailto:a@b.c'>b</a>", '<a href="tel:+49">a</a><a href="mailto:a@b.c">b</a>'),
        ("a<img src='data:image/png;base64,AA'>b<img alt=x>c", "abc"),
        ("<p style='color:red;background:url(javascript:x)'>a</p>", '<p style="color:red;background:none">a</p>'),
        ("<hr background='javascript:x' color='#fff'>", '<hr color="#fff">'),
        ("<!-- a secret --><p>a</p>", "<p>a</p>"),
        ("<svg onload='x()'><a>b</a></svg>a", "a"),
        ("<p>unclosed <b>and</p> nested", "<p>unclosed <b>and</b></p><b> nested</b>"),
        ("&#123;&#123; first_name }}", "{{ first_name }}"),
    ],
)  # fmt: skip
def test_only_what_mails_need_is_kept(source, kept):
    assert body_of(source) == kept


def test_pictures_from_the_web_stay_and_fit_a_phone():
    assert re.fullmatch(
        r'<img src="https://x\.example/a\.png" alt="A" style="max-width: 100%;height: auto;">',
        body_of("<img src=https://x.example/a.png alt=A>"),
    )


def test_style_sheets_go_inline_and_what_cannot_goes_to_the_head():
    html = html_of("<style>p{color:red} @media(max-width:600px){p{color:blue}} a:hover{color:green}</style><p>a</p>")
    assert '<p style="color: red;">a</p>' in html
    head = html.partition("</head>")[0]
    assert "@media(max-width:600px){p{color:blue}}" in head and "a:hover" in head and "color: red" not in head


@pytest.mark.parametrize(
    "css",
    ["@import url(https://x.example/a.css);", "p{behavior:url(x.htc)}", "<!-- p{} -->", "a{b:expression(1)}", "a{b:\\"],
)
def test_style_sheets_fetch_and_run_nothing(css):
    html = html_of(f"<style>{css} p{{color:red}}</style><p>a</p>")
    assert not re.search(r"@import|behavior|expression|<!--", html)


def test_style_sheets_from_the_disk_or_the_web_are_not_read(tmp_path):
    sheet = tmp_path / "a.css"
    sheet.write_text("p{color:red}")
    assert body_of(f'<link rel="stylesheet" href="{sheet}"><p>a</p>') == "<p>a</p>"
    assert body_of(f'<link rel="stylesheet" href="file://{sheet}"><p>a</p>') == "<p>a</p>"


def test_a_condition_between_table_rows_stays_where_it_is():
    source = "<table>{% if company %}<tr><td>{{ company }}</td></tr>{% else %}<tr><td>none</td></tr>{% endif %}</table>"
    assert body_of(source, company="Acme") == "<table><tbody><tr><td>Acme</td></tr></tbody></table>"
    assert body_of(source) == "<table><tbody><tr><td>none</td></tr></tbody></table>"


def test_a_paragraph_that_holds_only_a_condition_is_no_paragraph_of_the_mail():
    source = "<p>a</p><p>{% if company %}</p><p>{{ company }}</p><p class='x'>{% endif %}<br></p><p>b</p>"
    assert body_of(source, company="Acme") == "<p>a</p><p>Acme</p><p>b</p>"
    assert body_of(source) == "<p>a</p><p>b</p>"


def test_a_tag_as_an_editor_writes_it_is_understood():
    source = "<p>{{&nbsp;first_name&nbsp;|&nbsp;default: &quot;M&amp;S &lt;there&gt;&quot; }}</p>"
    assert body_of(source) == "<p>M&amp;S &lt;there&gt;</p>"
    assert body_of(source, first_name="<b>") == "<p>&lt;b&gt;</p>"


def test_the_text_that_stands_in_for_tags_may_occur_in_the_content():
    assert body_of("<p>tagz0z {{ first_name }} tagqz0z</p>", first_name="Zoë") == "<p>tagz0z Zoë tagqz0z</p>"


def test_a_condition_of_which_half_cannot_be_kept_is_refused():
    for source in ("<select>{% if company %}</select>x{% endif %}", "{% if company %}<script>{% endif %}</script>"):
        with pytest.raises(Invalid):
            compiled(source)


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 50_000, "<div>" * 30_000 + "</div>" * 30_000, "<table><tr><td>" * 3_000, "<div></x>" * 20_000, "<div>" * 300,
        "<ul><li>" * 150, "<div title='</div></div></div>'>" * 300,
    ],
)  # fmt: skip
def test_elements_in_each_other_without_end_are_refused_before_they_do_harm(source):
    with pytest.raises(Invalid, match="200 deep"):
        compiled(source)


def test_many_paragraphs_and_rows_that_nobody_closed_are_no_abyss():
    assert body_of("<p>a" * 2_000).count("<p>") == 2_000
    assert body_of("<ul>" + "<li>a" * 2_000 + "</ul>").count("<li>") == 2_000


def test_a_source_beyond_all_measure_is_refused():
    with pytest.raises(Invalid, match="characters"):
        compiled("x" * 1_000_001)


def test_a_designers_document_keeps_what_phones_and_outlook_need():
    html = html_of((PASTED / "mjml.html").read_text(), first_name="Zoë", client_id="10/1", service_domain="x.example")
    assert html.startswith('<!DOCTYPE html>\n<html lang="de" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml"')
    head, body = html.split("</head>")
    assert "@media only screen and (min-width:480px)" in head and "<o:AllowPNG/>" in head
    assert (
        ".mj-outlook-group-fix { width:100% !important; }" in head
        and "@import" not in html
        and "googleapis" not in html
    )
    assert body.count("<!--[if mso | IE]>") == 2 * 2
    assert 'href="https://x.example/10%2F1" style="height:40px' in body, (
        "the button that only Outlook draws has its link"
    )
    assert "onclick" not in html and "<script" not in html
    assert "<div>Domain: <b>x.example</b></div>" in body
    assert "background-color:#F4F4F4" in body and "{{" not in html and "tagz" not in html


def test_a_document_of_word_keeps_its_paragraphs_and_their_style():
    html = html_of((PASTED / "word.html").read_text(), first_name="Zoë", client_id="10")
    assert (
        '<p class="MsoNormal" style="margin: 0cm;font-size: 11.0pt;font-family: \'Calibri\',sans-serif;">Hallo Zoë,</p>'
        in html
    )
    assert 'href="https://x.example/10"' in html and "<o:p>" not in html and "{{" not in html


def test_no_value_closes_a_conditional_comment():
    html = html_of(
        "<!--[if mso]><p>{{ first_name }}</p><![endif]--><p>b</p>", first_name="--><script>alert(1)</script>"
    )
    assert "<!--[if mso]><p>--&gt;&lt;script&gt;alert(1)&lt;/script&gt;</p><![endif]-->" in html


@pytest.mark.parametrize("media", ["all", "screen", "only screen", "screen, projection", "SCREEN", ""])
def test_a_style_sheet_for_screens_goes_inline(media):
    assert body_of(f'<style media="{media}">p{{color:red}}</style><p>a</p>') == '<p style="color: red;">a</p>'


@pytest.mark.parametrize("media", ["print", "screen and (max-width:600px)", "(prefers-color-scheme:dark)"])
def test_a_style_sheet_for_something_else_stays_as_it_is(media):
    html = html_of(f'<style media="{media}">p{{color:red}}</style><p>a</p>')
    assert f'<style type="text/css" media="{media}">p{{color:red}}</style>' in html and "<p>a</p>" in html
