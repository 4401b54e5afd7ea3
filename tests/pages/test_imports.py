import io
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.pages.audience_page import fragment
from tests.pages.page import read
from tests.pages.test_writing import others_can_write
from webapp.adapters import uploads
from webapp.adapters.clock import now
from webapp.core import clients
from webapp.core.clients import ClientSearch
from webapp.core.imports import reading, running, runs
from webapp.core.tables.imports import Upload, UploadChunk

CLIENTS = (
    "Client ID,First Name,Last Name,Email,Country,Language,Status\r\n"
    "1,Ada,Lovelace,ada@example.com,UK,english,Active\r\n"
    "2,Jürgen,Groß,juergen@straße.example,Germany,de_DE, Suspended\r\n"
    "3,No,Status,x@example.com,DE,german,happy\r\n"
)


def upload(client, text: str | bytes = CLIENTS, name: str = "clients.csv"):
    data = text if isinstance(text, bytes) else text.encode()
    return client.post("/clients/import/", data={"file": (io.BytesIO(data), name)}, content_type="multipart/form-data")


def uploaded(client, **kwargs) -> str:
    """The address of a new import."""
    answer = upload(client, **kwargs)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def chosen(page: str) -> dict[str, str]:
    """What the mapping form of the page would send."""
    return read(page).form("#mapping-form").fields


def visible(page: str) -> str:
    """What can be read on the page at first."""
    return read(page).words


def shown(page: str) -> dict[str, str]:
    """What the button "Import N rows" of the page would send."""
    return read(page).form("form[contains(@action, '/run')]").fields


@pytest.fixture
def work(sqlite_app, sqlite_session):
    """What a worker does when it is asked for a step of import 1."""

    def do(step: str) -> None:
        sqlite_session.rollback()
        run = runs.get(sqlite_session, 1)
        path = uploads.get(sqlite_session.get_bind(), run.stored_as, Path(sqlite_app.config["INSTANCE"]))
        sqlite_session.rollback()
        running.work(sqlite_session, 1, step, path, now)

    return do


def test_an_upload_shows_what_each_column_was_taken_for_with_samples(browser_client):
    page = browser_client.get(uploaded(browser_client)).text
    assert chosen(page)["column-number"] == "0"
    assert chosen(page)["column-email"] == "3"
    assert "juergen@straße.example" in page
    assert '<option value="clients" selected>' in page


def test_the_whole_way_from_upload_to_clients(browser_client, sqlite_session, work):
    url = uploaded(browser_client)
    browser_client.post(f"{url}/check", data=chosen(browser_client.get(url).text))
    waiting = browser_client.get(url).text
    assert "Waits for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting

    work("check")
    checked = browser_client.get(url).text
    assert "every 1s" not in checked
    assert "Import 2 rows" in checked
    assert "happy" in checked
    assert clients.count(sqlite_session) == 0

    browser_client.post(f"{url}/run", data=shown(checked))
    browser_client.post(f"{url}/run", data=shown(checked))
    work("run")
    assert "What was done" in browser_client.get(url).text
    sqlite_session.rollback()
    rows = clients.search(sqlite_session, ClientSearch()).rows
    assert [(row.number, row.country, row.language) for row in rows] == [("1", "GB", "en"), ("2", "DE", "de")]


@pytest.fixture
def check(browser_client, work):
    """Check the file with these columns laid over what the page proposes; the page after it."""

    def checked(url: str, **columns: str) -> str:
        browser_client.post(f"{url}/check", data=chosen(browser_client.get(url).text) | columns)
        work("check")
        return browser_client.get(url).text

    return checked


def test_what_a_column_with_the_choice_of_marketing_means_is_said_before_the_import(browser_client, check):
    words = "A no holds from the import on."
    with_it = "Client ID,Email,Status,Marketing Opt In\r\n1,ada@example.com,Active,no\r\n"
    assert words in check(uploaded(browser_client, text=with_it))


def test_without_such_a_column_nothing_is_said_of_it(browser_client, check):
    assert "marketing-words" not in check(uploaded(browser_client))


def test_columns_assigned_differently_in_another_tab_are_not_imported_unseen(browser_client, check, sqlite_session):
    url = uploaded(browser_client)
    seen = check(url)
    theirs = check(url, **{"column-first_name": "2", "column-last_name": "1"})
    answer = browser_client.post(f"{url}/run", data=shown(seen))
    assert answer.status_code == 409
    assert "The columns were assigned differently since you looked" in answer.text
    assert chosen(answer.text)["column-first_name"] == "2" and "Import 2 rows" in answer.text
    assert "Waits for a worker" not in browser_client.get(url).text
    browser_client.post(f"{url}/run", data=shown(theirs))
    assert "Waits for a worker" in browser_client.get(url).text


def test_an_import_button_that_does_not_say_what_was_seen_imports_nothing(browser_client, check):
    url = uploaded(browser_client)
    check(url)
    assert browser_client.post(f"{url}/run").status_code == 409
    assert "Import 2 rows" in browser_client.get(url).text


def test_who_presses_after_others_began_with_other_columns_is_told_so(browser_client, check, work):
    url = uploaded(browser_client)
    seen = check(url)
    theirs = check(url, **{"column-first_name": "2", "column-last_name": "1"})
    browser_client.post(f"{url}/run", data=shown(theirs))
    answer = browser_client.post(f"{url}/run", data=shown(seen))
    assert answer.status_code == 409 and "is being imported so" in answer.text
    work("run")
    answer = browser_client.post(f"{url}/run", data=shown(seen))
    assert answer.status_code == 409 and "was imported so" in answer.text and "What was done" in answer.text


def test_checking_again_in_the_same_way_does_not_take_the_button_away(browser_client, check):
    url = uploaded(browser_client)
    seen = check(url)
    check(url)
    assert browser_client.post(f"{url}/run", data=shown(seen)).status_code == 303


@pytest.mark.parametrize("reading", ["kind=services", "encoding=cp1252", "delimiter=;"])
def test_another_reading_on_the_page_has_to_be_checked_before_it_can_be_imported(browser_client, check, reading):
    url = uploaded(browser_client)
    assert "Check again before you import" not in visible(check(url))
    page = visible(browser_client.get(f"{url}?{reading}").text)
    assert "Import 2 rows" not in page and "Check again before you import" in page


def test_columns_that_could_not_be_checked_have_to_be_checked_before_an_import(browser_client, check):
    url = uploaded(browser_client)
    page = check(url)
    answer = browser_client.post(f"{url}/check", data=chosen(page) | {"column-number": ""})
    assert answer.status_code == 422
    assert "Import 2 rows" not in visible(answer.text) and "Check again before you import" in visible(answer.text)


def test_the_refused_rows_can_be_downloaded_to_be_mended(browser_client, work):
    url = uploaded(browser_client, text=CLIENTS.replace("No,Status", '"=HYPERLINK(""x"")",Status'))
    browser_client.post(f"{url}/check", data=chosen(browser_client.get(url).text))
    work("check")
    answer = browser_client.get(f"{url}/refused.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=clients-refused.csv"
    assert "happy" in answer.text
    assert "Ada" not in answer.text
    assert ",=HYPERLINK" not in answer.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "This file is empty."),
        (b"PK\x03\x04zzz", "Excel or OpenDocument workbook"),
        (b"\x00\x01\x02\x00", "not a text"),
    ],
)
def test_what_is_no_csv_file_is_refused_and_not_kept(browser_client, sqlite_session, text, words):
    answer = upload(browser_client, text=text)
    assert answer.status_code == 422
    assert words in answer.text
    assert kept(sqlite_session) == (0, 0)


def test_no_file_chosen_says_so(browser_client):
    answer = browser_client.post("/clients/import/", data={})
    assert answer.status_code == 422
    assert "Choose a file." in answer.text


def test_a_missing_required_column_blocks_the_check_and_keeps_what_was_chosen(browser_client):
    url = uploaded(browser_client)
    answer = browser_client.post(f"{url}/check", data=chosen(browser_client.get(url).text) | {"column-number": ""})
    assert answer.status_code == 422
    assert "Choose the column for Client ID" in answer.text
    assert chosen(answer.text)["column-email"] == "3"


def test_another_reading_is_tried_at_once_and_nothing_is_stored(browser_client, sqlite_session):
    url = uploaded(browser_client)
    page = browser_client.get(f"{url}?kind=services&encoding=cp1252&delimiter=;").text
    assert "Product group" in page
    assert chosen(page)["delimiter"] == ";"
    assert runs.get(sqlite_session, 1).delimiter == ","


def test_stopping_leaves_nothing_and_the_file_can_be_checked_again(browser_client, sqlite_session, work):
    url = uploaded(browser_client)
    browser_client.post(f"{url}/check", data=chosen(browser_client.get(url).text))
    browser_client.post(f"{url}/stop")
    work("check")
    assert "Check, without importing" in browser_client.get(url).text
    assert clients.count(sqlite_session) == 0


def test_an_import_taken_off_the_list_takes_its_file_along(browser_client, sqlite_session):
    url = uploaded(browser_client)
    assert kept(sqlite_session) == (1, 1)
    browser_client.post(f"{url}/discard")
    assert browser_client.get(url).status_code == 404
    assert kept(sqlite_session) == (0, 0)


def test_a_file_of_an_earlier_version_is_shown_and_taken_into_the_database_when_it_is_checked(
    browser_client, sqlite_app, sqlite_session, work
):
    url = uploaded(browser_client)
    old = earlier_file(sqlite_app, sqlite_session)
    page = browser_client.get(url).text
    assert "juergen@straße.example" in page and kept(sqlite_session) == (0, 0)
    browser_client.post(f"{url}/check", data=chosen(page))
    assert kept(sqlite_session) == (1, 1) and not old.exists()
    work("check")
    assert "Import 2 rows" in browser_client.get(url).text


def test_a_file_of_an_earlier_version_that_was_checked_is_imported_by_any_worker(
    browser_client, sqlite_app, sqlite_session, check, work
):
    url = uploaded(browser_client)
    page = check(url)
    old = earlier_file(sqlite_app, sqlite_session)
    browser_client.post(f"{url}/run", data=shown(page))
    assert kept(sqlite_session) == (1, 1) and not old.exists()
    work("run")
    assert "What was done" in browser_client.get(url).text


def earlier_file(app, session) -> Path:
    """Lay the file of import 1 where an earlier version had it, and nowhere else."""
    session.rollback()
    path = Path(app.config["INSTANCE"]) / "uploads" / "0123.csv"
    path.parent.mkdir()
    path.write_text(CLIENTS, newline="")
    uploads.remove(session.get_bind(), runs.get(session, 1).stored_as, path.parent.parent)
    session.rollback()
    runs.get(session, 1).stored_as = path.name
    session.commit()
    return path


def kept(session) -> tuple[int, int]:
    """How many uploads and chunks there are."""
    session.rollback()
    count = (session.scalar(select(func.count()).select_from(table)) for table in (Upload, UploadChunk))
    return tuple(count)


def test_the_fragment_is_the_very_part_of_the_page(browser_client):
    url = uploaded(browser_client)
    browser_client.post(f"{url}/check", data=chosen(browser_client.get(url).text))
    alone = browser_client.get(url, headers={"HX-Request": "true"}).text
    assert alone.strip().startswith('<div class="stack" id="import"')
    assert fragment(alone, "import") == fragment(browser_client.get(url).text, "import")


def test_others_write_while_a_file_is_looked_at_and_its_rows_are_judged(
    browser_client, sqlite_session, work, monkeypatch
):
    free = []

    def watched(module, name):
        original = getattr(module, name)

        def look(*args):
            free.append((name, others_can_write(sqlite_session.get_bind())))
            return original(*args)

        monkeypatch.setattr(module, name, look)

    where = uploaded(browser_client)
    columns = chosen(browser_client.get(where).text)
    watched(reading, "look")
    watched(running, "place")
    assert browser_client.post(f"{where}/check", data=columns).status_code == 303
    work("check")
    assert free == [("look", True), ("place", True)]


def test_a_file_that_others_check_while_it_is_looked_at_is_not_read_in_two_ways(
    browser_client, sqlite_session, monkeypatch
):
    where = uploaded(browser_client)
    columns = chosen(browser_client.get(where).text)
    look = reading.look

    def meanwhile(*args):
        runs.begin(sqlite_session, 1, "check", now())
        sqlite_session.commit()
        return look(*args)

    before = runs.digest(runs.get(sqlite_session, 1))
    monkeypatch.setattr(reading, "look", meanwhile)
    answer = browser_client.post(f"{where}/check", data=columns | {"encoding": "cp1252"})
    assert answer.status_code == 409 and "This file is being checked." in answer.text
    sqlite_session.rollback()
    assert runs.digest(runs.get(sqlite_session, 1)) == before
