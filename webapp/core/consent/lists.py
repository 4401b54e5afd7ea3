"""Lists of suppressed addresses as CSV files: how one is read, what taking it over would do, and its entries in slices.

A slice is a transaction of its caller. A list that was taken over in part can be taken over again: what is known stays as it is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core.consent import suppressions
from webapp.core.errors import Invalid
from webapp.core.imports import reading
from webapp.core.imports.reading import Layout, Source
from webapp.core.rules.consent import SuppressionKind, SuppressionScope
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
"""Rows taken over in one transaction: a fraction of a second, between two of which others can write."""

SAMPLES = 20
"""Values of each column that are looked at to know what it says."""

LISTED = 50
"""Rows that could not be read which are named one by one."""

SOURCE = "import"


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


@dataclass(frozen=True)
class UnreadRow:
    """A row that could not be read: the line it begins on, from 1, what stands there, and why."""

    line: int
    text: str
    why: str


@dataclass
class ListSurvey:
    """What taking a list over would do. `free` rows say that their address may be mailed; `kinds` counts the entries by kind."""

    rows: int = 0
    new: int = 0
    wider: int = 0
    known: int = 0
    free: int = 0
    unread: int = 0
    kinds: Counter[SuppressionKind] = field(default_factory=Counter)
    problems: list[UnreadRow] = field(default_factory=list)


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


def slices(
    given: SuppressionList, otherwise: SuppressionKind, now: datetime, survey: ListSurvey, most: int | None = None
) -> Iterator[list[SuppressionEntry]]:
    """The entries of a list, some at a time, each address and kind once in a slice; `otherwise` is the kind where nothing says one. What
    could not be taken is counted in `survey`. Raises Invalid behind `most` rows."""
    entries: dict[tuple[str, SuppressionKind], SuppressionEntry] = {}
    for record in reading.records(given.source, given.layout):
        survey.rows += 1
        if most is not None and survey.rows > most:
            raise Invalid(
                f"This file has more than {most:,} rows. Split it, or have an administrator run "
                "“flask suppressions import” with it, which takes any length.",
                "file",
            )
        found = Unread(record.problem) if record.problem else entry_of(record.cells, given.reading, otherwise, now)
        if found is NOT_SUPPRESSED:
            survey.free += 1
        elif isinstance(found, Unread):
            survey.unread += 1
            if len(survey.problems) < LISTED:
                survey.problems.append(UnreadRow(record.line, shown(record.text, 120), found.problem))
        else:
            _keep(entries, found, given)
            if len(entries) == SLICE:
                yield list(entries.values())
                entries.clear()
    if entries:
        yield list(entries.values())


def preview(
    session: Session, given: SuppressionList, otherwise: SuppressionKind, now: datetime, most: int | None = None
) -> ListSurvey:
    """What taking the list over would do now; nothing is written. Raises Invalid behind `most` rows."""
    survey = ListSurvey()
    for entries in slices(given, otherwise, now, survey, most):
        foreseen = suppressions.foresee(session, entries)
        survey.new += foreseen.added
        survey.wider += foreseen.widened
        survey.known += foreseen.known
        survey.kinds.update(entry.kind for entry in entries)
        session.rollback()  # a long snapshot would keep the database from tidying up
    return survey


def take_over(session: Session, entries: Sequence[SuppressionEntry], now: datetime, *, by: str) -> suppressions.Added:
    """Suppress a slice of a list. The caller commits."""
    return suppressions.add(session, entries, now, by=by, source=SOURCE)


def _keep(
    entries: dict[tuple[str, SuppressionKind], SuppressionEntry], found: SuppressionEntry, given: SuppressionList
) -> None:
    if not found.reason:
        found = found._replace(reason=given.origin)
    before = entries.setdefault((found.address_key, found.kind), found)
    if found.scope is SuppressionScope.EVERYTHING and before.scope is not found.scope:
        entries[found.address_key, found.kind] = before._replace(scope=found.scope)
