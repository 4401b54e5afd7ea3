"""No file fills the memory, the database or a page, and work on one can be stopped at any time."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.core.imports.steps import NOW, checked, imported, numbers, ticking, uploaded, written
from webapp.core.errors import Invalid
from webapp.core.imports import limits, running, runs, uploads
from webapp.core.imports.parsing import Record
from webapp.core.imports.reading import look, records, samples
from webapp.core.imports.running import in_batches, work
from webapp.core.tables.clients import Client
from webapp.core.tables.imports import WAITING, ImportIssue, ImportKind, ImportState, Upload

HEADER = "Client ID,Email,Status"


def count(session, table):
    found = session.scalar(select(func.count()).select_from(table))
    session.rollback()
    return found


@pytest.mark.parametrize("columns", [501, 60_000, 1_000_000])
def test_a_file_with_too_many_columns_is_refused_in_words(tmp_path, columns):
    names = ",".join(f"c{n}" for n in range(columns))
    path = written(tmp_path / "a.csv", names, ",".join("x" * min(columns, 1000)))
    with pytest.raises(Invalid, match=r"has 501 columns|has more than [\d,]+ characters"):
        look(path)


def test_columns_that_a_spreadsheet_added_behind_the_last_one_are_left_out(sqlite_session, tmp_path):
    behind = "," * 16_381
    path = written(
        tmp_path / "a.csv", HEADER + behind, f"1,a@example.com,Active{behind}", f"2,b@example.com,Active,x{behind}"
    )
    assert look(path).header == ("Client ID", "Email", "Status")
    run = imported(sqlite_session, path)
    assert numbers(run) == {"new": 1, "refused": 1}


def test_sixty_thousand_column_names_with_nothing_in_them_are_none(tmp_path):
    path = written(tmp_path / "a.csv", "," * 60_000, HEADER, "1,a@example.com,Active")
    assert look(path).header == ("Client ID", "Email", "Status")


def test_a_row_of_a_million_fields_is_refused_and_costs_no_other(sqlite_session, tmp_path):
    path = written(tmp_path / "a.csv", HEADER, "1,a@example.com,Active", "2," * 400_000, "3,c@example.com,Active")
    run = imported(sqlite_session, path)
    assert numbers(run) == {"new": 2, "refused": 1}
    issue = sqlite_session.scalars(select(ImportIssue)).one()
    assert len(issue.value) == limits.LONGEST_VALUE and issue.text == "2," * 400_000


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_file_of_line_ends_alone_is_refused_in_words(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_bytes((HEADER + end * 1_000_000).encode())
    with pytest.raises(Invalid, match="Line 2 and the 100,000 lines after it are empty"):
        samples(path, look(path))


def test_line_ends_alone_in_the_middle_of_a_file_end_its_check_in_words(sqlite_session, tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"{n},a{n}@example.com,Active\r" for n in range(600))
    path.write_bytes(f"{HEADER}\r{rows}{chr(13) * 200_000}".encode())
    run = checked(sqlite_session, path)
    assert run.state is ImportState.FAILED
    assert "Line 602 and the 100,000 lines after it are empty" in run.error


def test_long_values_are_shown_in_part(tmp_path):
    path = written(tmp_path / "a.csv", f"{HEADER},{'n' * 5000}", f"1,a@example.com,Active,{'x' * 90_000}")
    layout = look(path)
    assert max(map(len, layout.header)) == limits.LONGEST_NAME
    assert max(len(value) for values in samples(path, layout) for value in values) == limits.LONGEST_SAMPLE


def test_a_field_that_is_too_long_is_told(tmp_path):
    path = written(tmp_path / "a.csv", HEADER, f'1,"{"x" * 200_000}",Active', "2,b@example.com,Active")
    broken, sound = records(path, look(path))
    assert "more than 131,072 characters" in broken.problem
    assert sound.cells[0] == "2"


def test_a_batch_is_bounded_by_rows_cells_and_characters():
    def sizes(records, rows=1000):
        return [len(batch) for batch in in_batches(iter(records), rows)]

    assert sizes([Record(n, ["a"] * 3, None, "a,a,a") for n in range(2500)]) == [1000, 1000, 500]
    assert sizes([Record(n, ["a"] * 500, None, "a") for n in range(100)]) == [40, 40, 20]
    assert sizes([Record(n, ["a"], None, "x" * 1_000_000) for n in range(5)]) == [2, 2, 1]


def test_what_was_stopped_frees_its_rows_before_the_next_batch(session, tmp_path):
    path = written(tmp_path / "a.csv", HEADER, *(f"{n},a{n}@example.com,Active" for n in range(40)))
    import_id = checked(session, path).id
    runs.begin(session, import_id, "run", NOW)
    session.commit()
    laid_out = []

    def clock():
        with Session(session.get_bind()) as other:
            rows = count(other, WAITING[ImportKind.CLIENTS])
            if rows >= 6 and not laid_out:
                laid_out.append(rows)
                runs.stop(other, import_id)
                other.commit()
        return NOW

    run = work(session, import_id, "run", path, clock, rows=2)
    assert laid_out and laid_out[0] < 10
    assert (run.state, run.rows_seen, count(session, WAITING[ImportKind.CLIENTS])) == (ImportState.UPLOADED, 0, 0)
    assert count(session, Client) == 0


def test_rows_of_an_attempt_that_failed_are_freed(session, tmp_path, monkeypatch):
    path = written(tmp_path / "a.csv", HEADER, *(f"{n},a{n}@example.com,Active" for n in range(9)))
    import_id = checked(session, path).id
    runs.begin(session, import_id, "run", NOW)
    session.commit()

    def broken(*_):
        raise OSError("no space left")

    monkeypatch.setattr(running, "take_over", broken)
    assert work(session, import_id, "run", path, ticking()).state is ImportState.FAILED
    assert count(session, WAITING[ImportKind.CLIENTS]) == 0


def test_a_discarded_import_leaves_no_row_and_no_file(session, tmp_path):
    path = written(tmp_path / "a.csv", HEADER, "1,a@example.com,happy", "2,b@example.com,Active")
    run = checked(session, path)
    table = WAITING[ImportKind.CLIENTS]
    session.execute(table.insert(), [{"import_id": run.id, "line": 2, "number": "1", "verb": "seen"}])
    engine = session.get_bind()
    session.commit()
    with path.open("rb") as stream:
        name = uploads.keep(engine, lambda _: None, stream, NOW)
    runs.rename_file(session, run.id, path.name, name)
    session.commit()
    stored_as = runs.discard(session, run.id)
    session.commit()
    uploads.remove(engine, lambda _: None, stored_as)
    assert [count(session, one) for one in (table, ImportIssue, Upload)] == [0, 0, 0]


def test_rows_that_a_killed_worker_left_are_freed_when_the_import_was_stopped(session, tmp_path):
    path = written(tmp_path / "a.csv", HEADER, "1,a@example.com,Active")
    run = uploaded(session, path)
    table = WAITING[ImportKind.CLIENTS]
    session.execute(table.insert(), [{"import_id": run.id, "line": 2, "number": "1", "verb": "seen"}])
    session.commit()
    runs.forget_old(session, files_before=NOW, issues_before=NOW)
    session.commit()
    assert count(session, table) == 0
