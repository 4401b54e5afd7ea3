"""What the console gives out as CSV: no cell is taken for a formula, whatever the spreadsheet and its separator."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import factories
from webapp.core.imports import issues
from webapp.core.rules import csv_cells
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.imports import ImportIssue, ImportKind, ImportRun, ImportState

FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋A1",
    "－A1*2",
    "＠SUM(A1)",
    "﹦1",
    "−2+3",
    " =1+1",
    "\u00a0=1",
    "\u3000＝1",
    "\ufeff=1",
    "\u200b@A1",
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_a_spreadsheet_would_execute_is_guarded(cell):
    assert csv_cells.with_guard(cell) == f"'{cell}"
    assert csv_cells.without_guard(csv_cells.with_guard(cell)) == cell


@pytest.mark.parametrize("cell", ["", " ", "x=1", "-5", "+49", "-1.234,50", " 5", "'s-Gravenhage", "a@b.example"])
def test_other_cells_stay_as_they_are(cell):
    assert csv_cells.without_guard(cell) == csv_cells.with_guard(cell) == cell


@pytest.mark.parametrize("cell", ["a;b", "a,b", "a|b", "a\tb", 'a"b', "a\nb", " a", "a "])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_some_spreadsheet_would_split_stands_in_quotes(cell, delimiter):
    line = csv_cells.row(["x", cell], delimiter)
    assert line == f'x{delimiter}"{cell.replace(chr(34), chr(34) * 2)}"\r\n'


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.sampled_from(",;|\t"))
def test_a_reader_of_csv_gets_back_what_was_written(cells, delimiter):
    line = csv_cells.row(cells, delimiter)
    found = next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter, strict=True), [])
    assert found == [csv_cells.with_guard(cell) for cell in cells]


def test_the_ledger_is_given_out_that_way(browser_client, sqlite_session):
    broadcast = factories.broadcast(sqlite_session)
    client = factories.client(sqlite_session, first_name="＝HYPERLINK(1);x", last_name="")
    factories.delivery(sqlite_session, broadcast, client, state=DeliveryState.FAILED)
    sqlite_session.commit()
    text = browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/export.csv").get_data().decode("utf-8-sig")
    assert '"\'＝HYPERLINK(1);x"' in text


def test_the_file_to_mend_is_given_out_that_way(sqlite_session):
    run = ImportRun(
        kind=ImportKind.CLIENTS,
        state=ImportState.CHECKED,
        file_name="a.csv",
        stored_as="",
        delimiter=",",
        header=["ID", "＝Name"],
        created_at=factories.NOW,
    )
    sqlite_session.add(run)
    sqlite_session.flush()
    cells = ["7", " @SUM(A1);=2"]
    sqlite_session.add(
        ImportIssue(import_id=run.id, line=2, field="email", value="", reason="none", refused=True, row=cells)
    )
    sqlite_session.flush()
    header, line = "".join(issues.as_csv(sqlite_session, run, refused=True)).splitlines()
    assert header == "\ufeffID,'＝Name,Line,Reason,Text of the line"
    assert line.startswith('7,"\' @SUM(A1);=2",2,')
