"""The fields of a message, each with the one name that it has on every page."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "from_address": "From",
        "reply_to": "Reply-To",
        "subject": "Subject",
        "preheader": "Preheader",
        "html": "Body",
        "text": "Plain text part",
    }
)
"""What the fields are called, in the order in which a person writes them."""


class Sources(Protocol):
    """What has a subject and a body, with their tags: a broadcast's content, or `MessageParts`."""

    @property
    def subject(self) -> str: ...
    @property
    def preheader(self) -> str: ...
    @property
    def html(self) -> str: ...
    @property
    def text(self) -> str | None: ...


def sources(content: Sources) -> dict[str, str]:
    """The fields that may hold tags, as they are written, in the order of reading; "" for a plain text part made from the body."""
    return {
        "subject": content.subject,
        "preheader": content.preheader,
        "html": content.html,
        "text": content.text or "",
    }


def is_blank(content: Sources) -> bool:
    """Whether nothing is written yet."""
    return not any(source.strip() for source in sources(content).values())
