"""Mails as three parsers read them: Python's present one, its old one, and one in Rust that shares no line with them."""

import email
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32, default
from email.utils import parseaddr

import fast_mail_parser


@dataclass(frozen=True)
class Read:
    """What a mail says. Line ends are \\n; `html` is None where there is none."""

    subject: str
    from_: tuple[str, str]
    to: tuple[str, str]
    text: str
    html: str | None
    fields: tuple[str, ...]


def by_present_python(mail: bytes) -> Read:
    found = email.message_from_bytes(mail, _class=EmailMessage, policy=default)
    for part in found.walk():
        assert not part.defects, part.defects
    (sender,), (recipient,) = found["From"].addresses, found["To"].addresses
    html, text = found.get_body(("html",)), found.get_body(("plain",))
    return Read(
        str(found["Subject"] or ""),
        (_joined(sender.display_name, found, "From"), _text(sender.addr_spec)),
        (_joined(recipient.display_name, found, "To"), _text(recipient.addr_spec)),
        unix(text.get_content()),
        unix(html.get_content()) if html else None,
        tuple(found.keys()),
    )


def _text(address: str) -> str:
    """What this parser gives of an address outside ASCII (RFC 6532) are its octets, each as half of a surrogate pair."""
    return address.encode("utf-8", "surrogateescape").decode()


def _joined(display_name: str, mail: EmailMessage, field: str) -> str:
    """The name without the blanks that this parser leaves between two encoded words of a name (RFC 2047 section 6.2 takes them away)."""
    written = dict(mail.raw_items())[field]
    words = [str(make_header(decode_header(word))) for word in re.findall(r"=\?utf-8\?.\?.*?\?=", written)]
    return "".join(words) if len(words) > 1 else display_name


def by_old_python(mail: bytes) -> Read:
    found = email.message_from_string(
        mail.decode(), policy=compat32
    )  # of bytes it understands no address outside ASCII
    parts = {part.get_content_type(): part for part in found.walk() if not part.is_multipart()}

    def content(kind: str) -> str:
        return unix(parts[kind].get_payload(decode=True).decode(parts[kind].get_content_charset()))

    return Read(
        _decoded(found["Subject"] or ""),
        _address(found["From"]),
        _address(found["To"]),
        content("text/plain"),
        content("text/html") if "text/html" in parts else None,
        tuple(found.keys()),
    )


def by_rust(mail: bytes) -> Read:
    found = fast_mail_parser.parse_email(mail)
    assert not found.warnings, found.warnings
    (text,) = found.text_plain
    html = found.text_html
    return Read(
        found.subject,
        _rust_address(found.from_),
        _rust_address(found.to),
        unix(text),
        unix(html[0]) if html else None,
        tuple(found.headers),
    )


READERS: tuple[Callable[[bytes], Read], ...] = (by_present_python, by_old_python, by_rust)


def unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _decoded(field: str) -> str:
    return str(make_header(decode_header(re.sub(r"\r\n(?=[ \t])", "", field))))


def _address(field: str) -> tuple[str, str]:
    name, address = parseaddr(re.sub(r"\r\n(?=[ \t])", "", field))
    return _decoded(name), address


def _rust_address(found) -> tuple[str, str]:
    one = found[0] if isinstance(found, list) else found
    return one.display_name or "", one.address


ENCODED_WORD = re.compile(rb"=\?utf-8\?(?:q\?[!->@-~]*|b\?[A-Za-z0-9+/=]*)\?=")
NEVER_ENCODED = re.compile(rb"(?:List-[\w-]+|Message-ID|Date|MIME-Version|Content-[\w-]+):", re.IGNORECASE)
WITH_ADDRESS = re.compile(rb"(?:From|To):|[ \t]")


def fit_for_the_wire(mail: bytes, *, international: bool = False) -> bool:
    """CRLF line ends and no others, 7-bit, no NUL, no line that SMTP would have to change, none too long; bodies within 76 columns, encoded
    words (RFC 2047) where they may be and as long as they may be. In an `international` mail (RFC 6532) an address is not ASCII."""
    assert mail.endswith(b"\r\n") and b"\0" not in mail
    assert mail.count(b"\r") == mail.count(b"\n") == mail.count(b"\r\n")
    lines = mail.split(b"\r\n")
    assert not [line for line in lines if line.startswith(b".")]
    assert max(map(len, lines)) <= 998
    head, body = lines[: lines.index(b"")], lines[lines.index(b"") :]
    assert all(line.isascii() for line in body)
    foreign = [line for line in head if not line.isascii()]
    assert len(foreign) == international and all(WITH_ADDRESS.match(line) for line in foreign)
    for line in head:
        words = [word for word in line.split() if word.startswith(b"=?")]
        assert not words or (len(line.decode()) <= 76 and not NEVER_ENCODED.match(line)), line
        assert all(ENCODED_WORD.fullmatch(word) and len(word) <= 75 for word in words), line
    assert not [line for line in body if len(line) > 76]
    assert not [line for line in body if line.endswith((b" ", b"\t"))]
    return True
