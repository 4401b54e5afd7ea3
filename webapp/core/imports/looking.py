"""How a file is written, guessed where it is not given: encoding, separator, quotation marks, and which line holds the column names."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from webapp.core.errors import Invalid
from webapp.core.imports import scanning
from webapp.core.imports.encodings import ENCODINGS
from webapp.core.imports.layouts import DELIMITERS, NUMBERED, Layout, Signs
from webapp.core.imports.limits import LONGEST_HEADER, LONGEST_NAME, MOST_COLUMNS
from webapp.core.imports.lines import Source, text_lines
from webapp.core.imports.mapping import FIELDS
from webapp.core.imports.parsing import is_separator_line, parsed
from webapp.core.rules.texts import folded

_LINES = 400
_MOST_ABOVE = 10


def look(
    source: Source,
    encoding: str | None = None,
    delimiter: str | None = None,
    like: Layout | None = None,
    *,
    headed: bool | None = None,
    strangers: str | None = None,
    mends: bool | None = None,
) -> Layout:
    """How the file is written. What is not given is as in `like`, a layout of this file; where there is none it is guessed, and the file
    looked through. Raises Invalid for a file that is no CSV file, and for what cannot be chosen.
    """
    for name in (encoding, strangers):
        if name and name not in ENCODINGS:
            raise Invalid(f"{name} is not an encoding this tool can read.", "encoding")
    if delimiter is not None and delimiter not in DELIMITERS:
        raise Invalid("The columns can be separated by a comma, a semicolon, a tab or a bar.", "delimiter")
    escaped: list[bytes] = []
    if like is None:
        seen = scanning.scan(source)
        escaped, like = seen.escaped, _unread(seen)
    elif delimiter is None:
        delimiter = like.delimiter
    if headed is None and like.header and like.delimiter == delimiter and encoding in (None, like.encoding):
        headed = like.headed
    made = replace(
        like,
        encoding=encoding or like.encoding,
        strangers=like.strangers if strangers is None else strangers,
        mends=like.mends if mends is None else mends,
    )
    lines = _beginning(source, made)
    made = _with_dialect(made, lines, [line.decode(made.encoding, "replace") + "\n" for line in escaped], delimiter)
    return _with_header(made, lines, headed)


def _unread(seen: scanning.Scan) -> Layout:
    found = Signs(
        words=tuple(word.decode("latin-1") for word in seen.words),
        strangers=seen.strangers,
        strangers_in=seen.strangers_in,
        strange_words=tuple(word.decode("latin-1") for word in seen.strange_words),
        twice=seen.twice,
        twice_read=tuple(seen.twice_read),
    )
    return Layout(seen.encoding, "", (), found=found)


def _beginning(source: Source, layout: Layout) -> list[str]:
    """The whole lines at the beginning of the file; its first line, too, is not longer than a header may be."""
    lines: list[str] = []
    length = 0
    for text, _ in text_lines(source, layout.encoding, layout.strangers or layout.found.strangers_in):
        length += len(text)
        if length > LONGEST_HEADER:
            if not any(line.strip() for line in lines):
                raise Invalid(
                    f"The line of column names has more than {LONGEST_HEADER:,} characters. Export only the columns that you need.",
                    "file",
                )
            break
        lines.append(text)
    if any("\x00" in line for line in lines):
        raise Invalid("This is not a text file. Export the list as CSV, then upload that.", "file")
    return lines


def _with_dialect(layout: Layout, lines: Sequence[str], escaped: Sequence[str], delimiter: str | None) -> Layout:
    """The layout with separator and habits of quotation marks. Lines that have a backslash before one come from the whole file."""
    said = _separator_said(lines[0]) if lines else None
    if said:
        lines = lines[1:]
    lines = lines[:_LINES]
    delimiter = delimiter or said or max(DELIMITERS, key=lambda one: _fitness(lines, one))
    plain = replace(layout, delimiter=delimiter, escapes=False, blanks=False)
    after_blank = re.compile(rf'(?:^|{re.escape(delimiter)}) +"[^"]*" *(?:[{re.escape(delimiter)}\r\n]|$)')
    best = replace(plain, blanks=any(after_blank.search(line) for line in lines))
    if not escaped and not any('\\"' in line for line in lines):
        return replace(best, escapes=layout.escapes)
    other = replace(best, escapes=True)
    return other if _share([*lines, *escaped], other) > _share([*lines, *escaped], best) else best


def _separator_said(line: str) -> str | None:
    """Excel's own first line, "sep=;"."""
    text = line.strip("\r\n ").strip('"')
    return text[4] if text.lower().startswith("sep=") and len(text) == 5 and text[4] in DELIMITERS else None


def _fitness(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """How well a separator fits: with how many of the records it makes the usual number of columns, and that more than one."""
    rows = [cells for cells in csv.reader(lines, delimiter=delimiter) if cells]
    width = _usual_width(rows)
    return (round(sum(len(cells) == width for cells in rows) / len(rows), 1), width) if width > 1 else (0.0, 0)


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    widths = Counter(len(cells) for cells in rows if len(cells) > 1)
    return widths.most_common(1)[0][0] if widths else 1


def _share(lines: Sequence[str], layout: Layout) -> float:
    """Which part of the records has the usual number of columns."""
    rows = [record.cells for record in parsed(((line, False) for line in lines), layout)]
    width = _usual_width(rows)
    return sum(len(cells) == width for cells in rows) / max(1, len(rows))


def _with_header(layout: Layout, lines: Sequence[str], headed: bool | None) -> Layout:
    """The layout with its column names, and with what is to be asked about them."""
    feed = parsed(((line, False) for line in lines), layout)
    rows = [one for one in islice(feed, _LINES) if one.problem or not (one.is_blank or is_separator_line(one))]
    if not rows:
        raise Invalid("This file is empty.", "file")
    cells = [record.cells for record in rows]
    at = _header_at(cells)
    if rows[at].problem:
        raise Invalid(f"The column names on line {rows[at].line:,} cannot be read: {rows[at].problem}.", "file")
    names, is_doubted = cells[at], False
    if _known(names) < 2:
        data = _looks_like_data(names, cells[at + 1 :])
        is_doubted = data or _known(names) == 0
        headed = not data if headed is None else headed
    elif headed is None:
        headed = True
    names = [" ".join(name.split())[:LONGEST_NAME] for name in names]
    if len(names) > MOST_COLUMNS:
        while names and not names[-1]:
            names.pop()
    if len(names) > MOST_COLUMNS:
        raise Invalid(
            f"This file has {len(names):,} columns, and no more than {MOST_COLUMNS:,} can be read. Export only the columns that you need.",
            "file",
        )
    if not headed:
        width = min(max(len(names), _usual_width(cells[at:])), MOST_COLUMNS)
        names = [NUMBERED.format(number) for number in range(1, width + 1)]
    found = replace(
        layout.found,
        above=tuple(record.text.strip()[:LONGEST_NAME] for record in rows[:at]),
        first=tuple(cell[:LONGEST_NAME] for cell in cells[at]) if is_doubted else (),
    )
    return replace(layout, header=tuple(names), headed=bool(headed), above=at, found=found)


def _header_at(rows: Sequence[Sequence[str]]) -> int:
    """Where the column names stand, or would stand: below lines that hold a title and no columns."""
    width = _usual_width(rows)
    for at, cells in enumerate(rows[: _MOST_ABOVE + 1]):
        if _known(cells) >= 2 or (len(cells) == width and _filled(cells) > 1):
            return at if all(_is_title(above, cells) for above in rows[:at]) else 0
    return 0


def _is_title(cells: Sequence[str], header: Sequence[str]) -> bool:
    return 0 < _filled(cells) <= 2 and _filled(cells) < _filled(header) and _known(cells) < 2


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


_NAMES = frozenset(
    re.sub(r"[\W_]", "", folded(name))
    for fields in FIELDS.values()
    for field in fields
    for name in (field.name, field.label, *field.headers)
)


def _known(cells: Sequence[str]) -> int:
    """How many of the cells are names of columns that this tool knows."""
    return sum(re.sub(r"[\W_]", "", folded(cell[:LONGEST_NAME])) in _NAMES for cell in cells if cell)


_VALUE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|[-+(]?\d[\d.,:/ )-]*")


def _looks_like_data(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether one of the cells is an address, a number or a date, or stands in its column again."""
    for at, cell in enumerate(cells):
        if _VALUE.fullmatch(cell.strip()):
            return True
        if cell.strip() and any(len(row) > at and row[at] == cell and row != cells for row in below):
            return True
    return False
