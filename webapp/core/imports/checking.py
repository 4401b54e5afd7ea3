"""One record of a file -> the values it says, and what was refused or repaired on the way. Pure: what is stored already is not asked."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from webapp.core.imports.answers import NO_ANSWERS, REFUSE, Answers
from webapp.core.imports.mapping import FIELDS
from webapp.core.imports.reading import UNREADABLE, Record
from webapp.core.imports.survey import Findings
from webapp.core.rules import normalise
from webapp.core.rules.addresses import Address, Unusable, usable
from webapp.core.rules.artefacts import means_nothing
from webapp.core.rules.entities import decoded
from webapp.core.rules.names import split_name
from webapp.core.rules.normalise import Value
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.rules.texts import shown, tidy, without_invisible
from webapp.core.tables.imports import ImportKind

LABELS = {kind: {one.name: one.label for one in fields} for kind, fields in FIELDS.items()}
REQUIRED = {kind: frozenset(one.name for one in fields if one.required) for kind, fields in FIELDS.items()}
LENGTHS = {"number": 64, "client_number": 64, "service_number": 64, "domain": 255}
TEXT_LENGTH = 200
MOST_JOINED = 10
"""With more surplus separators it is no field without quotation marks that made the row too long."""
WHOLE_ROW = "row"
"""The field of an issue that concerns the whole row."""

_NUMBER = re.compile(r"(?=.*\d)[A-Za-z0-9#/._-]+")
_SCHEME = re.compile(r"^[a-z]+://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Issue:
    """One field that was refused (and the row with it) or repaired. `value` is what stood in the file."""

    field: str
    value: str
    reason: str
    refused: bool


@dataclass(slots=True)
class CheckedRow:
    """What a record says. `values` holds the mapped fields that were understood; for a field that was not, what is stored stays. `text` is
    the row as it stands in the file where its cells do not fit the columns. A `blank` row says nothing."""

    line: int
    cells: list[str]
    text: str = ""
    blank: bool = False
    number: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    address: Address | Unusable | None = None
    issues: list[Issue] = field(default_factory=list)
    refused: bool = False

    def refuse(self, field: str, value: str, reason: str) -> None:
        self.issues.append(Issue(field, value, reason, refused=True))
        self.refused = True

    def repair(self, field: str, value: str, reason: str) -> None:
        self.issues.append(Issue(field, value, reason, refused=False))


class _Doubtful(Exception):
    """A record could be read in a way that would make another person's address of one."""


class Checker:
    """Reads the records of one file. `width` is the number of columns of its header."""

    def __init__(
        self,
        kind: ImportKind,
        mapping: Mapping[str, int],
        width: int,
        delimiter: str,
        findings: Findings,
        answers: Answers = NO_ANSWERS,
    ):
        self.kind, self.width, self.delimiter, self.findings, self.answers = kind, width, delimiter, findings, answers
        self.columns = [(name, column, _READERS.get(name, _text)) for name, column in mapping.items()]
        self.constants = [(name, text, _READERS.get(name, _text)) for name, text in answers.constants.items()]

    def check(self, record: Record) -> CheckedRow:
        """The row that the record says."""
        if record.is_blank:
            return CheckedRow(record.line, record.cells, blank=True)
        row = self._row(record)
        for remark in record.remarks:
            row.repair(WHOLE_ROW, record.text, remark)
        return row

    def is_row(self, cells: list[str]) -> bool:
        """Whether these cells, as many as the columns, can be a row: a number, and an address in its column or all that is required."""
        row = self._read(0, cells, cells)
        if not _NUMBER.fullmatch(row.number):
            return False
        return isinstance(row.address, Address) or (not row.refused and REQUIRED[self.kind] <= row.values.keys())

    def _row(self, record: Record) -> CheckedRow:
        if record.problem:
            cells = record.text.split(self.delimiter)
            row = CheckedRow(record.line, cells if len(cells) == self.width else [], record.text)
            row.refuse(WHOLE_ROW, record.text, record.problem)
            return row
        if len(record.cells) == self.width:
            return self._read(record.line, record.cells, record.cells)
        if len(record.cells) < self.width:
            short = self._read(record.line, [*record.cells, *[""] * (self.width - len(record.cells))], record.cells)
            short.repair(
                WHOLE_ROW,
                "",
                f"it ends after {len(record.cells)} of {self.width} fields: the others are taken as empty",
            )
            return short
        return self._too_long(record)

    def _read(self, line: int, cells: list[str], original: list[str]) -> CheckedRow:
        row = CheckedRow(line, original)
        plain = self._plain(row, cells)
        for name, _, read in self.columns:
            read(self, row, name, plain[name])
        for name, text, read in self.constants:
            read(self, row, name, text)
        self._price(row)
        row.number = row.values.get("number", "")
        return row

    def _price(self, row: CheckedRow) -> None:
        """Amount and currency are judged together: each tells about the other."""
        if "price" not in row.values and "currency" not in row.values:
            return
        text, named = row.values.pop("price", ""), row.values.pop("currency", None)
        amount, currency = normalise.priced(text, named, self.findings.prices, self.answers.mark)
        _take(row, "price", text, amount)
        is_said = currency.note is not None and currency.note == amount.note
        if (named is not None or currency.value) and not is_said:
            _take(row, "currency", named or text, currency)

    def _plain(self, row: CheckedRow, cells: list[str]) -> dict[str, str]:
        """The fields without what only the export put in: entities of HTML, and words for "nothing". An address sees to itself."""
        plain = {}
        for name, column, _ in self.columns:
            cell = plain[name] = cells[column]
            if name == "email":
                continue
            text = decoded(cell)
            if text != cell:
                row.repair(name, cell, f"read as “{shown(text, 60)}”")
            if means_nothing(text):
                row.repair(name, cell, f"“{shown(text, 20)}” read as empty")
                text = ""
            plain[name] = text
        kept = _surname_null(cells, {name: column for name, column, _ in self.columns})
        if kept:
            plain["last_name"] = kept
            row.issues = [issue for issue in row.issues if issue.field != "last_name"]
        return plain

    def _too_long(self, record: Record) -> CheckedRow:
        """A record with more fields than the header: nothing in the surplus, or a separator inside a field without quotation marks.

        The latter is mended where there is only one way to join neighbours so that all other fields still make sense.
        """
        if not any(cell.strip() for cell in record.cells[self.width :]):
            return self._read(record.line, record.cells[: self.width], record.cells)
        try:
            ways = list(self._joined(record)) if len(record.cells) - self.width <= MOST_JOINED else []
        except _Doubtful:
            ways = []
        if len(ways) == 1:
            row, joined = ways[0]
            row.repair(
                WHOLE_ROW, joined, f"“{shown(joined, 60)}” read as one field: it has no quotation marks around it"
            )
            return row
        row = CheckedRow(record.line, [], record.text)
        row.refuse(
            WHOLE_ROW,
            record.text,
            f"it has {len(record.cells):,} fields, the header {self.width}: is there a “{self.delimiter}” inside a field "
            "without quotation marks around it?",
        )
        return row

    def _joined(self, record: Record) -> Iterator[tuple[CheckedRow, str]]:
        surplus = len(record.cells) - self.width
        mapped = {column: name for name, column, _ in self.columns}
        for at in range(self.width):
            name = mapped.get(at)
            if name in _READERS and name not in _JOINABLE:
                continue
            joined = self.delimiter.join(record.cells[at : at + surplus + 1])
            if name == "email" and joined.count("@") == 1 and " " not in joined.strip():
                raise _Doubtful  # "max,muster@…" is one address with a slip, and nobody knows which
            row = self._read(record.line, [*record.cells[:at], joined, *record.cells[at + surplus + 1 :]], record.cells)
            sure = not row.refused and all(one in row.values for one in mapped.values())
            if sure and not (isinstance(row.address, Unusable) and not row.address.missing):
                yield row, joined


def _surname_null(cells: list[str], columns: Mapping[str, int]) -> str:
    """The surname of somebody called Null, where the first name beside it is written in the same way: no word for "nothing"."""
    if "first_name" not in columns or "last_name" not in columns:
        return ""
    first, last = (cells[columns[name]].strip() for name in ("first_name", "last_name"))
    alike = first.isupper() if last.isupper() else first.islower()
    return last if last.lower() == "null" and alike and not means_nothing(first) else ""


Reader = Callable[[Checker, CheckedRow, str, str], None]


def _text(checker: Checker, row: CheckedRow, name: str, cell: str) -> None:
    text = tidy(cell)
    limit = LENGTHS.get(name, TEXT_LENGTH)
    if not text and name in REQUIRED[checker.kind]:
        row.refuse(name, cell, f"{LABELS[checker.kind][name]} is missing")
    if text != cell and without_invisible(cell)[1]:
        row.repair(name, cell, "invisible characters removed")
    if UNREADABLE in text:
        row.repair(name, cell, "some characters could not be read: is the encoding right?")
    if text.count('"') % 2 and text[:1] + text[-1:] != '""' and '"' in (text[0], text[-1]):
        row.repair(name, cell, "it has a quotation mark at one end only: is another one missing?")
    if len(text) > limit:
        row.repair(name, cell, f"cut after {limit} characters")
        text = text[:limit].rstrip()
    row.values[name] = text


def _number(checker: Checker, row: CheckedRow, name: str, cell: str) -> None:
    text = tidy(cell)
    if not text and name in REQUIRED[checker.kind]:
        row.refuse(name, cell, f"{LABELS[checker.kind][name]} is missing")
    elif len(text) > LENGTHS[name] or any(sign in text for sign in (UNREADABLE, checker.delimiter, '"', "\\")):
        row.refuse(name, cell, f"“{shown(text, 40)}” cannot be a {LABELS[checker.kind][name]}")
    row.values[name] = text[: LENGTHS[name]]


def _email(checker: Checker, row: CheckedRow, name: str, cell: str) -> None:
    found = row.address = usable(cell)
    if isinstance(found, Address):
        row.values[name] = found.text
        if found.repair:
            row.repair(name, cell, found.repair)
        return
    row.values[name] = tidy(cell)[:320]
    if not found.missing:
        row.repair(name, cell, f"{found.problem}: the client is taken, but gets no mail")


def _domain(checker: Checker, row: CheckedRow, name: str, cell: str) -> None:
    _text(checker, row, name, cell.lower())
    bare = _SCHEME.sub("", row.values[name]).rstrip("/.")
    if bare != row.values[name]:
        row.repair(name, cell, f"read as {shown(bare, 80)}")
        row.values[name] = bare


def _status(checker: Checker, row: CheckedRow, name: str, cell: str) -> None:
    read = normalise.client_status if checker.kind is ImportKind.CLIENTS else normalise.holding_status
    found: Value[Any] = read(cell)
    meant = checker.answers.statuses.get(normalise.status_key(cell)) if found.value is None else None
    if meant and meant != REFUSE:
        status = (ClientStatus if checker.kind is ImportKind.CLIENTS else HoldingStatus)(meant)
        found = Value(status, f"“{shown(cell, 40)}” read as {status.label}, as you said")
    if found.value is None:
        row.refuse(name, cell, found.note or "Status is missing: it decides who is mailed, so it is never guessed")
        return
    row.values[name] = found.value
    if found.note:
        row.repair(name, cell, found.note)


def _day(checker: Checker, row: CheckedRow, name: str, cell: str) -> None:
    _take(row, name, cell, normalise.day(cell, checker.findings.dates.order(cell, checker.answers.order)))


def _kept(_checker: Checker, row: CheckedRow, name: str, cell: str) -> None:
    """The text as it stands, for `Checker._price` to judge with its neighbours."""
    row.values[name] = cell


def _full_name(checker: Checker, row: CheckedRow, name: str, cell: str) -> None:
    """A whole name, for first and last name."""
    _text(checker, row, name, cell)
    first, last, is_sure = split_name(row.values[name])
    row.values |= {"first_name": first, "last_name": last}
    if not is_sure:
        row.repair(name, cell, f"read as first name “{shown(first, 60)}” and last name “{shown(last, 60)}”")


def _simple(read: Callable[[str], Value[Any]]) -> Reader:
    def take(_checker: Checker, row: CheckedRow, name: str, cell: str) -> None:
        _take(row, name, cell, read(cell))

    return take


def _take(row: CheckedRow, name: str, cell: str, found: Value[Any]) -> None:
    if found.understood:
        row.values[name] = found.value
    if found.note:
        row.repair(name, cell, found.note)


_READERS: dict[str, Reader] = {
    "number": _number,
    "client_number": _number,
    "service_number": _number,
    "email": _email,
    "full_name": _full_name,
    "domain": _domain,
    "status": _status,
    "country": _simple(normalise.country),
    "language": _simple(normalise.language),
    "marketing_opt_in": _simple(normalise.flag),
    "currency": _kept,
    "price": _kept,
    "client_since": _day,
    "next_due_on": _day,
}
_JOINABLE = frozenset({"email", "price"})
"""Fields that are no plain text, but in which a separator may stand."""
