"""Content compiled and mails rendered: structure, encodings, limits, refusals, previews."""

import re
from dataclasses import replace

import pytest

from tests.core.rules.message.mails import ENVELOPE, compiled, rendered, stamp
from tests.core.rules.message.readers import READERS, fit_for_the_wire
from webapp.core.errors import Invalid
from webapp.core.rules.message import MessageTooLarge, preview


def encodings(mail: bytes) -> list[bytes]:
    return re.findall(rb"Content-Transfer-Encoding: ([\w-]+)", mail)


def test_a_mail_has_a_text_and_an_html_part_in_this_order():
    mail = rendered(compiled("<p>Hi {{ first_name }}</p>", "Hello {{ first_name }}"), {"first_name": "Zoë"})
    assert re.findall(rb"Content-Type: ([\w/]+)", mail) == [b"multipart/alternative", b"text/plain", b"text/html"]
    assert fit_for_the_wire(mail)


def test_a_preview_shows_an_address_outside_ascii_and_the_name_as_they_are():
    seen = preview(compiled("<p>x</p>"), ["Žofie Malá"], stamp(address="žofie用户@example.com"))
    assert dict(seen.headers)["To"] == "Žofie Malá <žofie用户@example.com>"
    assert seen.text == "x\n"


def test_without_html_the_mail_is_text_alone():
    mail = rendered(compiled(text="Hi {{ first_name }}"), {"first_name": "Zoë"})
    assert b"multipart" not in mail and b"Content-Type: text/plain" in mail
    assert READERS[0](mail).text == "Hi Zoë\n"


def test_the_first_tag_is_always_the_full_name_and_each_comes_once():
    message = compiled(
        "<p>{{ company }}{{ first_name | default: email }}</p>", "{{ first_name }}{% if status %}x{% endif %}"
    )
    assert message.tags == ("full_name", "first_name", "status", "company", "email")


def test_scripts_that_quoted_printable_bloats_go_in_base64():
    assert encodings(rendered(compiled("<p>Hello</p>"), {})) == [b"quoted-printable", b"quoted-printable"]
    russian = "<p>" + "Съешь же ещё этих мягких французских булок. " * 10 + "</p>"
    assert encodings(rendered(compiled(russian), {})) == [b"base64", b"base64"]
    mixed = compiled(russian, text="Hello {{ first_name }}")
    assert encodings(rendered(mixed, {})) == [b"quoted-printable", b"base64"]


@pytest.mark.parametrize("length", range(60))
def test_base64_joins_values_of_any_length_with_what_stands_around_them(length):
    message = compiled(
        text="{{ first_name }}ж{{ company }}" + "Привет, как дела? Всё хорошо и у нас. " * 3 + "{{ email }}"
    )
    values = {"first_name": "a" * length, "company": "é" * (length // 2), "email": "x" * (length % 7)}
    text = READERS[0](rendered(message, values)).text
    assert (
        text
        == f"{values['first_name']}ж{values['company']}{'Привет, как дела? Всё хорошо и у нас. ' * 3}{values['email']}\n"
    )


def test_values_in_addresses_are_percent_encoded_and_elsewhere_escaped():
    link = '<a href="https://x.example/{{ company }}?q={{ company }}" title="{{ company }}">{{ company }}</a>'
    html = f'{link}<a href="mailto:{{{{ email }}}}">m</a>'
    mail = rendered(compiled(html), {"company": 'A/B&"C" ü', "email": "a+b@c.example"})
    found = READERS[0](mail)
    address = "https://x.example/A%2FB%26%22C%22%20%C3%BC?q=A%2FB%26%22C%22%20%C3%BC"
    assert f'href="{address}"' in found.html
    assert 'title="A/B&amp;&quot;C&quot; ü">A/B&amp;&quot;C&quot; ü</a>' in found.html
    assert 'href="mailto:a%2Bb@c.example"' in found.html
    assert f'A/B&"C" ü <{address}>' in found.text


def test_a_mail_that_would_be_too_large_is_refused_and_only_that_one():
    message = compiled(text="{{ company }}", envelope=replace(ENVELOPE, max_bytes=3_000))
    rendered(message, {"company": "x" * 1_000})
    with pytest.raises(MessageTooLarge, match="is the most that is sent") as refusal:
        rendered(message, {"company": "x" * 3_000})
    assert refusal.value.limit == 3_000 < refusal.value.size


def test_content_that_is_too_large_by_itself_is_refused_at_once():
    with pytest.raises(MessageTooLarge):
        compiled(text="x" * 5_000, envelope=replace(ENVELOPE, max_bytes=3_000))


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"subject": "{{ nme }}"}, "subject"),
        ({"html": "<p>{% if company %}</p>"}, "html"),
        ({"html": '<a href="{{ email }}">x</a>'}, "html"),
        ({"text": "{{ fir"}, "text"),
        ({"text": "half \ud800"}, "text"),
        ({"subject": "half \ud800"}, "subject"),
    ],
)
def test_content_with_problems_is_refused_and_its_field_named(parts, field):
    with pytest.raises(Invalid) as refusal:
        compiled(**{"html": "<p>x</p>"} | parts)
    assert refusal.value.field == field


def test_control_characters_of_the_content_do_not_reach_the_mail():
    mail = rendered(compiled("<p>a\x00b\x0bc</p>", "x\x00\r\ny", "a\r\nb\rc\x1b"), {})
    assert fit_for_the_wire(mail)
    found = READERS[0](mail)
    assert (found.subject, found.text) == ("x y", "a\nb\nc\n")
    assert "<p>abc</p>" in found.html


def test_the_number_of_values_must_be_that_of_the_tags():
    with pytest.raises(ValueError, match="1 values for 2 tags"):
        compiled(text="{{ company }}").render(["x"], stamp())


def test_a_preview_is_what_the_bytes_say():
    message = compiled("<p>Hi {{ first_name }}</p>", "Für {{ first_name }}")
    values = ["जीवन " * 30, "Zoë & Co"]
    found = preview(message, values, stamp(), [("List-Unsubscribe", "<https://x.example/u>")])
    assert found.subject == "Für Zoë & Co"
    assert found.text == "Hi Zoë & Co\n" and "<p>Hi Zoë &amp; Co</p>" in found.html
    fields = dict(found.headers)
    assert fields["To"] == f"{values[0].strip()} <zoe@example.net>"
    assert fields["List-Unsubscribe"] == "<https://x.example/u>"
    assert found.size == len(message.render(values, stamp(), [("List-Unsubscribe", "<https://x.example/u>")]))


def test_a_preview_of_text_alone_has_no_html():
    found = preview(compiled(text="Hi"), [""], stamp())
    assert (found.html, found.text) == (None, "Hi\n")
