"""Marks for tags that have nothing to say: in the preview alone, in texts alone, and only where nothing stands in."""

import pytest

from tests.factories import NOW
from webapp.core.rules.message import MessageParts, compile_message, decoded
from webapp.core.rules.message.marks import marked, readable, shown
from webapp.core.rules.message.parts import Envelope, MailIdentity

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
