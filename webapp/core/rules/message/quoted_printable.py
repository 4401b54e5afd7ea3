"""Quoted-printable (RFC 2045 section 6.7) in pieces: static runs encoded once, values encoded for each mail, all beginning at column 0.

Every piece but the last of a part ends with a soft break or a line end, so whatever follows begins a line, and lines stay within 76
columns whatever the values are. A dot at the beginning of a line is always encoded, so SMTP never has to double one, and so is a
blank at the end of a line and the word From at its beginning.
"""

import re
from binascii import b2a_qp

SOFT = "=\r\n"
_ROOM = 75
"""Columns of a line before the = of a soft break."""

_TABLE = [chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x3D else f"={byte:02X}" for byte in range(256)]

PLAIN = r"(?!\.|From )[ !#-%(-;?-~]{0,75}(?<! )"
"""What a value mostly is: up to 75 printable characters that no encoding changes, be it quoted-printable or that of HTML."""

_SHORT = 70
"""Octets up to which the encoder of the standard library is asked first: it does the same, but for the beginning of a line."""

is_plain = re.compile(PLAIN).fullmatch


def value(text: str) -> str:
    """A value, to stand at column 0. Raises UnicodeEncodeError for half a surrogate pair."""
    return text if is_plain(text) else encoded_value(text)


def encoded_value(text: str) -> str:
    """The same for a value that is known not to be plain."""
    data = text.encode()
    if len(data) <= _SHORT:
        encoded = b2a_qp(data, istext=False).decode()
        if len(encoded) <= _ROOM and not encoded.startswith((".", "From ")):
            return encoded
    return _line("".join(map(_TABLE.__getitem__, data)))


def run(text: str, *, at_end: bool = False) -> str:
    """A static run that begins at column 0; after it the next piece is at column 0 again. `text` has \\n as line ends. At the end of
    a part (`at_end`) it is closed with a line end instead of a soft break."""
    *lines, last = ["".join(map(_TABLE.__getitem__, line.encode())) for line in text.split("\n")]
    whole = "".join(f"{_line(line)}\r\n" for line in lines)
    if not last:
        return whole
    return f"{whole}{_line(last)}\r\n" if at_end else f"{whole}{_before_soft_break(last)}{SOFT}"


def _line(encoded: str) -> str:
    """One line's encoded text with soft breaks, a blank at its end encoded."""
    if encoded.endswith((" ", "\t")):
        encoded = f"{encoded[:-1]}={ord(encoded[-1]):02X}"
    return _before_soft_break(encoded)


def _before_soft_break(encoded: str) -> str:
    """The same where a soft break follows: a blank before it is safe."""
    if len(encoded) <= _ROOM and not encoded.startswith((".", "From ")):
        return encoded
    lines, position, size = [], 0, len(encoded)
    while position < size:
        prefix = ""
        if encoded.startswith((".", "From "), position):
            prefix = f"={ord(encoded[position]):02X}"
            position += 1
        end = position + _ROOM - len(prefix)
        if end < size:
            if encoded[end - 1] == "=":
                end -= 1
            elif encoded[end - 2] == "=":
                end -= 2
        lines.append(prefix + encoded[position:end])
        position = end
    return SOFT.join(lines)


def size(text: str) -> int:
    """About how many octets the text takes in quoted-printable."""
    return len("".join(map(_TABLE.__getitem__, text.encode())))
