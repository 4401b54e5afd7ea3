"""Lists of suppressed addresses as CSV files: how one is read, what taking it over would do, and its rows in slices.

A slice is a transaction of its caller. A list that was taken over in part can be taken over again: what is known stays as it is.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from sqlalchemy.orm import Session

from webapp.core.consent import settings, suppressions
from webapp.core.consent.suppressions import Key
from webapp.core.errors import Invalid
from webapp.core.imports import reading
from webapp.core.imports.reading import Layout, Record, Source
from webapp.core.rules.consent import EntryFate, SuppressionKind
from webapp.core.rules.suppression_lists import (
    NOT_SUPPRESSED,
    ListReading,
    SuppressionEntry,
    Unread,
    entry_of,
    recognise,
)
from webapp.core.rules.texts import shown

SLICE = 1_000
"""Rows of a file that are taken over in one transaction at most: a fraction of a second, between two of which others can write."""

SAMPLES = 20
"""Values of each column that are looked at to know what it says."""

LONGEST_TEXT = 120
"""Characters of a row that are shown beside what became of it."""

SOURCE = "import"

AGAIN = "it stands further up in the list"


@dataclass(frozen=True)
class SuppressionList:
    """A file and how it is read. `name` is the file's."""

    source: Source
    layout: Layout
    reading: ListReading
    name: str

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        return f"{self.reading.system}: {self.name}" if self.reading.system else self.name

    def records(self) -> Iterator[Record]:
        """The records below the header, from the first one on."""
        return reading.records(self.source, self.layout)


class ListRow(NamedTuple):
    """A row and what it means. `line` is the one it begins on, from 1; `text` is what stands there, as far as it is shown."""

    line: int
    text: str
    found: SuppressionEntry | Unread


class JudgedRow(NamedTuple):
    """What becomes of a row, and why where its fate does not say it. `text` is the address as it is kept where one is suppressed."""

    line: int
    text: str
    fate: EntryFate
    kind: SuppressionKind | None = None
    why: str = ""


@dataclass
class ListCounts:
    """What became of the rows: `rows_seen` is the sum of those of each fate. `kinds` counts what is suppressed by the list, by kind."""

    rows_seen: int = 0
    new: int = 0
    wider: int = 0
    known: int = 0
    free: int = 0
    refused: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, rows: Sequence[JudgedRow]) -> None:
        self.rows_seen += len(rows)
        for fate, count in Counter(row.fate for row in rows).items():
            setattr(self, fate.value, getattr(self, fate.value) + count)
        self.kinds.update(row.kind.value for row in rows if row.kind and row.fate in (EntryFate.NEW, EntryFate.WIDER))


def look(source: Source, name: str) -> SuppressionList:
    """How a file is read. Raises Invalid for one that is no list of addresses."""
    layout = reading.look(source)
    samples = reading.samples(source, layout, count=SAMPLES)
    found = recognise(layout.header, samples, name)
    if found is None:
        raise Invalid(
            "No column of this file holds e-mail addresses. Export the list as CSV, with its addresses.", "file"
        )
    return SuppressionList(source, layout, found, name)


def rows(
    records: Iterable[Record], given: SuppressionList, otherwise: SuppressionKind, now: datetime
) -> Iterator[ListRow]:
    """What records of a list mean; `otherwise` is the kind where nothing says one."""
    for record in records:
        found = Unread(record.problem) if record.problem else entry_of(record.cells, given.reading, otherwise, now)
        if isinstance(found, SuppressionEntry) and not found.reason:
            found = found._replace(reason=given.origin)
        yield ListRow(record.line, shown(record.text, LONGEST_TEXT), found)


def slices(given: SuppressionList, otherwise: SuppressionKind, now: datetime) -> Iterator[Sequence[ListRow]]:
    """The rows of a list, `SLICE` at a time."""
    found = rows(given.records(), given, otherwise, now)
    while some := list(islice(found, SLICE)):
        yield some


def foresee(session: Session, rows: Sequence[ListRow]) -> list[JudgedRow]:
    """What taking a slice of a list over would do now; nothing is written."""
    return _judged(session, rows, suppressions.foresee_each(session, _entries(rows)))


def take_over(session: Session, rows: Sequence[ListRow], now: datetime, *, by: str) -> list[JudgedRow]:
    """Suppress a slice of a list; `by` is the address of a user, "" for nobody. The caller commits."""
    return _judged(session, rows, suppressions.add_each(session, _entries(rows), now, by=by, source=SOURCE))


def _entries(rows: Sequence[ListRow]) -> list[SuppressionEntry]:
    return [row.found for row in rows if isinstance(row.found, SuppressionEntry)]


def _judged(session: Session, rows: Sequence[ListRow], fates: Mapping[Key, EntryFate]) -> list[JudgedRow]:
    consent, seen, judged = settings.read(session), set[Key](), list[JudgedRow]()
    for line, text, found in rows:
        if found is NOT_SUPPRESSED:
            judged.append(JudgedRow(line, text, EntryFate.FREE, why=NOT_SUPPRESSED.problem))
        elif isinstance(found, Unread):
            judged.append(JudgedRow(line, text, EntryFate.REFUSED, why=found.problem))
        else:
            key, kept = (found.address_key, found.kind), consent.kept_as(found.address_key)
            if key in seen:
                judged.append(JudgedRow(line, kept, EntryFate.KNOWN, found.kind, AGAIN))
            else:
                judged.append(JudgedRow(line, kept, fates[key], found.kind))
            seen.add(key)
    return judged
