"""The lines of a file as text, in its encoding, a block at a time; each knows whether it is written like the rest of the file."""

import io
from collections.abc import Iterator
from typing import BinaryIO, Literal, Protocol

from webapp.core.errors import Invalid
from webapp.core.imports.limits import LONGEST_LINE, MOST_EMPTY_LINES

_BLOCK = 256 * 1024

Line = tuple[str, bool]
"""A line with its end, and whether it is a stranger: not UTF-8 in a file that is."""


class Source(Protocol):
    """Where a file is read from: a path, or what is kept in the database. `open` gives a new reader from the beginning."""

    def open(self, mode: Literal["rb"], /) -> BinaryIO: ...


def text_lines(source: Source, encoding: str, strangers: str = "") -> Iterator[Line]:
    """The lines, which end with "\\n", "\\r\\n" or "\\r". In a UTF-8 file, lines that are not UTF-8 are read as `strangers` says, an
    encoding; with letters that cannot be read where it says nothing. Raises Invalid where a line does not end, or none has anything in it.
    """
    with source.open("rb") as stream:
        found = _utf8(stream, strangers) if encoding == "utf-8" else _others(stream, encoding)
        empty = 0
        for number, line in enumerate(found, start=1):
            if line[0] in _ENDS:
                empty += 1
                if empty > MOST_EMPTY_LINES:
                    first = number - empty + 1
                    raise Invalid(
                        f"Line {first:,} and the {MOST_EMPTY_LINES:,} lines after it are empty. This does not look like a CSV file.",
                        "file",
                    )
            else:
                empty = 0
                if len(line[0]) > LONGEST_LINE:
                    raise _endless(number)
            yield line


def split(text: str) -> io.StringIO:
    """The text's lines with their ends. Unlike str.splitlines, only where CSV has line ends."""
    return io.StringIO(text, newline="")


_ENDS = frozenset({"\n", "\r\n", "\r"})


def octet_blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The file in blocks of whole lines, without the mark of UTF-8; only for encodings in which a line end is one octet. Raises Invalid."""
    rest, number, block = b"", 0, stream.read(_BLOCK).removeprefix(b"\xef\xbb\xbf")
    while block:
        data = rest + block
        # A carriage return at the end may be the half of a line end.
        end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        rest = data[end:]
        if end:
            number += data.count(b"\n", 0, end)
            yield data[:end]
        if len(rest) > 4 * LONGEST_LINE:
            raise _endless(number + 1)
        block = stream.read(_BLOCK)
    if rest:
        yield rest


def _utf8(stream: BinaryIO, strangers: str) -> Iterator[Line]:
    for block in octet_blocks(stream):
        try:
            for text in split(block.decode()):
                yield text, False
        except UnicodeDecodeError:
            for piece in split(block.decode("latin-1")):
                yield _line(piece.encode("latin-1"), strangers)


def _line(octets: bytes, strangers: str) -> Line:
    try:
        return octets.decode(), False
    except UnicodeDecodeError:
        return octets.decode(strangers or "utf-8", "replace"), True


def _others(stream: BinaryIO, encoding: str) -> Iterator[Line]:
    reader, rest, number = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=""), "", 0
    while True:
        block = reader.read(_BLOCK)
        if number == 0 and not rest:
            block = block.removeprefix("\ufeff")
        data = rest + block
        end = len(data) if not block else max(data.rfind("\n"), data.rfind("\r", 0, -1)) + 1
        rest = data[end:]
        for text in split(data[:end]):
            number += 1
            yield text, False
        if len(rest) > LONGEST_LINE:
            raise _endless(number + 1)
        if not block:
            return


def _endless(number: int) -> Invalid:
    return Invalid(
        f"Line {number:,} has more than {LONGEST_LINE:,} characters. This does not look like a CSV file.", "file"
    )
