"""What a person is asked about how a file is written, and what the answers do."""

import pytest

from tests.core.imports.steps import CASES
from tests.pages.page import read
from tests.pages.test_imports import check, chosen, shown, uploaded, work  # noqa: F401  (fixtures)
from webapp.core import clients
from webapp.core.clients import ClientSearch
from webapp.core.imports import runs


def case(client, name: str) -> str:
    """The address of the import of one of the files that went wrong once."""
    return uploaded(client, text=(CASES / name).read_bytes(), name=name)


def pressed(page: str) -> list[tuple[str, str]]:
    return [(button["name"], button["value"]) for button in read(page).all("button[@aria-pressed='true']")]


def names(session) -> list[tuple[str, str]]:
    session.rollback()
    return [(row.number, row.first_name) for row in clients.search(session, ClientSearch()).rows]


def run_it(browser_client, work, url: str, **columns: str) -> str:  # noqa: F811
    page = browser_client.get(f"{url}?kind=clients").text
    assert browser_client.post(f"{url}/check", data=chosen(page) | columns).status_code == 303
    work("check")
    page = browser_client.get(url).text
    browser_client.post(f"{url}/run", data=shown(page))
    work("run")
    return browser_client.get(url).text


def test_each_encoding_is_shown_with_some_words_of_the_file(browser_client):
    page = browser_client.get(case(browser_client, "15-macintosh.csv")).text
    assert "Which of these are the right letters?" in page
    assert ("encoding", "mac_roman") in pressed(page)
    rows = {row.text("./td[@class='label']"): row.texts("./td")[1] for row in read(page).all("tr[td[@class='label']]")}
    assert rows["Mac Roman, Western Europe"] == "Zoë · Müller · Größe"
    assert len(rows) == 19


def test_the_encoding_that_was_chosen_is_the_one_that_is_imported(browser_client, sqlite_session, work):  # noqa: F811
    url = case(browser_client, "15-macintosh.csv")
    assert browser_client.post(f"{url}/reading", data={"encoding": "cp1252"}).status_code == 303
    assert "Zo‘" in browser_client.get(url).text
    browser_client.post(f"{url}/reading", data={"encoding": "mac_roman"})
    run_it(browser_client, work, url)
    assert names(sqlite_session) == [("91061", "Zoë")]


def test_an_encoding_that_is_none_changes_nothing(browser_client, sqlite_session):
    url = case(browser_client, "15-macintosh.csv")
    browser_client.post(f"{url}/reading", data={"encoding": "rot13"})
    assert "is not an encoding" in browser_client.get(url).text
    assert runs.get(sqlite_session, 1).encoding == "mac_roman"


@pytest.mark.parametrize(("answer", "expected"), [("", ["Åsa"]), ("cp1252", ["Åsa", "Bjørn"])])
def test_lines_in_another_encoding_are_refused_or_read_as_the_person_says(
    browser_client,
    sqlite_session,
    work,  # noqa: F811
    answer,
    expected,
):
    url = case(browser_client, "13-mixed-encodings.csv")
    assert "Bjørn" in browser_client.get(url).text
    browser_client.post(f"{url}/reading", data={"strangers": answer})
    run_it(browser_client, work, url)
    assert [name for _, name in names(sqlite_session)] == expected


def test_text_encoded_twice_is_shown_beside_what_was_meant_and_undone_on_request(browser_client, sqlite_session, work):  # noqa: F811
    url = case(browser_client, "14-double-encoded.csv")
    page = browser_client.get(url).text
    assert 'ZoÃ«</dt><dd dir="auto">Zoë' in page
    assert ("mends", "no") in pressed(page)
    browser_client.post(f"{url}/reading", data={"mends": "yes"})
    assert "encoded twice" in run_it(browser_client, work, url)
    assert names(sqlite_session) == [("91053", "Zoë")]


def test_a_file_without_column_names_asks_before_anything_else(browser_client, sqlite_session, work):  # noqa: F811
    url = case(browser_client, "16-no-header.csv")
    page = browser_client.get(url).text
    assert "Are these the names of the columns?" in page and "91031 · Anna" in page
    assert ("headed", "no") in pressed(page)
    page = browser_client.get(f"{url}?kind=clients").text
    assert browser_client.post(f"{url}/check", data=chosen(page)).status_code == 422
    columns = {"column-number": "0", "column-first_name": "1", "column-email": "4", "column-status": "6"}
    run_it(browser_client, work, url, **columns)
    assert names(sqlite_session) == [("91031", "Anna"), ("91032", "Bo")]


def test_a_first_line_that_is_said_to_be_column_names_is_no_row(browser_client, sqlite_session):
    url = case(browser_client, "16-no-header.csv")
    browser_client.post(f"{url}/reading", data={"headed": "yes"})
    page = browser_client.get(f"{url}?kind=clients").text
    assert ">91031</option>" in page and ("headed", "yes") in pressed(page)
    browser_client.post(f"{url}/reading", data={"headed": "no"})
    assert ">Column 1</option>" in browser_client.get(f"{url}?kind=clients").text


def test_an_answer_takes_the_button_away_until_it_is_checked_again(browser_client, check):  # noqa: F811
    url = case(browser_client, "14-double-encoded.csv")
    assert "Import 1 row" in check(url)
    browser_client.post(f"{url}/reading", data={"mends": "yes"})
    assert "Import 1 row" not in browser_client.get(url).text


def test_an_answer_to_an_import_that_is_worked_on_is_refused(browser_client):
    url = case(browser_client, "14-double-encoded.csv")
    browser_client.post(f"{url}/check", data=chosen(browser_client.get(url).text))
    assert browser_client.post(f"{url}/reading", data={"mends": "yes"}).status_code == 409


def test_what_was_assumed_is_said_after_the_import_too(browser_client, work):  # noqa: F811
    url = case(browser_client, "24-title-line.csv")
    page = run_it(browser_client, work, url)
    assert "The line above the column names is left out" in page and "What was assumed about the file" in page


def test_blank_rows_have_a_number_of_their_own(browser_client, check):  # noqa: F811
    page = check(case(browser_client, "18-blank-rows.csv"))
    assert read(page).text("dt[.='Blank']/following-sibling::dd[1]") == "2"
