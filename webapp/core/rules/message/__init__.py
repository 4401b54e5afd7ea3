"""Mails: content is compiled once for a broadcast, and rendered for each recipient to the bytes that go to the relay."""

from webapp.core.rules.message.compile import CompiledMessage, compile_message
from webapp.core.rules.message.enclosures import Enclosed, Enclosure
from webapp.core.rules.message.headers import message_id
from webapp.core.rules.message.parts import (
    Counting,
    Envelope,
    Frame,
    MailIdentity,
    MessageParts,
    MessageTooLarge,
    RenderError,
)
from webapp.core.rules.message.preview import Preview, decoded, preview

__all__ = [
    "CompiledMessage",
    "Counting",
    "Enclosed",
    "Enclosure",
    "Envelope",
    "Frame",
    "MailIdentity",
    "MessageParts",
    "MessageTooLarge",
    "Preview",
    "RenderError",
    "compile_message",
    "decoded",
    "message_id",
    "preview",
]
