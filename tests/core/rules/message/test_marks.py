"""Marks for tags that have nothing to say: in the preview alone, in texts alone, and only where nothing stands in."""

import json

import pytest

from tests.factories import NOW
from webapp.core.rules.message import MessageParts, compile_message, decoded
from webapp.core.rules.message.marks import marked, readable, shown
from webapp.core.rules.message.parts import Envelope, MailIdentity
from webapp.core.rules.tags.nodes import read_rows_key

ENVELOPE = Envelope.of("Example <news@example.com>")


def mail(parts: MessageParts, **values: str):
    message = compile_message(parts, ENVELOPE)
    identity = MailIdentity(1, "secret", "zoe@example.net", NOW)
    return decoded(message.render([values.get(tag, "") for tag in message.tags], identity))


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("Dear {{ first_name }}", 1),
        ("Dear {{ first_name | default: last_name }}", 1),
        ('Dear {{ first_name | default: "you" }}', 0),
        ("{% if first_name %}Dear {{ first_name }}{% endif %}", 0),
        ('<a href="https://a.net/{{ first_name }}">go</a>', 0),
        ("{{- first_name | upcase -}}", 1),
    ],
)
def test_a_mark_stands_where_a_blank_would_be(html: str, found: int):
    parts = MessageParts("Hi {{ last_name }}", f"<p>{html}</p>", preheader="For {{ company }}")
    seen = mail(marked(parts))
    assert shown(seen.html or "").count("first_name is empty</mark>") == found
    assert readable(seen.subject) == "Hi [last_name is empty]"
    assert "\u27e6" not in shown(seen.html or "")


def test_who_has_a_value_sees_the_mail_as_it_is():
    parts = MessageParts("Hi {{ last_name }}", "<p>Dear {{ first_name }}</p>")
    values = {"first_name": "Zoë", "last_name": "Oster"}
    assert mail(marked(parts), **values) == mail(parts, **values)


def test_a_blank_of_a_listed_service_is_marked_in_its_row():
    html = "{% for service in services %}<p>{{ service.domain }} {{ service.product }}</p>{% endfor %}"
    message = compile_message(marked(MessageParts("Hi", html)), ENVELOPE)
    _limit, fields = read_rows_key(message.tags[-1]) or (0, [])
    services = ({"domain": "", "product": "VPS-2"}, {"domain": "a.net", "product": "VPS-4"})
    rows = json.dumps([[one[field.removeprefix("service.")] for field in fields] for one in services])
    identity = MailIdentity(1, "secret", "zoe@example.net", NOW)
    seen = shown(decoded(message.render([rows for _ in message.tags], identity)).html or "")
    assert seen.count("service.domain is empty</mark> VPS-2") == 1 and "a.net VPS-4" in seen
