"""DKIM-Signature fields for a mail (RFC 6376 section 3.5), one for each key."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from webapp.core.rules.dkim.canonical import BodyHash, b64, field
from webapp.core.rules.dkim.keys import SigningKey

_SIGNED = (
    "From To Subject Date Message-ID MIME-Version Content-Type Content-Transfer-Encoding Reply-To List-Unsubscribe"
)
SIGNED = (*_SIGNED.split(" "), "List-Unsubscribe-Post", "List-Id", "Feedback-ID", "Auto-Submitted")
"""Fields that are signed where the mail has them. From stands once more than it is there, so that none can be added (RFC 6376 section
8.15)."""

VALID_FOR = timedelta(days=7)
"""A signature can be verified this long, and so long a key's record stays in DNS after its last mail. Relays give up after five days."""

_NAMES = {name.lower().encode(): name for name in SIGNED}
_FIELDS = re.compile(rb"\r\n(?![ \t])")
_OWN_TO_EACH = frozenset((b"to", b"subject", b"message-id", b"list-unsubscribe"))
"""Fields that no two mails share, so that their forms are not kept."""

_B_COLUMNS = 72

_relaxed = lru_cache(maxsize=256)(field)


class MailSigner:
    """Signs mails with all keys of their sender's domain that sign at the mail's Date. Threads may share it."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self.keys = tuple(keys)
        self._bodies = BodyHash()

    def fields(self, mail: bytes, date: datetime, tail: Sequence[bytes] = ()) -> bytes:
        """The fields to put in front of a mail (header, empty line and body, with CRLF), each with its CRLF; b"" where no key signs. `date`
        (aware) is that of the mail: the same mail is always signed with the same bytes. `tail` is the rest of its body, see `BodyHash`."""
        keys = [key for key in self.keys if key.signs(date)]
        if not keys:
            return b""
        head, _, body = mail.partition(b"\r\n\r\n")
        names, signed = _signed(head)
        hashed = sha256(signed)
        at = int(date.timestamp())
        ends = at + int(VALID_FOR.total_seconds())
        bh = self._bodies.of(body, tail)
        out = []
        for key in keys:
            unsigned = (
                f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n\td={key.domain}; s={key.selector};"
                f" t={at}; x={ends};\r\n\th={names};\r\n\tbh={bh.decode()};\r\n\tb="
            ).encode()
            digest = hashed.copy()
            digest.update(field(unsigned))
            signature = b64(key.sign(digest.digest()))
            lines = [signature[begin : begin + _B_COLUMNS] for begin in range(0, len(signature), _B_COLUMNS)]
            out += [unsigned, b"\r\n\t".join(lines), b"\r\n"]
        return b"".join(out)


def _signed(head: bytes) -> tuple[str, bytes]:
    """The names for h=, folded, and the relaxed fields in their order, each with its CRLF. Where a field stands several times, the last
    one is signed first (RFC 6376 section 5.4.2)."""
    found: dict[bytes, list[bytes]] = {}
    for raw in _FIELDS.split(head):
        name = raw[: raw.find(b":")].rstrip(b" \t").lower()
        if name in _NAMES:
            found.setdefault(name, []).append(field(raw) if name in _OWN_TO_EACH else _relaxed(raw))
    ordered = [(name, forms) for name in _NAMES if (forms := found.get(name))]
    return _listed(tuple((name, len(forms)) for name, forms in ordered)), b"".join(
        [form + b"\r\n" for _, forms in ordered for form in reversed(forms)]
    )


@lru_cache(maxsize=64)
def _listed(present: tuple[tuple[bytes, int], ...]) -> str:
    words = [_NAMES[name] for name, times in present for _ in range(times + (name == b"from"))]
    lines = [words[begin : begin + 5] for begin in range(0, len(words), 5)]
    return ":\r\n\t ".join(":".join(line) for line in lines)
