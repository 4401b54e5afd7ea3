"""CSV files as they come: how one is written, and one record after the other, without ever holding the file in memory."""

from itertools import islice

from webapp.core.imports.encodings import ENCODINGS, UNREADABLE
from webapp.core.imports.layouts import DELIMITERS, Layout, Signs
from webapp.core.imports.limits import LONGEST_SAMPLE
from webapp.core.imports.lines import Source
from webapp.core.imports.looking import look
from webapp.core.imports.parsing import IsRow, Record, records

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "UNREADABLE",
    "IsRow",
    "Layout",
    "Record",
    "Signs",
    "Source",
    "look",
    "records",
    "samples",
]


def samples(source: Source, layout: Layout, count: int = 3, within: int = 500) -> list[list[str]]:
    """For each column up to `count` different values that are not empty, from the first `within` records, each as far as it is shown."""
    found: list[list[str]] = [[] for _ in layout.header]
    for record in islice(records(source, layout), within):
        for values, cell in zip(found, record.cells, strict=False):
            if len(values) < count and cell.strip() and cell[:LONGEST_SAMPLE] not in values:
                values.append(cell[:LONGEST_SAMPLE])
        if all(len(values) == count for values in found):
            break
    return found
