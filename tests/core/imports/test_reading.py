import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.imports.steps import DATA, written
from webapp.core.errors import Invalid
from webapp.core.imports.reading import Layout, look, records, samples
from webapp.core.rules.csv_cells import with_guard, without_guard


def cells(path, layout=None):
    return [record.cells for record in records(path, layout or look(path))]


@pytest.mark.parametrize(
    ("name", "encoding", "delimiter"),
    [
        ("clients-oddities.csv", "utf-8", ","),
        ("services-oddities.csv", "utf-8", ";"),
        ("kunden-cp1252.csv", "cp1252", ";"),
        ("clients-utf16.txt", "utf-16", "\t"),
    ],
)
def test_encoding_and_separator_are_found(name, encoding, delimiter):
    layout = look(DATA / name)
    assert (layout.encoding, layout.delimiter) == (encoding, delimiter)
    assert not layout.header[0].startswith("\ufeff")


def test_letters_of_a_cp1252_file_are_read_as_they_were_written():
    path = DATA / "kunden-cp1252.csv"
    assert cells(path)[2][1:4] == ["Zoë", "O’Neill", "Preiß – Lange AG"]


def test_a_utf16_file_is_read():
    assert cells(DATA / "clients-utf16.txt")[1][1:3] == ["Μαρία", "Παπαδοπούλου"]


def test_one_broken_byte_does_not_turn_a_utf8_file_into_another(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"ID,Name\n" + "1,Zoë Šťastná\n".encode() * 20 + b"2,bro\xe9ken\n")
    assert look(path).encoding == "utf-8"
    *sound, broken = records(path, look(path))
    assert [record.cells for record in sound] == [["1", "Zoë Šťastná"]] * 20
    assert (broken.line, broken.text) == (22, "2,broéken")
    assert "not written in UTF-8" in broken.problem


def test_a_letter_cut_in_two_by_the_block_it_stands_in_is_no_broken_byte(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"ID,Name\n1," + b"x" * (64 * 1024 - 11) + "ß".encode() + b"\n")
    assert look(path).encoding == "utf-8"


def test_line_breaks_in_quotation_marks_belong_to_the_field_and_lines_are_counted(tmp_path):
    path = written(tmp_path / "a.csv", "ID,Name", '1,"two', 'lines"', "", '2,"say ""hi"""')
    assert [(record.line, record.cells) for record in records(path, look(path))] == [
        (2, ["1", "two\r\nlines"]),
        (5, ["2", 'say "hi"']),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(tmp_path, newline):
    path = written(tmp_path / "a.csv", "ID;Name", "1;a", "2;b", newline=newline)
    assert cells(path) == [["1", "a"], ["2", "b"]]


def test_a_comma_in_the_fields_of_a_semicolon_file_stays_in_them():
    assert cells(DATA / "services-oddities.csv")[0][3] == "Web Pro, 50 GB"


def test_more_commas_than_semicolons_do_not_mislead(tmp_path):
    path = written(tmp_path / "a.csv", "ID;Name;Company", "1;a;x, y, z", "2;b;p, q, r, s", "3;c;")
    assert look(path).delimiter == ";"


def test_what_excel_says_about_its_separator_is_believed_and_left_out(tmp_path):
    path = written(tmp_path / "a.csv", "sep=;", "ID;Name", "1;a,b,c")
    assert look(path) == Layout("utf-8", ";", ("ID", "Name"))
    assert cells(path) == [["1", "a,b,c"]]


def test_one_record_with_broken_quotation_marks_is_told_and_the_next_one_read(tmp_path):
    path = written(tmp_path / "a.csv", "ID,Name", '1,"a"b', "2,c")
    broken, sound = records(path, look(path))
    assert (broken.line, broken.cells) == (2, [])
    assert "quotation marks" in broken.problem
    assert (sound.line, sound.cells, sound.problem) == (3, ["2", "c"], None)


def test_a_quotation_mark_that_is_never_closed_is_told(tmp_path):
    path = written(tmp_path / "a.csv", "ID,Name", '1,"a', *(f"{n},b" for n in range(50)))
    broken, *others = records(path, look(path))
    assert (broken.line, broken.text) == (2, '1,"a')
    assert broken.problem == "its quotation marks are not closed where they should be"
    assert [record.cells for record in others] == [[f"{n}", "b"] for n in range(50)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \r\n \n", "empty"),
        (b"PK\x03\x04rest", "save the sheet as CSV"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08rest", "compressed"),
        (b"ID,Name\n1,\x00\x00\n", "not a text file"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_plain_words(tmp_path, content, words):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=words):
        look(path)


def test_a_line_without_an_end_is_refused_instead_of_filling_the_memory(tmp_path):
    path = written(tmp_path / "a.csv", "ID,Name", "1," + "x" * 2_000_000)
    with pytest.raises(Invalid, match="Line 2 has more than"):
        cells(path, Layout("utf-8", ",", ("ID", "Name")))


def test_the_encoding_may_be_chosen(tmp_path):
    path = written(tmp_path / "a.csv", "ID,Name", "1,Žofie", encoding="cp1250")
    assert cells(path, look(path, "cp1250")) == [["1", "Žofie"]]
    with pytest.raises(Invalid):
        look(path, "rot13")


def test_samples_are_three_different_values_a_column(tmp_path):
    path = written(tmp_path / "a.csv", "ID,Kind", *(f"{n},{'x' if n < 9 else 'y'}" for n in range(20)))
    assert samples(path, look(path)) == [["0", "1", "2"], ["x", "y"]]


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_execute_is_guarded(cell):
    assert with_guard(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "x=1", "-5", "+49", "-1.234,50", "'s-Gravenhage"])
def test_other_cells_stay_as_they_are(cell):
    assert with_guard(cell) == cell
    assert without_guard(cell) == cell


@given(st.text())
def test_a_guarded_cell_comes_back_as_it_was(cell):
    if not cell.startswith("'"):
        assert without_guard(with_guard(cell)) == cell


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1),
            min_size=2,
            max_size=4,
        ),
        min_size=1,
    )
)
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["ID", "Name"], *rows])
    path.write_bytes(out.getvalue().encode())
    expected = [row for row in rows if any(cell.strip() for cell in row) or len(row) > 1]
    assert cells(path, Layout("utf-8", ",", ("ID", "Name"))) == [
        [without_guard(cell) for cell in row] for row in expected
    ]
