"""The records of a file, one after the other, also where its quotation marks are damaged.

Why this way: a quotation mark that is not closed makes everything up to the next one a part of its cell, and a parser that believes it
swallows whole rows, or makes one person of two. So what a record spans is believed only as long as it makes sense; where it does not, its
first line alone is given up, and reading goes on with the next one. No line is lost: each is part of a record, or is one with a problem.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from webapp.core.imports.encodings import ENCODINGS
from webapp.core.imports.layouts import Layout
from webapp.core.imports.lines import Line, Source, text_lines
from webapp.core.imports.scanning import mended
from webapp.core.rules.csv_cells import without_guard
from webapp.core.rules.texts import shown

IsRow = Callable[[list[str]], bool]
"""Whether cells, as many as the header has, look like a row of their own."""

NOT_CLOSED = "its quotation marks are not closed where they should be"
TOO_LONG_A_FIELD = f"a field has more than {csv.field_size_limit():,} characters"
SINCE = "it belongs to what cannot be told apart since line {line:,}, where quotation marks are not closed"
SWALLOWS = "its quotation marks are not closed where they should be: the lines below would become a part of it"
MISPLACED = "its quotation marks are not where they should be: they make it one field of several"
NOT_UTF8 = "it is not written in UTF-8 like the rest of the file"


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `line` is the physical line it begins on, from 1, and `text` what stands there, without its end; `problem` says why its
    cells cannot be told apart, if so. `remarks` say what was understood on the way."""

    line: int
    cells: list[str]
    problem: str | None = None
    text: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def is_blank(self) -> bool:
        return self.problem is None and not any(map(str.strip, self.cells))


def records(source: Source, layout: Layout, is_row: IsRow | None = None) -> Iterator[Record]:
    """The records below the header, in order; lines with nothing in them are left out, rows of empty cells are not. With `is_row` no record
    is believed that swallows a row, or spans lines and has not as many cells as the header. Raises Invalid for what is no list.
    """
    lines = text_lines(source, layout.encoding, layout.strangers or layout.found.strangers_in)
    above = layout.above + layout.headed
    for record in parsed(lines, layout, is_row):
        if above:
            above -= 0 if record.is_blank or is_separator_line(record) else 1
        elif record.text.strip():
            yield _mended(record) if layout.mends else record


def is_separator_line(record: Record) -> bool:
    """Excel's own first line, "sep=;"."""
    return record.line == 1 and len(record.cells) <= 2 and record.text.strip().strip('"').lower().startswith("sep=")


def parsed(lines: Iterator[Line], layout: Layout, is_row: IsRow | None = None) -> Iterator[Record]:
    """All records of the lines, the header as well."""
    feed, width = _Feed(lines, layout), len(layout.header)
    reader = csv.reader(
        feed,
        delimiter=layout.delimiter,
        strict=True,
        skipinitialspace=layout.blanks,
        escapechar="\\" if layout.escapes else None,
    )
    bad_since = 0
    while True:
        feed.begin()
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = TOO_LONG_A_FIELD if "field limit" in str(error) and len(feed.taken) == 1 else NOT_CLOSED
        else:
            if bad_since and cells and len(cells) != width:
                problem = SINCE.format(line=bad_since)
            else:
                problem = _doubt(feed, cells, layout, is_row) if is_row else ""
        if problem:
            bad_since = bad_since or feed.number
            yield Record(feed.number, [], problem, feed.give_back())
            continue
        if not cells:
            continue
        bad_since = 0
        if any(stranger for _, stranger in feed.taken):
            if not layout.strangers:
                yield Record(feed.number, [], NOT_UTF8, feed.text)
                continue
            remarks = (f"{NOT_UTF8}: read as {ENCODINGS[layout.strangers]}",)
            yield Record(feed.number, _unguarded(cells), None, feed.text, remarks)
        else:
            yield Record(feed.number, _unguarded(cells), None, feed.text)


def _mended(record: Record) -> Record:
    """The record with what was encoded twice undone, and said."""
    cells = [mended(cell) for cell in record.cells]
    said = [
        f"“{shown(old, 60)}” read as “{shown(new, 60)}”"
        for old, new in zip(record.cells, cells, strict=True)
        if old != new
    ]
    if not said:
        return record
    return replace(record, cells=cells, remarks=(*record.remarks, f"it was encoded twice: {', '.join(said)}"))


class _Feed:
    """Lines for the csv module, which remembers those of the present record, and takes back those that were not part of it."""

    def __init__(self, lines: Iterator[Line], layout: Layout):
        self._lines, self._back, self.number = lines, deque[Line](), 1
        self.taken: list[Line] = []
        self._prepare = _preparations(layout)

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        text = line[0]
        for prepare in self._prepare:
            text = prepare(text)
        return text

    def begin(self) -> None:
        self.number += len(self.taken)
        self.taken = []

    @property
    def text(self) -> str:
        if len(self.taken) == 1:
            return self.taken[0][0].rstrip("\r\n")
        return "".join(text for text, _ in self.taken).rstrip("\r\n")

    def give_back(self) -> str:
        """All lines of the present record but the first, whose text is returned."""
        self._back.extendleft(reversed(self.taken[1:]))
        self.taken = self.taken[:1]
        return self.text


def _preparations(layout: Layout) -> list[Callable[[str], str]]:
    made: list[Callable[[str], str]] = []
    if layout.escapes:  # only a quotation mark and another backslash are escaped; "\N" and "C:\dir" stay what they are
        backslash = re.compile(r"\\(.)", re.DOTALL)
        made.append(lambda text: backslash.sub(lambda hit: hit[0] if hit[1] in '"\\' else rf"\\{hit[1]}", text))
    if layout.blanks:
        after = re.compile(rf'(?<!")" +(?=[{re.escape(layout.delimiter)}\r\n]|$)')
        made.append(lambda text: after.sub('"', text))
    return made


def _doubt(feed: _Feed, cells: list[str], layout: Layout, is_row: IsRow) -> str:
    """Why what was read as one record is hardly one; "" where nothing speaks against it."""
    width = len(layout.header)
    if len(feed.taken) == 1:
        if len(cells) < width and '"' in feed.text and len(feed.text.split(layout.delimiter)) == width:
            return MISPLACED
        return ""
    if len(cells) != width:
        return SWALLOWS
    first, *others = [_alone(text.rstrip("\r\n"), layout) for text, _ in feed.taken]
    if any(len(alone) == width and is_row(alone) for alone in others):
        return SWALLOWS
    return SWALLOWS if len(first) == len(others[-1]) == width and is_row(first) else ""


def _alone(text: str, layout: Layout) -> list[str]:
    """The cells of a line, read for itself."""
    try:
        return next(csv.reader([text], delimiter=layout.delimiter, strict=True), [])
    except csv.Error:
        return text.split(layout.delimiter)


def _unguarded(cells: list[str]) -> list[str]:
    return [without_guard(cell) if cell[:1] == "'" else cell for cell in cells]
