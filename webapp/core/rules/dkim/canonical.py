"""The relaxed forms of header fields and bodies (RFC 6376 sections 3.4.2 and 3.4.4), and the hash of a body.

>>> field(b"Subject:  Hello\\r\\n  there ")
b'subject:Hello there'
>>> body(b"Dear  Anna, \\r\\n\\r\\nGo on.\\r\\n\\r\\n\\r\\n")
b'Dear Anna,\\r\\n\\r\\nGo on.\\r\\n'
"""

import re
from binascii import b2a_base64
from collections.abc import Sequence
from hashlib import sha256
from itertools import takewhile

_BLANKS = re.compile(rb"[ \t]+")
_BLANKS_AT_LINE_ENDS = re.compile(rb"[ \t]+(?=\r\n|\Z)")
_BREAKS = re.compile(rb"\r\n")
_WHOLE_LINES = re.compile(rb"(?s:.*)[^ \t\r\n][ \t]*\r\n")

SHORTEST = 512
"""Octets that a beginning must have in common with others to be worth keeping: hashing them takes less than looking."""


def field(raw: bytes) -> bytes:
    """A header field without its last CRLF: name in lower case, folds undone, each run of blanks one blank, none around the value."""
    name, _, value = raw.partition(b":")
    return name.rstrip(b" \t").lower() + b":" + _BLANKS.sub(b" ", _BREAKS.sub(b"", value)).strip(b" ")


def body(raw: bytes) -> bytes:
    """A body: no blanks at the ends of lines, each other run of them one blank, no empty lines at the end; CRLF at the end of what is not
    empty."""
    raw = lines(raw)
    if raw.endswith(b"\r\n") and not raw.endswith(b"\r\n\r\n") and len(raw) > 2:
        return raw
    end = len(raw)
    while raw.endswith(b"\r\n", 0, end):
        end -= 2
    return raw[:end] + b"\r\n" if end else b""


def lines(raw: bytes) -> bytes:
    """The lines of a body as they stand in it where more follows."""
    if b"  " in raw or b"\t" in raw or b" \r\n" in raw or raw.endswith(b" "):
        return _BLANKS.sub(b" ", _BLANKS_AT_LINE_ENDS.sub(b"", raw))
    return raw


class BodyHash:
    """The hashes of bodies that have much in common: what all began with so far is hashed once, and a body like the last one not at all.

    Threads may share it: what is known is replaced as a whole, and each answer depends on its body alone.
    """

    def __init__(self) -> None:
        self._start: bytes | None = None
        self._hashed = (b"", sha256())
        self._last: tuple[bytes, bytes, Sequence[bytes]] | None = None

    def of(self, raw: bytes, tail: Sequence[bytes] = ()) -> bytes:
        """SHA-256 of the relaxed body, in base64. `tail` follows after `raw`, in its relaxed form already, with a last line that is not
        empty; it is hashed where it lies."""
        last = self._last
        if last is not None and raw == last[0] and tail == last[2]:
            return last[1]
        start, hashed = self._hashed
        if last is not None and (self._start is None or not raw.startswith(start)):
            self._start = start = _common(last[0] if self._start is None else start, raw)
            hashed = sha256(body(start))
            self._hashed = (start, hashed)
        digest = hashed.copy()
        # The beginning ends with a line that is not empty, so what follows has its form for itself.
        rest = raw[len(start) :]
        digest.update(lines(rest) if tail else body(rest))
        for piece in tail:
            digest.update(piece)
        found = b64(digest.digest())
        self._last = (raw, found, tail)
        return found


def _common(one: bytes, other: bytes) -> bytes:
    """What two bodies begin with: whole lines, of which the last is not empty."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    found = _WHOLE_LINES.match(other, 0, same) if same >= SHORTEST else None
    return found.group() if found else b""


def b64(data: bytes) -> bytes:
    return b2a_base64(data, newline=False)
