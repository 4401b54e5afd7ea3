"""Which mail of ours a mail speaks of: the mark that its Message-ID and its own field bear, and where the answer was sent to."""

import re
from collections.abc import Iterator, Sequence

from webapp.core.rules.bounces.structure import Returned, text_of

MARK = re.compile(r"(?<![\w.])(\d{1,19}\.[0-9a-f]{32})(?![0-9a-f])(?:@([A-Za-z0-9.-]{1,253}[A-Za-z0-9]))?")
"""What stands on the left of our Message-IDs (`message/headers.py`), and in our own field: a delivery, and what proves that it is meant."""

_RECIPIENT_FIELDS = ("Delivered-To", "X-Original-To", "X-Envelope-To", "Envelope-To", "X-Delivered-To", "To", "Cc")
_ADDRESS = re.compile(r"[^\s<>;,:\"()]{1,64}@[^\s<>;,:\"()]{1,255}")
_MOST_MARKS, _MOST_ADDRESSES = 10, 20


def marks(returned: Returned) -> Sequence[str]:
    """The marks in a mail, those of the mail that it returns first, whatever part or quotation they stand in; each once."""
    found: dict[str, None] = {}
    for text in _texts(returned):
        for match in MARK.finditer(text):
            found.setdefault(match.group(1))
            if len(found) == _MOST_MARKS:
                return list(found)
    return list(found)


def _texts(returned: Returned) -> Iterator[str]:
    for part in returned.of_kind("message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers"):
        inner = part.get_payload()
        if isinstance(inner, list):
            yield "\n".join(f"{name}: {value}" for one in inner[:1] for name, value in getattr(one, "items", list)())
        else:
            yield text_of(part)
    for name in ("In-Reply-To", "References", "X-Original-Message-ID", "Original-Message-ID"):
        yield from returned.fields(name)
    yield returned.raw.decode("latin-1")
    for part in returned.parts:  # encoded ones
        if not part.is_multipart() and part.get("Content-Transfer-Encoding", "").strip().lower() in (
            "base64",
            "quoted-printable",
        ):
            yield text_of(part)


def recipients(returned: Returned) -> Sequence[str]:
    """The addresses that the mail was sent to, as its own header names them."""
    found: dict[str, None] = {}
    for name in _RECIPIENT_FIELDS:
        for field in returned.fields(name):
            for match in _ADDRESS.finditer(field):
                found.setdefault(match.group())
    return list(found)[:_MOST_ADDRESSES]
