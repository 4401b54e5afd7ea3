"""The preheader: hidden words at the beginning of the HTML, which lists of mails show behind the subject."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from webapp.core.errors import Invalid
from webapp.core.rules.message import Envelope, MailIdentity, MessageParts, compile_message

ENVELOPE = Envelope.of("Example <news@example.com>")


def written(parts: MessageParts, **values: str):
    """HTML and text as an independent parser reads them."""
    message = compile_message(parts, ENVELOPE)
    identity = MailIdentity(1, "secret", "zoe@example.net", datetime(2026, 11, 23, tzinfo=UTC))
    mail = message_from_bytes(
        message.render([values.get(tag, "") for tag in message.tags], identity), policy=policy.default
    )
    bodies = {part.get_content_subtype(): part.get_content() for part in mail.walk() if not part.is_multipart()}
    return bodies.get("html", ""), bodies["plain"]


def test_it_stands_first_and_hidden_with_each_recipients_own_words():
    parts = MessageParts("News", "<p>Dear client,</p>", preheader="For {{ first_name }}: 3 < 4 & more")
    html, text = written(parts, first_name="<Zoë>")
    assert "For &lt;Zoë&gt;: 3 &lt; 4 &amp; more" in html
    assert html.index("For ") < html.index("Dear client")
    assert "display:none" in html[: html.index("For ")].replace(" ", "")
    assert text.strip() == "Dear client,"


def test_it_stands_behind_the_beginning_of_the_body_of_a_whole_document():
    source = "<html><head><title>x</title></head><body class='a'><p>Dear client,</p></body></html>"
    html, _ = written(MessageParts("News", source, preheader="Short"))
    assert html.lower().index("<body") < html.index("Short") < html.index("Dear client")


@pytest.mark.parametrize("preheader", ["", "  \n "])
def test_without_words_the_mail_is_as_it_was(preheader):
    assert written(MessageParts("N", "<p>x</p>", preheader=preheader)) == written(MessageParts("N", "<p>x</p>"))


def test_a_mail_of_text_alone_has_none():
    assert written(MessageParts("N", "", "Hello", preheader="Short"))[1].strip() == "Hello"


def test_its_tags_are_checked_as_those_of_a_text():
    with pytest.raises(Invalid) as refused:
        compile_message(MessageParts("N", "<p>x</p>", preheader="{{ frist_name }}"), ENVELOPE)
    assert refused.value.field == "preheader"
