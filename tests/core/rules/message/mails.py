"""Contents, values and mails for the tests."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from webapp.core.rules.message import CompiledMessage, Envelope, MailIdentity, MessageParts, compile_message

ENVELOPE = Envelope.of("Example Hosting <news@example.com>", "Support <help@example.com>")


def compiled(
    html: str = "", subject: str = "News", text: str | None = None, envelope: Envelope = ENVELOPE
) -> CompiledMessage:
    return compile_message(MessageParts(subject, html, text), envelope)


def stamp(delivery_id: int = 17, address: str = "zoe@example.net", secret: str = "0123456789abcdef") -> MailIdentity:
    return MailIdentity(delivery_id, secret, address, datetime(2026, 11, 23, 9, 5, 7, tzinfo=UTC))


def rendered(
    message: CompiledMessage,
    values: Mapping[str, str],
    extra: Sequence[tuple[str, str]] = (),
    *,
    to: MailIdentity | None = None,
) -> bytes:
    """The mail with values by name; "" for tags that have none."""
    return message.render([values.get(name, "") for name in message.tags], to or stamp(), extra)
