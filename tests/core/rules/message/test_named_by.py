"""Headers by which relays name a mail in what they report: each as its relay reads it, read back by the standard library."""

import email
import json
from datetime import UTC, datetime

import pytest

from webapp.core.errors import Invalid
from webapp.core.rules.message import Envelope, Frame, MailIdentity, MessageParts, compile_message, message_id
from webapp.core.rules.relay_events.matching import matching_header
from webapp.core.rules.relay_events.providers import Provider

STAMP = MailIdentity(17, "secret", "ada@example.net", datetime(2026, 11, 23, tzinfo=UTC))
MARK = message_id(17, "secret", "").rstrip("@")


def mail(*named_by: tuple[str, str, str]) -> email.message.Message:
    frame = Frame("https://mail.example.com", named_by=named_by)
    message = compile_message(MessageParts("News", "<p>Hello</p>"), Envelope.of("Example <news@example.com>"), frame)
    return email.message_from_bytes(message.render([""] * len(message.tags), STAMP))


def test_each_relay_finds_the_mail_in_its_own_header():
    found = mail(*map(matching_header, Provider))
    assert json.loads(found["X-Mailgun-Variables"]) == {"mail-id": MARK}
    assert json.loads(found["X-SMTPAPI"]) == {"unique_args": {"mail-id": MARK}}
    assert found["X-PM-Metadata-mail-id"] == found["X-Mailin-custom"] == MARK
    assert found["X-SES-MESSAGE-TAGS"] == "mail-id=" + MARK.replace(".", "-")
    assert found["Message-ID"] == f"<{MARK}@example.com>"


def test_without_them_a_mail_is_as_it_was():
    assert not [name for name in mail().keys() if name.startswith("X-")]  # noqa: SIM118


@pytest.mark.parametrize("name", ["Bcc", "X A", "X:", "", "X\r\nBcc"])
def test_a_header_that_cannot_be_one_is_refused(name: str):
    with pytest.raises(Invalid):
        mail((name, "{}", "."))
