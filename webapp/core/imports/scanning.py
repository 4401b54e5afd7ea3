"""One look through a whole file, a block at a time: how its letters are written, and lines that tell how its fields are."""

import codecs
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import ftfy

from webapp.core.errors import Invalid
from webapp.core.imports import encodings
from webapp.core.imports.lines import Source, octet_blocks, split

SAMPLE = 64 * 1024
"""Octets at the beginning of a file from which its layout is guessed."""
WORDS_SHOWN = 12
"""So many values are kept to show what an encoding makes of them."""

_GUESSED_FROM = 200
_PROVED = 500
_ENOUGH = 20_000
_OTHER_FILES = {
    b"PK\x03\x04": "This is an Excel or OpenDocument workbook. Open it and save the sheet as CSV, then upload that.",
    b"\xd0\xcf\x11\xe0": "This is an old Excel workbook. Open it and save the sheet as CSV, then upload that.",
    b"%PDF": "This is a PDF. Export the list as CSV, then upload that.",
    b"\x1f\x8b": "This file is compressed. Unpack it and upload the CSV.",
}
_NO_TEXT = "This is not a text file. Export the list as CSV, then upload that."
_ASCII = bytes(range(128))
_FOREIGN_LINE = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
_ESCAPE = b'\\"'
_ESCAPED_LINE = re.compile(rb'[^\r\n]*\\"[^\r\n]*')

_TRAILS = "".join(chr(octet) + bytes([octet]).decode("cp1252", "ignore") for octet in range(0x80, 0xC0))
TWICE = re.compile(
    rf"[\u00c2-\u00f4][{_TRAILS}]|[\u0420\u0421][\u0400-\u040f\u0450-\u045f\u00a0-\u00bb\u2018-\u203a\u0490\u0491]|[\u221a\u251c]"
)
"""The letters that UTF-8 makes of one when it is taken for a Western, Cyrillic, Mac or DOS encoding. Rare in names: worth a closer look."""


@dataclass
class Scan:
    """What was seen. `encoding` is the guess; `words` are values with letters outside ASCII where it is one; `escaped` are lines with a
    quotation mark behind a backslash. The others are as in `layouts.Signs`."""

    encoding: str = "utf-8"
    words: list[bytes] = field(default_factory=list)
    escaped: list[bytes] = field(default_factory=list)
    strangers: int = 0
    strangers_in: str = ""
    strange_words: list[bytes] = field(default_factory=list)
    twice: int = 0
    twice_read: list[tuple[str, str]] = field(default_factory=list)


def scan(source: Source) -> Scan:
    """Look through the file. Raises Invalid for one that is no text or has nothing in it."""
    with source.open("rb") as stream:
        start = stream.read(SAMPLE)
    for magic, message in _OTHER_FILES.items():
        if start.startswith(magic):
            raise Invalid(message, "file")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Scan("utf-16")
    if not start.strip(b"\xef\xbb\xbf \t\r\n"):
        raise Invalid("This file is empty.", "file")
    if b"\x00" in start:
        wide = encodings.without_mark(start)
        if wide is None:
            raise Invalid(_NO_TEXT, "file")
        return Scan(wide)
    letters = _Letters()
    with source.open("rb") as stream:
        for block in octet_blocks(stream):
            letters.add(block)
    return letters.outcome()


def mended(text: str) -> str:
    """The text as it was before it was encoded twice; as it is where it was not."""
    return ftfy.fix_encoding(text) if TWICE.search(text) else text


def values(line: bytes) -> Iterator[bytes]:
    """The values of a line that have letters outside ASCII, whatever separates them."""
    for value in re.split(rb'[,;|\t"\r\n]', line):
        if not value.isascii():
            yield value.strip()[:80]


class _Letters:
    """What the blocks of a file say about its encoding. `good` letters outside ASCII are UTF-8, `bad` octets are not."""

    def __init__(self) -> None:
        self.good = self.bad = 0
        self.seen: set[str] = set()
        self.old_lines: list[bytes] = []
        self.utf8_lines = deque[bytes](maxlen=_GUESSED_FROM)
        self.result = Scan()

    def add(self, block: bytes) -> None:
        if _ESCAPE in block and len(self.result.escaped) < _GUESSED_FROM:
            self.result.escaped += _ESCAPED_LINE.findall(block)[: _GUESSED_FROM - len(self.result.escaped)]
        if block.isascii():
            return
        try:
            self._utf8(block, block.decode())
        except UnicodeDecodeError:
            self._mixed(block)

    def _utf8(self, octets: bytes, text: str) -> None:
        foreign = octets.translate(None, _ASCII).decode()
        self.good += len(foreign)
        if len(self.seen) < _GUESSED_FROM:
            self.seen.update(letter for letter in foreign if letter.isalpha())
        if TWICE.search(foreign):  # quick, and misses none: what stands side by side does so here, too
            for line in split(text):
                self._twice(line)

    def _twice(self, line: str) -> None:
        if not TWICE.search(line):
            return
        if self.result.twice < _PROVED:
            after = ftfy.fix_encoding(line)
            if after == line:
                return
            if len(self.result.twice_read) < WORDS_SHOWN:
                pairs = zip(re.split(r'[,;|\t"\r\n]', line), re.split(r'[,;|\t"\r\n]', after), strict=False)
                self.result.twice_read += [(old.strip(), new.strip()) for old, new in pairs if old != new]
        self.result.twice += 1

    def _mixed(self, block: bytes) -> None:
        if self.bad > _ENOUGH and self.bad > self.good:
            return
        for line in _FOREIGN_LINE.findall(block):
            try:
                self._utf8(line, line.decode())
                self.utf8_lines.append(line)
            except UnicodeDecodeError:
                self.result.strangers += 1
                text = line.decode("utf-8", "replace")
                self.bad += text.count(encodings.UNREADABLE) - line.count(b"\xef\xbf\xbd")
                if len(self.old_lines) < _GUESSED_FROM:
                    self.old_lines.append(line)

    def outcome(self) -> Scan:
        found, result = _distinct(self.old_lines), self.result
        if self.bad > self.good:
            result.encoding = encodings.guess(found)
            result.words = found[:WORDS_SHOWN]
            result.strangers = 0
            for line in self.utf8_lines:  # read like the others, their letters look encoded twice
                self._twice(line.decode(result.encoding, "replace"))
        elif result.strangers:
            result.strangers_in = encodings.beside(self.seen)
            result.strange_words = found[:WORDS_SHOWN]
        result.twice_read = result.twice_read[:WORDS_SHOWN]
        return result


def _distinct(lines: Sequence[bytes]) -> list[bytes]:
    return list(dict.fromkeys(value for line in lines for value in values(line) if value))
