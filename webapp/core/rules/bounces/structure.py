"""A mail that came back, taken apart by the standard library within bounds: whatever is in it, this ends soon and raises nothing."""

import contextlib
import email
import email.policy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from functools import cached_property

from webapp.core.rules.encoded_words import readable

LARGEST = 256 * 1024
"""Octets of a mail that are looked at. What says why a mail came back stands before the mail itself."""

MOST_PARTS, MOST_TEXT, LONGEST_LINE, LONGEST_FIELD = 60, 48 * 1024, 998, 2_000
"""Parts of a mail, characters of its text, of one line (RFC 5322 section 2.1.1) and of a field that are looked at."""

_NESTS = re.compile(rb"boundary\s*=|message/(?:rfc822|global)", re.IGNORECASE)
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Returned:
    """A mail that came back. `message` is the standard library's reading of it; `raw` what was read, cut at `LARGEST`."""

    message: Message
    raw: bytes

    def field(self, name: str) -> str:
        """A header field, decoded and in one line; "" where there is none."""
        return field_of(self.message, name)

    def fields(self, name: str) -> Sequence[str]:
        """All header fields of a name, as they stand there."""
        return [_text(value)[:LONGEST_FIELD] for value in _raw(self.message, name)[:20]]

    @cached_property
    def parts(self) -> Sequence[Message]:
        """All parts from the outside in, up to `MOST_PARTS`, those of the returned mail behind the report's own."""
        return list(_walk(self.message))

    def of_kind(self, *kinds: str) -> Iterator[Message]:
        """The parts of these content types (lower case)."""
        return (part for part in self.parts if part.get_content_type() in kinds)

    @cached_property
    def own_text(self) -> str:
        """What the mail itself says in words, without the mail that it returns: its parts of text, decoded, HTML without its tags."""
        texts, size = [], 0
        for part in _walk(self.message, into_returned=False):
            if part.get_content_maintype() == "text" and part.get_content_type() != "text/rfc822-headers":
                text = text_of(part)
                if part.get_content_type() == "text/html":
                    text = re.sub(r"<[^<>]{0,500}>", " ", re.sub(r"(?i)<(?:br|/p|/tr|/div)\b[^<>]{0,200}>", "\n", text))
                texts.append(text)
                size += len(text)
                if size > MOST_TEXT:
                    break
        return "\n".join(texts)[:MOST_TEXT]


def parsed(raw: bytes) -> Returned:
    """The mail in these octets; for what no parser takes, one without header whose text they are."""
    raw = b"\n".join(line[:LONGEST_LINE] for line in _LINE_ENDS.split(raw[:LARGEST]))
    try:
        # The parser tries each line with the boundary of each part that it is in: a nest of thousands takes seconds.
        if len(_NESTS.findall(raw)) > MOST_PARTS:
            raise ValueError("too many parts in each other")
        return Returned(email.message_from_bytes(raw, policy=email.policy.compat32), raw)
    except Exception:  # hostile input finds holes in any parser, and a mail that nobody can read still has words
        flat = Message()
        flat.set_payload(raw.decode("latin-1"))
        return Returned(flat, raw)


def _walk(message: Message, *, into_returned: bool = True) -> Iterator[Message]:
    """Parts, breadth first."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        yield part
        is_report = part.get_content_type() in ("message/delivery-status", "message/global-delivery-status")
        is_returned = part.get_content_maintype() == "message" and part is not message
        if part.is_multipart() and not is_report and (into_returned or not is_returned):
            waiting += [one for one in part.get_payload() if isinstance(one, Message)]


def text_of(part: Message) -> str:
    """A part's text, decoded as well as can be, with \\n as line ends."""
    try:
        payload = part.get_payload(decode=True)
    except Exception:  # as above
        payload = None
    if not isinstance(payload, bytes):
        payload = str(part.get_payload()).encode("utf-8", "replace") if not part.is_multipart() else b""
    payload = payload[: 4 * MOST_TEXT]
    try:
        text = payload.decode(str(part.get_content_charset("utf-8")), "replace")
    except (LookupError, ValueError):
        text = payload.decode("utf-8", "replace")
    return text[:MOST_TEXT].replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")


def field_of(message: Message, name: str) -> str:
    """A header field, decoded and in one line, cut at `LONGEST_FIELD`."""
    text = _text(next(iter(_raw(message, name)), ""))[:LONGEST_FIELD]
    with contextlib.suppress(Exception):  # as above
        text = readable(text)
    return " ".join(text.split())


def _raw(message: Message, name: str) -> Sequence[str]:
    """The contents of a field's occurrences as they came; the parser's own reading replaces what is not ASCII."""
    return [str(value) for field, value in message.raw_items() if field.lower() == name.lower()]


def _text(value: object) -> str:
    """A field's content: octets outside ASCII read as UTF-8, else as Latin-1."""
    octets = str(value).encode("ascii", "surrogateescape") if _is_escaped(str(value)) else None
    if octets is None:
        return str(value)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _is_escaped(text: str) -> bool:
    try:
        text.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return not text.isascii()
