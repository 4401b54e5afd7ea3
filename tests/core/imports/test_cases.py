"""Small files with the damages and habits of real exports; each goes the whole way into the client list."""

import csv
import io

import pytest
from sqlalchemy import select

from tests.core.imports.steps import CASES, NOW, checked, imported, numbers, ticking, uploaded
from webapp.core.errors import Invalid
from webapp.core.imports import issues, mapping, runs
from webapp.core.imports.reading import look, records
from webapp.core.imports.running import work
from webapp.core.tables.clients import Client
from webapp.core.tables.imports import ImportIssue, ImportKind, ImportState


def stored(session, *names):
    """These columns of all clients, in the order of their numbers."""
    columns = [getattr(Client, name) for name in names]
    return [tuple(row) for row in session.execute(select(*columns).order_by(Client.number))]


def said(session, run):
    rows = session.scalars(select(ImportIssue).where(ImportIssue.import_id == run.id).order_by(ImportIssue.id))
    return [(issue.line, issue.field, issue.reason, issue.refused) for issue in rows]


def download(session, run):
    text = "".join(issues.as_csv(session, run, refused=True)).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=run.delimiter))


def read_otherwise(session, path, **answers):
    """The file, imported after a person has answered how it is to be read."""
    run = uploaded(session, path)
    layout = look(path, like=runs.layout_of(run), **answers)
    runs.remap(session, run.id, run.kind, run.mapping, layout)
    runs.begin(session, run.id, "run", NOW, unchecked=True)
    session.commit()
    return work(session, run.id, "run", path, ticking())


def test_an_open_quotation_mark_costs_its_own_line_and_no_neighbour(session):
    run = imported(session, CASES / "02-open-quote-swallows-rows.csv")
    assert (run.rows_seen, numbers(run)) == (6, {"new": 5, "refused": 1})
    assert stored(session, "number", "email") == [
        ("91001", "anna@example.com"),
        ("91003", "cy@example.com"),
        ("91004", "di@example.com"),
        ("91005", "ed@example.com"),
        ("91006", "fi@example.com"),
    ]
    [row] = download(session, run)
    assert (row["Line"], row["Text of the line"]) == ("3", '91002,Bo,Ny,"Ny & Co,bo@example.com,SE,Active')
    assert (row["Client ID"], row["Company"], row["Status"]) == ("91002", '"Ny & Co', "Active")


def test_entities_are_letters_and_words_for_nothing_are_empty(sqlite_session):
    run = imported(sqlite_session, CASES / "12-null-and-entities.csv")
    assert stored(sqlite_session, "first_name", "last_name", "company") == [
        ("Seán", "O'Brien", "Smith & Sons"),
        ("", "", ""),
    ]
    assert said(sqlite_session, run) == [
        (2, "first_name", "read as “Seán”", False),
        (2, "last_name", "read as “O'Brien”", False),
        (2, "company", "read as “Smith & Sons”", False),
        (3, "first_name", "“NULL” read as empty", False),
        (3, "last_name", "“NULL” read as empty", False),
        (3, "company", "“\\N” read as empty", False),
    ]


def test_a_line_in_another_encoding_is_refused_and_the_others_are_right(sqlite_session):
    run = imported(sqlite_session, CASES / "13-mixed-encodings.csv")
    assert numbers(run) == {"new": 1, "refused": 1}
    assert stored(sqlite_session, "first_name", "last_name", "company") == [("Åsa", "Öst", "Öst AB")]
    [row] = download(sqlite_session, run)
    assert (row["First name"], row["Line"]) == ("Bjørn", "3")
    assert runs.layout_of(run).remarks() == [
        "1 line is not written in UTF-8 like the rest of the file. It is refused.",
    ]


def test_a_line_in_another_encoding_is_read_on_request_and_told(sqlite_session):
    run = read_otherwise(sqlite_session, CASES / "13-mixed-encodings.csv", strangers="cp1252")
    assert stored(sqlite_session, "first_name") == [("Åsa",), ("Bjørn",)]
    [(line, _, reason, refused)] = said(sqlite_session, run)
    assert (line, refused) == (3, False)
    assert reason.endswith("read as Windows-1252, Western Europe")


def test_text_that_was_encoded_twice_is_noticed_with_a_sample(sqlite_session):
    run = imported(sqlite_session, CASES / "14-double-encoded.csv")
    assert stored(sqlite_session, "first_name") == [("ZoÃ«",)]
    assert runs.layout_of(run).found.twice_read == (("ZoÃ«", "Zoë"), ("MÃ¼ller", "Müller"))
    assert "probably was “Zoë”" in runs.layout_of(run).remarks()[0]


def test_text_that_was_encoded_twice_is_undone_on_request_and_told(sqlite_session):
    run = read_otherwise(sqlite_session, CASES / "14-double-encoded.csv", mends=True)
    assert stored(sqlite_session, "first_name", "last_name") == [("Zoë", "Müller")]
    assert said(sqlite_session, run) == [
        (2, "row", "it was encoded twice: “ZoÃ«” read as “Zoë”, “MÃ¼ller” read as “Müller”", False)
    ]


def test_a_mac_file_is_told_to_be_a_guess_and_each_choice_shows_its_names(sqlite_session):
    path = CASES / "15-macintosh.csv"
    choices = {choice.encoding: choice for choice in look(path).encodings}
    assert choices["mac_roman"].words == ("Zoë", "Müller", "Größe")
    assert choices["cp1252"].words[0] == "Zo‘"
    assert {"cp1250", "cp1257", "cp850", "koi8-r", "utf-16"} <= choices.keys()
    assert "does not say how its letters are written" in look(path).remarks()[0]
    imported(sqlite_session, path)
    assert stored(sqlite_session, "first_name", "last_name", "company") == [("Zoë", "Müller", "Größe")]


def test_a_file_without_column_names_asks_and_loses_no_client(sqlite_session):
    path = CASES / "16-no-header.csv"
    layout = look(path)
    assert layout.is_header_doubted
    assert not layout.headed
    assert layout.header == tuple(f"Column {n}" for n in range(1, 8))
    assert [record.cells[0] for record in records(path, layout)] == ["91031", "91032"]
    with pytest.raises(Invalid, match="Choose the column for"):
        mapping.checked(
            ImportKind.CLIENTS, mapping.assign(ImportKind.CLIENTS, layout.header).mapping, len(layout.header)
        )
    columns = {"number": 0, "first_name": 1, "last_name": 2, "email": 4, "country": 5, "status": 6}
    run = imported(sqlite_session, path, ImportKind.CLIENTS, **columns)
    assert (run.state, numbers(run)) == (ImportState.DONE, {"new": 2})


def test_quotation_marks_after_a_blank_are_quotation_marks(sqlite_session):
    path = CASES / "17-blank-after-comma.csv"
    run = imported(sqlite_session, path)
    assert stored(sqlite_session, "number", "first_name", "company", "email") == [
        ("72411", "Ann", "Smith", "ann8@example.com")
    ]
    assert runs.layout_of(run).remarks() == [
        "Quotation marks stand after a blank. They are read as if the blank were not there."
    ]


def test_blank_rows_are_counted_as_blank_and_not_as_refused(session):
    run = imported(session, CASES / "18-blank-rows.csv")
    assert (run.rows_seen, run.blank, numbers(run)) == (3, 2, {"new": 1})


def test_a_title_above_the_column_names_is_left_out_and_told(sqlite_session):
    run = checked(sqlite_session, CASES / "24-title-line.csv")
    assert (run.header, numbers(run)) == (["Client ID", "Email", "Status"], {"new": 1})
    assert runs.layout_of(run).remarks() == ['The line above the column names is left out: “"Clients Report"”.']


def test_a_utf8_line_in_an_old_file_is_noticed_and_read_on_request(sqlite_session, tmp_path):
    rows = "".join(f"{n},Jörg,j{n}@example.com,Active\n" for n in range(4)).encode("cp1252")
    path = tmp_path / "a.csv"
    path.write_bytes(b"Client ID,First name,Email,Status\n" + rows + "9,Zoë,z@example.com,Active\n".encode())
    layout = look(path)
    assert (layout.encoding, layout.found.twice, layout.found.twice_read) == ("cp1252", 1, (("ZoÃ«", "Zoë"),))
    read_otherwise(sqlite_session, path, mends=True)
    assert stored(sqlite_session, "first_name") == [("Jörg",)] * 4 + [("Zoë",)]


@pytest.mark.parametrize("row", ['1,"say \\"hi\\"",a@example.com,Active', '1,"C:\\\\dir\\", x",a@example.com,Active'])
def test_a_backslash_before_a_quotation_mark_is_understood_where_the_file_uses_it_throughout(tmp_path, row):
    path = tmp_path / "a.csv"
    path.write_text(f"ID,Name,Email,Status\n{row}\n2,\\N,b@example.com,Active\n")
    layout = look(path)
    assert layout.escapes and "backslash" in layout.remarks()[0]
    [first, second] = records(path, layout)
    assert first.problem is None and '"' in first.cells[1] and second.cells[1] == "\\N"


def test_a_backslash_at_the_end_of_a_value_is_no_escape(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('ID,Name,Email,Status\n1,"C:\\dir\\",a@example.com,Active\n2,"D:\\",b@example.com,Active\n')
    layout = look(path)
    assert not layout.escapes
    assert [record.cells[1] for record in records(path, layout)] == ["C:\\dir\\", "D:\\"]


@pytest.mark.parametrize(
    "above",
    [
        "Clients Report",
        "Clients Report,,,",
        '"Clients, all of them"',
        "Clients Report\n\nPrinted,2024-01-05",
        ",,,\nReport",
    ],
)
def test_lines_above_the_column_names_are_left_out_and_told(tmp_path, above):
    path = tmp_path / "a.csv"
    path.write_text(f"{above}\nID,Name,Email,Status\n1,Ann,a@example.com,Active\n")
    layout = look(path)
    assert (layout.header, layout.headed) == (("ID", "Name", "Email", "Status"), True)
    assert [record.cells[0] for record in records(path, layout)] == ["1"]
    assert "above the column names" in layout.remarks()[0]


@pytest.mark.parametrize(
    "first", ["Anna,Ek,SE,Active", "1,Anna,a@example.com,Active", "5-Jan-21,2021-01-05,12,Active", "a@example.com"]
)
def test_a_first_line_that_looks_like_a_row_is_asked_about(tmp_path, first):
    path = tmp_path / "a.csv"
    path.write_text(f"{first}\n{first.replace('A', 'B').replace('1', '2').replace('Bctive', 'Active')}\n")
    layout = look(path)
    assert layout.is_header_doubted and not layout.headed
    assert len(list(records(path, layout))) == 2


def test_a_header_in_words_nobody_knows_here_is_kept_and_asked_about(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Klient,Imie,Stan\n1,Jan,aktywny\n2,Ewa,aktywny\n")
    layout = look(path)
    assert layout.headed and layout.is_header_doubted


def test_a_line_in_several_parts_stays_one_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('ID,Company,Email,Status\n1,"1 Main St\nSpringfield, IL, USA",a@example.com,Active\n')
    layout = look(path)
    [record] = records(path, layout, lambda cells: cells[0].isdigit())
    assert record.cells[1] == "1 Main St\nSpringfield, IL, USA"


def test_a_person_called_null_keeps_the_name(sqlite_session, tmp_path):
    path = tmp_path / "a.csv"
    lines = ["1,Jennifer,Null,Active", "2,JENNIFER,NULL,Active", "3,Jennifer,NULL,Active", "4,NULL,NULL,Active"]
    path.write_text("\n".join(["Client ID,First name,Last name,Status", *lines]))
    imported(sqlite_session, path)
    assert stored(sqlite_session, "last_name") == [("Null",), ("NULL",), ("",), ("",)]
