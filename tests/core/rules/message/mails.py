"""Contents, values and mails for the tests."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from webapp.core.rules.message import CompiledMessage, Envelope, MailIdentity, MessageParts, compile_message
from webapp.core.rules.tags.nodes import read_rows_key

ENVELOPE = Envelope.of("Example Hosting <news@example.com>", "Support <help@example.com>")


def compiled(
    html: str = "", subject: str = "News", text: str | None = None, envelope: Envelope = ENVELOPE
) -> CompiledMessage:
    return compile_message(MessageParts(subject, html, text), envelope)


def stamp(delivery_id: int = 17, address: str = "zoe@example.net", secret: str = "0123456789abcdef") -> MailIdentity:
    return MailIdentity(delivery_id, secret, address, datetime(2026, 11, 23, 9, 5, 7, tzinfo=UTC))


def rendered(
    message: CompiledMessage,
    values: Mapping[str, Any],
    extra: Sequence[tuple[str, str]] = (),
    *,
    to: MailIdentity | None = None,
) -> bytes:
    """The mail with values by key; "" for tags that have none. `services` are mappings from a field to its value."""
    return message.render([_value(key, values) for key in message.tags], to or stamp(), extra)


def _value(key: str, values: Mapping[str, Any]) -> str:
    if found := read_rows_key(key):
        return json.dumps([[service[field] for field in found[1]] for service in values.get("services", ())])
    return values.get(key, "")
