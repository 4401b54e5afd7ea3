"""Whatever is wrong with a file, each of its lines is accounted for, and nobody gets what is another's."""

import csv
import io
from collections import Counter
from types import SimpleNamespace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from tests.core.imports.damage import HEADER, damaged_files, tables, written
from tests.core.imports.steps import imported
from webapp.core.errors import Conflict, Invalid
from webapp.core.imports import issues, mapping, runs
from webapp.core.imports.checking import Checker
from webapp.core.imports.lines import split
from webapp.core.imports.reading import Layout, look, records
from webapp.core.rules.addresses import Address
from webapp.core.rules.csv_cells import without_guard
from webapp.core.rules.normalise import DateOrder
from webapp.core.tables.clients import Client
from webapp.core.tables.imports import ImportIssue, ImportKind, ImportRun, ImportState


class InMemory:
    """A file that stands nowhere."""

    def __init__(self, octets: bytes):
        self.octets = octets

    def open(self, _mode="rb", /):
        return io.BytesIO(self.octets)


class InMemoryPath(InMemory):
    """The same, with what an upload is asked besides."""

    name = "damaged.csv"

    def stat(self):
        return SimpleNamespace(st_size=len(self.octets))


def checker_of(layout: Layout) -> Checker:
    columns = mapping.assign(ImportKind.CLIENTS, layout.header).mapping
    return Checker(ImportKind.CLIENTS, columns, len(layout.header), layout.delimiter, DateOrder.UNKNOWN)


def physical_lines(octets: bytes) -> list[bytes]:
    """The lines as an editor counts them, without their ends."""
    return [line.encode("latin-1").rstrip(b"\r\n") for line in split(octets.decode("latin-1"))]


@given(damaged_files())
@settings(max_examples=150, deadline=None)
def test_each_line_belongs_to_one_record(octets):
    layout = look(InMemory(octets))
    if layout.header != HEADER:
        return  # the damage is in the column names, and a person is asked
    lines = physical_lines(octets)
    counted = Counter()
    for record in records(InMemory(octets), layout, checker_of(layout).is_row):
        span = len(list(split(record.text))) or 1
        counted.update(range(record.line, record.line + span))
        if octets.isascii():
            there = [line.encode().rstrip(b"\r\n") for line in split(record.text)] or [b""]
            assert there == lines[record.line - 1 : record.line - 1 + span]
    first = layout.above + 2
    assert {n: 1 for n, line in enumerate(lines, 1) if line.strip() and n >= first}.keys() <= counted.keys()
    assert set(counted.values()) <= {1}


@given(damaged_files())
@settings(max_examples=150, deadline=None)
def test_nobody_gets_the_address_of_somebody_else(octets):
    layout = look(InMemory(octets))
    if layout.header != HEADER:
        return
    checker = checker_of(layout)
    for record in records(InMemory(octets), layout, checker.is_row):
        row = checker.check(record)
        if not row.refused and row.number.startswith("10") and isinstance(row.address, Address):
            assert row.address.address == f"a{row.number[2:]}@example.com"


QUOTING = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])


@given(tables(), QUOTING, st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_file_without_damage_is_read_as_python_reads_it(rows, quoting, newline, judged):
    text = written(rows, quoting, newline)
    layout = look(InMemory(text.encode()))
    assert (layout.header, layout.delimiter, layout.escapes) == (HEADER, ",", False)
    found = list(records(InMemory(text.encode()), layout, checker_of(layout).is_row if judged else None))
    expected = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row][1:]
    assert [record.cells for record in found] == [[without_guard(cell) for cell in row] for row in expected]


@given(damaged_files())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(b"Client ID,Email,Status\n1,a@example.com,Active\n2,b@example.com,Active,x,y\n,,\n3\n")
def test_the_numbers_add_up_and_each_refused_line_stands_in_the_download(sqlite_session, octets):
    for table in (Client, ImportIssue, ImportRun):
        sqlite_session.execute(delete(table))
    sqlite_session.commit()
    try:
        run = imported(sqlite_session, InMemoryPath(octets), ImportKind.CLIENTS)
    except (Invalid, Conflict):
        return  # nothing is imported of a file whose columns are not known
    assert run.state is ImportState.DONE, run.error
    assert run.rows_seen == run.rows_total == run.new + run.changed + run.unchanged + run.refused + run.blank
    assert sqlite_session.scalar(select(func.count()).select_from(Client)) == run.new
    text = "".join(issues.as_csv(sqlite_session, run, refused=True)).removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=run.delimiter, strict=True))
    assert len(rows) == run.refused
    layout = runs.layout_of(run)
    records_by_line = {record.line: record for record in records(InMemory(octets), layout, checker_of(layout).is_row)}
    for row in rows:
        record = records_by_line[int(row["Line"])]
        whole = [without_guard(row["Text of the line"])] if row["Text of the line"] else None
        cells = [without_guard(row[name]) for name in layout.header][: len(record.cells)]
        assert whole == [record.text] or cells == record.cells
