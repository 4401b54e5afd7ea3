"""What a mail carries beside its text: pictures inside the mail (RFC 2387) and attachments (RFC 2183), encoded once for all mails.

A mail with enclosures is its own part, which `render` makes, and after it the tail: the same octets for each mail of a broadcast, kept as
buffers that nobody copies. Without enclosures nothing of this is there.

multipart/mixed
  multipart/alternative
    text/plain
    multipart/related
      text/html          the last part that is made for each mail
      image/png …        from here on the tail
  application/pdf …
"""

import re
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from webapp.core.rules.message import headers
from webapp.core.rules.message.bodies import Body

Head = tuple[str, Body]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file as it stands in a mail: the header of its part, and its octets in base64, each line with its CRLF. `cid` is the name by which
    the HTML shows it, "" for an attachment."""

    name: str
    media_type: str
    body: bytes
    cid: str = ""

    @property
    def size(self) -> int:
        """About how many octets it adds to a mail."""
        return len(self.body) + 250

    @property
    def octets(self) -> int:
        """About how many octets the file itself has."""
        return len(self.body) * 57 // 78

    def head(self) -> str:
        """The header fields of its part, and the empty line after them."""
        kind = "inline" if self.cid else "attachment"
        content_id = f"Content-ID: <{self.cid}>\r\n" if self.cid else ""
        return (
            f"Content-Type: {self.media_type}{_name(self.name)}\r\nContent-Transfer-Encoding: base64\r\n"
            f"{content_id}Content-Disposition: {kind}{_file_name(self.name)}\r\n\r\n"
        )


def encoded(data: bytes) -> bytes:
    """Octets as base64 in lines of 76 columns, each with its CRLF (RFC 2045 section 6.8). No line begins with a dot."""
    return encodebytes(data).replace(b"\n", b"\r\n")


class Enclosed:
    """The enclosures that all mails of a broadcast have: `pictures` within the HTML, `files` after the text. `has_own`: a mail may have
    files of its recipient's besides. Threads may share it."""

    def __init__(
        self, pictures: Sequence[Enclosure] = (), files: Sequence[Enclosure] = (), *, has_own: bool = False
    ) -> None:
        self.pictures, self.files, self.has_own = tuple(pictures), tuple(files), has_own
        self._tail: tuple[str, bool, tuple[bytes, ...]] | None = None

    def __bool__(self) -> bool:
        return bool(self.pictures or self.files or self.has_own)

    @property
    def size(self) -> int:
        """About how many octets they add to each mail."""
        return sum(one.size for one in (*self.pictures, *self.files))

    def begin(
        self, out: list[str], secret: str, bodies: Sequence[Head], cells: Sequence[str], values: Sequence[str]
    ) -> None:
        """Append what a mail has for itself, from its Content-Type on to the end of its text. `bodies` are the plain text and the HTML, or
        the text alone."""
        alternative, related, mixed = _boundaries(secret)
        if self.files or self.has_own:
            out.append(f'Content-Type: multipart/mixed; boundary="{mixed}"\r\n\r\n--{mixed}\r\n')
        if len(bodies) == 1:
            head, body = bodies[0]
            out.append(head)
            return body.append_to(out, cells, values)
        out.append(f'Content-Type: multipart/alternative; boundary="{alternative}"\r\n')
        for number, (head, body) in enumerate(bodies):
            out.append(f"\r\n--{alternative}\r\n")
            if number and self.pictures:
                about = f'multipart/related; type="text/html";\r\n boundary="{related}"'
                out.append(f"Content-Type: {about}\r\n\r\n--{related}\r\n")
            out.append(head)
            body.append_to(out, cells, values)

    def tail(self, secret: str, own: Sequence[Enclosure] = (), *, has_html: bool) -> tuple[bytes, ...]:
        """What follows in each mail: buffers to be written one after the other. `own` are the recipient's files."""
        known = self._tail
        if known is None or known[:2] != (secret, has_html):
            self._tail = known = (secret, has_html, self._shared(secret, has_html))
        shared = known[2]
        if not (self.files or self.has_own):
            return shared
        mixed = _boundaries(secret)[2]
        return (*shared, *_parts(own, mixed), f"\r\n--{mixed}--\r\n".encode())

    def _shared(self, secret: str, has_html: bool) -> tuple[bytes, ...]:
        alternative, related, mixed = _boundaries(secret)
        ends = f"\r\n--{related}--\r\n" if self.pictures and has_html else ""
        ends += f"\r\n--{alternative}--\r\n" if has_html else ""
        pictures = _parts(self.pictures, related) if has_html else []
        return tuple(one for one in (*pictures, ends.encode(), *_parts(self.files, mixed)) if one)


def _parts(enclosures: Sequence[Enclosure], boundary: str) -> list[bytes]:
    """The parts as buffers; the long ones are the enclosures' own."""
    return [piece for one in enclosures for piece in (f"\r\n--{boundary}\r\n{one.head()}".encode(), one.body)]


def _boundaries(secret: str) -> tuple[str, str, str]:
    """What divides the alternatives, the HTML from its pictures, and the text from the attachments. None begins like another one (RFC 2046
    section 5.1.2): hexadecimal digits follow "=_" in the first."""
    alternative = headers.boundary(secret)
    return alternative, f"=_r{alternative[2:]}", f"=_m{alternative[2:]}"


_WIDTH = 76
_BEHIND_NAME = len(' name="')
_PLAIN = re.compile(r"[ !#-\[\]-~]{1,60}")
_AS_IT_IS = "!#$&+-.^_`|~"
"""What stands in an extended parameter as it is, beside letters and digits (RFC 2231 section 7: attribute-char)."""


def _name(name: str) -> str:
    """The parameter of Content-Type that old programs read: as RFC 2047 has it, since they know no RFC 2231, though it is not meant for
    parameters."""
    if not name:
        return ""
    if _PLAIN.fullmatch(name):
        return f';\r\n name="{name}"'
    return f';\r\n name="{headers.encoded_words(name, _BEHIND_NAME)}"'


def _file_name(name: str) -> str:
    """The parameter of Content-Disposition: as it is where it is plain, else as RFC 2231 sections 3 and 4 have it, in pieces that fit into
    lines."""
    if not name:
        return ""
    if _PLAIN.fullmatch(name):
        return f';\r\n filename="{name}"'
    octets = re.findall(r"%..|.", quote(name, safe=_AS_IT_IS))
    whole = f" filename*=utf-8''{''.join(octets)}"
    if len(whole) < _WIDTH:
        return f";\r\n{whole}"
    lines: list[str] = []
    line = " filename*0*=utf-8''"
    for octet in octets:
        if len(line) + len(octet) >= _WIDTH:
            lines.append(line)
            line = f" filename*{len(lines)}*="
        line += octet
    return "".join(f";\r\n{one}" for one in (*lines, line))
