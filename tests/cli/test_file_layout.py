"""How a file is written, told by options or asked by the command line."""

import pytest

from tests.core.imports.steps import CASES
from webapp.core import clients
from webapp.core.clients import ClientSearch


@pytest.fixture
def ran(sqlite_app, sqlite_session):
    """Run `flask clients import` on one of the files that went wrong once; (exit code, output, first names of all clients)."""

    def run(name: str, *options: str) -> tuple[int, str, list[str]]:
        result = sqlite_app.test_cli_runner().invoke(args=["clients", "import", str(CASES / name), *options])
        sqlite_session.rollback()
        rows = clients.search(sqlite_session, ClientSearch()).rows
        return result.exit_code, result.output, [row.first_name for row in rows]

    return run


def test_a_guessed_encoding_is_told_with_words_of_the_file(ran):
    code, output, names = ran("15-macintosh.csv")
    assert (code, names) == (0, ["Zoë"])
    assert "does not say how its letters are written" in output
    assert "mac_roman  Zoë · Müller · Größe" in output and "cp1250" in output


def test_the_encoding_may_be_said(ran):
    assert ran("15-macintosh.csv", "--encoding", "cp1252")[2] == ["Zo‘"]


def test_lines_in_another_encoding_are_refused_and_told_or_read_as_said(ran):
    code, output, names = ran("13-mixed-encodings.csv")
    assert (code, names) == (1, ["Åsa"])
    assert "1 line is not written in UTF-8 like the rest of the file. It is refused." in output
    assert ran("13-mixed-encodings.csv", "--other-lines", "cp1252")[2] == ["Åsa", "Bjørn"]


def test_what_was_encoded_twice_is_told_and_undone_when_said(ran):
    _, output, names = ran("14-double-encoded.csv")
    assert "probably was “Zoë”" in output and names == ["ZoÃ«"]
    assert ran("14-double-encoded.csv", "--undo-twice")[2] == ["Zoë"]


def test_a_file_without_column_names_is_not_imported_unasked(ran):
    code, output, names = ran("16-no-header.csv")
    assert (code, names) == (2, [])
    assert "--kind" in output
    mapped = ["number=Column 1", "first_name=Column 2", "email=Column 5", "status=Column 7"]
    options = [part for one in mapped for part in ("--map", one)]
    code, output, names = ran("16-no-header.csv", "--kind", "clients", "--no-header", *options)
    assert (code, names) == (0, ["Anna", "Bo"]), output


def test_blank_rows_stand_in_the_sum(ran):
    assert "3 rows: 1 new, 0 changed, 0 unchanged, 0 refused, 2 blank" in ran("18-blank-rows.csv")[1]
