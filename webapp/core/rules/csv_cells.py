"""Rows of CSV as the console gives them out: quoted for whatever separator they are opened with, and no cell is taken for a formula.

https://owasp.org/www-community/attacks/CSV_Injection; RFC 4180 section 2 for the quotes.
"""

import re
import unicodedata
from collections.abc import Iterable

BEGINS_A_FORMULA = "=+-@\u2212"
"""As first letter of a cell, also in full width or small form, which spreadsheets of East Asia read alike."""

SPLITS = re.compile(r'[",;|\t\r\n]|^\s|\s$')
"""What must stand in quotes: a spreadsheet splits at the separator of its own language, whatever the file's is."""

_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*")
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})


def with_guard(cell: str) -> str:
    """The cell, with an apostrophe before what a spreadsheet would execute. Plain numbers stay as they are."""
    seen = next((letter for letter in cell if unicodedata.category(letter) not in _UNSEEN), "")
    begins = seen != "" and unicodedata.normalize("NFKC", seen) in BEGINS_A_FORMULA
    if cell.startswith(("\t", "\r", "\n")) or (begins and not _NUMBER.fullmatch(cell.strip())):
        return f"'{cell}"
    return cell


def without_guard(cell: str) -> str:
    """The cell as it was before `with_guard`, so that a downloaded list can be mended and uploaded again."""
    return cell[1:] if cell[:1] == "'" and with_guard(cell[1:]) == cell else cell


def row(cells: Iterable[object], delimiter: str = ",") -> str:
    """A line of CSV with its end, CR LF. Each cell is guarded, and quoted where some spreadsheet would split it."""
    written = [_quoted(with_guard(str(cell)), delimiter) for cell in cells]
    return (delimiter.join(written) if written != [""] else '""') + "\r\n"


def _quoted(cell: str, delimiter: str) -> str:
    return '"{}"'.format(cell.replace('"', '""')) if SPLITS.search(cell) or delimiter in cell else cell
