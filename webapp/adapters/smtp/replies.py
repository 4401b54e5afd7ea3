"""Bytes from the relay, cut anywhere, into replies (RFC 5321 section 4.2)."""

import re

LONGEST = 16_384
"""Octets of one reply, all lines together. RFC 5321 section 4.5.3.1.5 allows 512 a line; real relays write more."""

_WHOLE = re.compile(rb"([2-5]\d\d) ([^\r\n]*)\r\n")
_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])([^\n]*)|\r?)\n")
_GO_AHEAD = re.compile(rb"2\d\d [^\r\n]*\r\n2\d\d [^\r\n]*\r\n354 [^\r\n]*\r\n")

Answer = tuple[int, bytes]
"""Code and text of a reply; the texts of its lines are joined by LF."""


class Garbled(Exception):
    """The relay sent something that is no reply; `args[0]` is the beginning of it, in bytes."""


class ReplyReader:
    """Collects what the relay sends and gives it back reply by reply."""

    __slots__ = ("_buffer", "_code", "_position", "_size", "_texts")

    def __init__(self) -> None:
        self._buffer = b""
        self._position = 0
        self._code = b""
        self._texts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Add octets as they came from the connection."""
        self._buffer = self._buffer[self._position :] + data if self._position < len(self._buffer) else data
        self._position = 0

    @property
    def is_empty(self) -> bool:
        """True when every octet was given back."""
        return self._position >= len(self._buffer) and not self._texts

    @property
    def rest(self) -> bytes:
        """The octets that are no whole line yet."""
        return self._buffer[self._position :]

    def next(self) -> Answer | None:
        """The next reply; None when it is not complete yet. Raises Garbled."""
        if self._position >= len(self._buffer):
            return None
        if not self._texts and (whole := _WHOLE.match(self._buffer, self._position)) is not None:
            self._position = whole.end()
            return int(whole[1]), whole[2]
        return self._next_of_many()

    def _next_of_many(self) -> Answer | None:
        """The next reply when it has several lines, is not complete, or is malformed."""
        while self._position < len(self._buffer):
            match = _LINE.match(self._buffer, self._position)
            if match is None:
                self._check_rest()
                return None
            self._position = match.end()
            code, mark, text = match.groups()
            text = text or b""
            if text[-1:] == b"\r":
                text = text[:-1]
            if mark != b"-" and not self._texts:
                return int(code), text
            self._size += len(match[0])
            if self._size > LONGEST or (self._texts and code != self._code):
                raise Garbled(match[0][:200])
            self._code = code
            self._texts.append(text)
            if mark != b"-":
                texts, self._texts, self._size = self._texts, [], 0
                return int(code), b"\n".join(texts)
        return None

    def goes_ahead(self) -> bool:
        """Take the next three replies if they are there and agree to MAIL, RCPT and DATA; then True. The common case of a pipelined mail
        takes one look."""
        match = _GO_AHEAD.match(self._buffer, self._position)
        if match is None:
            return False
        self._position = match.end()
        return True

    def _check_rest(self) -> None:
        """The rest is no whole line: make sure that it can become one."""
        rest = len(self._buffer) - self._position
        if self._buffer.find(b"\n", self._position) >= 0 or self._size + rest > LONGEST:
            raise Garbled(self._buffer[self._position : self._position + 200].partition(b"\n")[0])


def as_text(raw: bytes) -> str:
    """The relay's words as text that any database and page can hold: without control characters but LF, and without undecodable octets."""
    text = raw.decode("utf-8", "replace")
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text).rstrip()
