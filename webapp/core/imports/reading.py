"""CSV files as they come: which encoding and separator, and one record after the other, without ever holding the file in memory."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Literal, Protocol, TextIO

from webapp.core.errors import Invalid
from webapp.core.rules.csv_cells import without_guard

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252, Western Europe",
    "cp1250": "Windows-1250, Central Europe",
    "cp1251": "Windows-1251, Cyrillic",
    "cp1253": "Windows-1253, Greek",
    "cp1254": "Windows-1254, Turkish",
    "cp1255": "Windows-1255, Hebrew",
    "cp1256": "Windows-1256, Arabic",
    "shift_jis": "Shift JIS, Japanese",
    "gb18030": "GB 18030, Chinese",
    "big5": "Big5, Chinese",
    "euc_kr": "EUC-KR, Korean",
}
"""Encodings one may choose, with their labels. Those of one byte cannot be told apart by a program; cp1252 is the guess."""

DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"}
UNREADABLE = "\ufffd"
"""Stands where bytes mean nothing in the file's encoding."""

_SAMPLE = 64 * 1024
_BLOCK = 1024 * 1024
_LONGEST_LINE = 1_000_000
_OTHER_FILES = {
    b"PK\x03\x04": "This is an Excel or OpenDocument workbook. Open it and save the sheet as CSV, then upload that.",
    b"\xd0\xcf\x11\xe0": "This is an old Excel workbook. Open it and save the sheet as CSV, then upload that.",
    b"%PDF": "This is a PDF. Export the list as CSV, then upload that.",
    b"\x1f\x8b": "This file is compressed. Unpack it and upload the CSV.",
}


class Source(Protocol):
    """Where a file is read from: a path, or what is kept in the database. `open` gives a new reader from the beginning."""

    def open(self, mode: Literal["rb"], /) -> BinaryIO: ...


@dataclass(frozen=True)
class Layout:
    """How a file is written. `encoding` is a key of ENCODINGS, `header` the names of its columns."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `line` is the physical line it begins on, from 1; `problem` says why its cells cannot be told apart, if so."""

    line: int
    cells: list[str]
    problem: str | None = None


def look(source: Source, encoding: str | None = None, delimiter: str | None = None) -> Layout:
    """How the file is written, guessed where it is not given. Raises Invalid for a file that is no CSV file."""
    encoding = encoding or _encoding(source)
    if encoding not in ENCODINGS:
        raise Invalid(f"{encoding} is not an encoding this tool can read.", "encoding")
    if delimiter is not None and delimiter not in DELIMITERS:
        raise Invalid("The columns can be separated by a comma, a semicolon, a tab or a bar.", "delimiter")
    with _opened(source, encoding) as stream:
        sample = stream.read(_SAMPLE)
        whole = not stream.read(1)
    if "\x00" in sample:
        raise Invalid("This is not a text file. Export the list as CSV, then upload that.", "file")
    lines = sample.splitlines(keepends=True)
    if not whole and len(lines) > 1:
        lines.pop()
    said = _separator_said(lines[0]) if lines else None
    delimiter = delimiter or said or _delimiter(lines)
    header = next((cells for cells in csv.reader(lines[1 if said else 0 :], delimiter=delimiter) if any(cells)), None)
    if header is None:
        raise Invalid("This file is empty.", "file")
    return Layout(encoding, delimiter, tuple(" ".join(name.split()) for name in header))


def records(source: Source, layout: Layout) -> Iterator[Record]:
    """The records below the header, in order; empty lines are left out. Raises Invalid where a line does not end."""
    with _opened(source, layout.encoding) as stream:
        reader = csv.reader(_lines(stream), delimiter=layout.delimiter, strict=True)
        header_passed = False
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                if header_passed:
                    yield Record(line, [], "its quotation marks are not closed where they should be")
                header_passed = True
                continue
            if not header_passed:
                header_passed = any(cells) and not (
                    line == 1 and len(cells) <= 2 and cells[0].lower().startswith("sep=")
                )
            elif len(cells) > 1 or any(cell.strip() for cell in cells):
                yield Record(line, [without_guard(cell) if cell[:1] == "'" else cell for cell in cells])


def samples(source: Source, layout: Layout, count: int = 3, within: int = 500) -> list[list[str]]:
    """For each column up to `count` different values that are not empty, from the first `within` records."""
    found: list[list[str]] = [[] for _ in layout.header]
    for record in islice(records(source, layout), within):
        for values, cell in zip(found, record.cells, strict=False):
            if len(values) < count and cell.strip() and cell not in values:
                values.append(cell)
        if all(len(values) == count for values in found):
            break
    return found


def _opened(source: Source, encoding: str) -> TextIO:
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    return io.TextIOWrapper(source.open("rb"), encoding=codec, errors="replace", newline="")


def _lines(stream: TextIO) -> Iterator[str]:
    number = 0
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise Invalid(
                f"Line {number:,} has more than {_LONGEST_LINE:,} characters. This does not look like a CSV file.",
                "file",
            )
        yield line


def _encoding(source: Source) -> str:
    with source.open("rb") as stream:
        start = stream.read(_SAMPLE)
        for magic, message in _OTHER_FILES.items():
            if start.startswith(magic):
                raise Invalid(message, "file")
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if not start.strip():
            raise Invalid("This file is empty.", "file")
        if b"\x00" in start:
            raise Invalid("This is not a text file. Export the list as CSV, then upload that.", "file")
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        foreign = bad = 0
        block = start
        while block:
            text = decoder.decode(block)
            bad += text.count(UNREADABLE)
            foreign += len(text) - len(text.encode("ascii", "ignore"))
            block = stream.read(_BLOCK)
        bad += len(decoder.decode(b"", final=True))
    return "utf-8" if foreign >= 20 * bad else "cp1252"


def _separator_said(line: str) -> str | None:
    """Excel's own first line, "sep=;"."""
    text = line.strip().strip('"')
    return text[4] if text.lower().startswith("sep=") and len(text) == 5 and text[4] in DELIMITERS else None


def _delimiter(lines: list[str]) -> str:
    """The separator with which the most records have as many columns as the header, and that more than one."""

    def fitness(delimiter: str) -> tuple[float, int]:
        rows = [cells for cells in csv.reader(lines[:400], delimiter=delimiter) if cells]
        width = len(rows[0]) if rows else 0
        if width < 2:
            return (0.0, 0)
        return (round(sum(len(cells) == width for cells in rows) / len(rows), 1), width)

    return max(DELIMITERS, key=fitness)
