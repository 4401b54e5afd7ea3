"""Header fields of a mail: folded at 76 columns, with encoded words where text is not ASCII (RFC 5322, RFC 2047). All of it is ASCII but an
address that has no such form (RFC 6532).

Nothing that goes in can begin a new field: control characters become blanks or go, and what is not plain is encoded.
"""

import re
from binascii import b2a_base64
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

from webapp.core.errors import Invalid
from webapp.core.rules.message.parts import NO_TOKEN, Frame

SUPPORT_ID = "X-Massmail-Id"
"""The field that says which delivery a mail is, also where a relay has put a Message-ID of its own: what stands in ours before the @."""

WIDTH = 76
"""Columns of a line with an encoded word in it (RFC 2047 section 2); used for every line that can be folded."""
HARD_WIDTH = 998
"""Octets that no line may exceed (RFC 5322 section 2.1.1)."""

_OF_A_MAIL = "from to cc bcc reply-to sender subject date message-id mime-version content-type content-transfer-encoding return-path"
OURS = frozenset(_OF_A_MAIL.split(" "))
"""Fields that the compiler writes itself, or that a mail to one recipient must not have."""

_FIELD_NAME = re.compile(r"[!-9;-~]+")
_PLAIN_TEXT = re.compile(r"(?!.*=\?)[!-~]+(?: [!-~]+)*")
_ATOMS = re.compile(r"(?!.*=\?)[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_ADDRESS = re.compile(r"[!#-'*+\--9=?A-Z^-~]{1,64}@[A-Za-z0-9.-]{1,255}")
_INTERNATIONAL = re.compile(r"[!#-'*+\--9=?A-Z^-~\xa1-\U0010ffff]{1,64}@[A-Za-z0-9.-]{1,255}")
_BLANKS = re.compile("[ \t\n\v\f\r\x85\u2028\u2029]+")
_STRUCTURED = re.compile(
    r"(?:list-[a-z-]+|message-id|in-reply-to|references|feedback-id|auto-submitted|precedence)", re.IGNORECASE
)
_Q_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")
_Q = ["_" if byte == 0x20 else chr(byte) if byte in _Q_SAFE else f"={byte:02X}" for byte in range(256)]


def one_line(text: str) -> str:
    """The text without control characters, every run of blanks and line ends as one blank."""
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable() or c in "\t\n\v\f\r\x85" or ord(c) > 0x9F)
    return _BLANKS.sub(" ", text).strip(" ")


def unstructured(name: str, text: str) -> str:
    """A field whose content is free text, such as Subject: with its CRLF, folded. Raises UnicodeEncodeError for half a surrogate pair."""
    if len(name) + 2 + len(text) <= WIDTH and _PLAIN_TEXT.fullmatch(text):
        return f"{name}: {text}\r\n"
    text = one_line(text)
    if not text:
        return f"{name}:\r\n"
    if _PLAIN_TEXT.fullmatch(text):
        folded = _folded(name, text.split(" "))
        if folded:
            return folded
    return f"{name}: {encoded_words(text, len(name) + 2)}\r\n"


def mailbox(name: str, display_name: str, address: str) -> str:
    """A field with one address, such as To: with its CRLF. `display_name` may be empty. Raises ValueError for an address that would end
    where it should not or whose domain is not ASCII, UnicodeEncodeError for half a surrogate pair in the name."""
    if not (_ADDRESS.fullmatch(address) or (_INTERNATIONAL.fullmatch(address) and address.isprintable())):
        raise ValueError(f"{address!r} is not an address as it can stand in a header")
    display_name = one_line(display_name)
    if not display_name:
        return f"{name}: {address}\r\n"
    room = WIDTH - len(name) - 2
    if len(display_name) <= room and _ATOMS.fullmatch(display_name):
        words = display_name
    elif display_name.isascii() and "=?" not in display_name and len(quoted := _quoted_string(display_name)) <= room:
        words = quoted
    else:
        words = encoded_words(display_name, len(name) + 2)
    column = len(words) - words.rfind("\n") - 1 if "\n" in words else len(name) + 2 + len(words)
    fold = "\r\n" if column + len(address) + 3 > WIDTH else ""
    return f"{name}: {words}{fold} <{address}>\r\n"


def _quoted_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def extra(name: str, value: str) -> str:
    """A further field, with its CRLF. List-* and the other fields that programs read are never encoded and only folded between their
    items (RFC 2369 section 2); all others are free text. Raises Invalid for a name or value that cannot stand in a header."""
    if not _FIELD_NAME.fullmatch(name) or name.lower() in OURS:
        raise Invalid(f"{name!r} cannot be added as a header.")
    if not _STRUCTURED.fullmatch(name):
        return unstructured(name, value)
    if not re.fullmatch(r"[ -~]*", value):
        raise Invalid(f"The header {name} takes plain ASCII only.")
    folded = _folded(name, value.split(), hard=True)
    if folded is None:
        raise Invalid(f"The header {name} has a word longer than a line of a mail can be.")
    return folded


def _folded(name: str, words: Iterable[str], *, hard: bool = False) -> str | None:
    """The field with line ends at blanks so that lines stay within 76 columns; None where a word is too long for that. With `hard`, a word
    that does not fit has a line of its own, up to the limit of a line."""
    lines, line = [], f"{name}:"
    for word in words:
        if len(word) + 1 > (HARD_WIDTH if hard else WIDTH):
            return None
        if len(line) + 1 + len(word) > WIDTH and line != f"{name}:":
            lines.append(line)
            line = ""
        elif len(line) + 1 + len(word) > WIDTH and not hard:
            return None
        line += f" {word}"
    return "\r\n".join([*lines, line]) + "\r\n"


_FRAME = len("=?utf-8?b??=")


def encoded_words(text: str, column: int) -> str:
    """The text as encoded words of UTF-8, at most 75 columns each, the first beginning at `column`; no character is divided between two.

    Some programs (GMime 3.2 among them) decode neighbours in base64 as one and stop at padding; so what follows a word with padding is in
    quoted-printable.
    """
    data = text.encode()
    room = WIDTH - column - _FRAME
    if len(data) <= room:
        quoted = "".join(map(_Q.__getitem__, data))
        if len(quoted) <= room and len(quoted) <= -(-len(data) // 3) * 4:
            return f"=?utf-8?q?{quoted}?="
    words: list[str] = []
    position, is_padded = 0, False
    while position < len(data):
        end = _end_of_quoted(data, position, room) if is_padded else _end_of_base64(data, position, room // 4 * 3)
        if is_padded:
            words.append(f"=?utf-8?q?{''.join(map(_Q.__getitem__, data[position:end]))}?=")
        else:
            words.append(f"=?utf-8?b?{b2a_base64(data[position:end], newline=False).decode()}?=")
        is_padded = not is_padded and (end - position) % 3 > 0
        position, room = end, WIDTH - 1 - _FRAME
    return "\r\n ".join(words)


def _end_of_base64(data: bytes, position: int, most: int) -> int:
    """Where a word from `position` on ends before a character: after at most so many octets, and without padding if that costs few."""
    longest = position + most
    if longest >= len(data):
        return len(data)
    ends = [end for end in range(longest, longest - 7, -1) if data[end] & 0xC0 != 0x80]
    return next((end for end in ends if (end - position) % 3 == 0), ends[0])


def _end_of_quoted(data: bytes, position: int, columns: int) -> int:
    """The same for a word in quoted-printable with so many columns."""
    end = position
    for following in range(position, len(data)):
        if data[following] & 0xC0 != 0x80:
            end = following
        columns -= len(_Q[data[following]])
        if columns < 0:
            return end
    return len(data)


def around(frame: Frame, domain: str) -> tuple[str, str]:
    """The fields that a mail has because of what its broadcast is for, up to the token of its link to decline, and from there on; all in
    the first where it has no such link. `domain` is the sender's.

    List-Unsubscribe as RFC 2369 and RFC 8058 have it, List-Id as RFC 2919, Auto-Submitted as RFC 3834. Feedback-ID is what Gmail tells
    complaints apart by: broadcast, list, kind, and a name of the sender that stays the same.
    """
    if not frame.is_marketing and not frame.is_important:
        return "", ""
    kind = "marketing" if frame.is_marketing else "important"
    sender = blake2b(domain.encode(), digest_size=6).hexdigest()
    common = extra("Feedback-ID", f"{frame.broadcast_id}:{frame.list_name}:{kind}:{sender}")
    if not frame.is_marketing:
        return extra("Auto-Submitted", "auto-generated") + common, ""
    link = extra("List-Unsubscribe", f"<{frame.base}/unsubscribe/{NO_TOKEN}>")
    before, _, after = link.partition(NO_TOKEN)
    after += extra("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    return before, after + extra("List-Id", f"<{frame.list_name}.{domain}>") + common


def named_by(frame: Frame) -> list[tuple[str, str, str]]:
    """The fields by which relays name a mail: up to its mark, from there on, and what is written for the dot in the mark."""
    found = []
    for name, pattern, dot in frame.named_by:
        before, _, after = pattern.partition("{}")
        if not _FIELD_NAME.fullmatch(name) or name.lower() in OURS or not f"{before}{after}".isprintable():
            raise Invalid(f"{name!r} cannot be added as a header.")
        found.append((f"{name}: {before}", f"{after}\r\n", dot))
    return found


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=1024)
def date(instant: datetime) -> str:
    """The content of a Date field (RFC 5322 section 3.3), in UTC."""
    t = instant.astimezone(UTC)
    return f"{_DAYS[t.weekday()]}, {t.day:02} {_MONTHS[t.month - 1]} {t.year:04} {t.hour:02}:{t.minute:02}:{t.second:02} +0000"


def message_id(delivery_id: int, broadcast_secret: str, domain: str) -> str:
    """The Message-ID of a delivery, without its angle brackets: the same for every attempt, and not to be guessed for another."""
    mark = _mark(broadcast_secret).copy()
    mark.update(b"%d" % delivery_id)
    return f"{delivery_id}.{mark.hexdigest()}@{domain}"


@lru_cache(maxsize=256)
def _mark(broadcast_secret: str) -> blake2b:
    return blake2b(key=_key(broadcast_secret), person=b"message-id", digest_size=16)


@lru_cache(maxsize=256)
def boundary(broadcast_secret: str) -> str:
    """What divides the parts of a broadcast's mails. "=_" stands in no quoted-printable and in no base64 (RFC 2045 section 6.7)."""
    return "=_" + blake2b(b"", key=_key(broadcast_secret), person=b"boundary", digest_size=16).hexdigest()


@lru_cache(maxsize=256)
def _key(secret: str) -> bytes:
    return blake2b(secret.encode(), digest_size=32).digest()
