"""What the import's pages ask about a file, what they show that would change, and that the next file with the header asks nothing."""

from pathlib import Path

import pytest

from tests.core.imports.steps import CASES
from tests.pages.page import read
from tests.pages.test_imports import chosen, shown, uploaded
from webapp.adapters import uploads
from webapp.adapters.clock import now
from webapp.core import clients
from webapp.core.clients import ClientSearch
from webapp.core.imports import running, runs
from webapp.core.rules.normalise import DateOrder
from webapp.core.tables.imports import ImportState

CLIENTS = "Client ID,Email,Status,Created\r\n7,a@example.com,Active,2020-01-02\r\n8,b@example.com,Active,2020-01-02\r\n"


@pytest.fixture
def work(sqlite_app, sqlite_session):
    """What a worker does when it is asked for a step of the newest import."""

    def do(step: str) -> None:
        sqlite_session.rollback()
        run = runs.listing(sqlite_session)[0]
        source = uploads.get(sqlite_session.get_bind(), run.stored_as, Path(sqlite_app.config["INSTANCE"]))
        import_id = run.id
        sqlite_session.rollback()
        running.work(sqlite_session, import_id, step, source, now)

    return do


@pytest.fixture
def checked(browser_client, work):
    """Upload a text and check it with these choices laid over what the page proposes; its address and page."""

    def do(text: str, query: str = "", **choices: str) -> tuple[str, str]:
        url = uploaded(browser_client, text=text)
        form = chosen(browser_client.get(url + query).text) | choices
        answer = browser_client.post(f"{url}/check", data=form)
        assert answer.status_code == 303, answer.text
        work("check")
        return url, browser_client.get(url).text

    return do


@pytest.fixture
def imported(browser_client, work, checked):
    def do(text: str, **choices: str) -> str:
        url, page = checked(text, **choices)
        browser_client.post(f"{url}/run", data=shown(page))
        work("run")
        return url

    return do


def test_a_list_of_orders_is_asked_what_it_is_and_changes_no_client(browser_client, imported, sqlite_session):
    imported((CASES / "11-clients-before.csv").read_text())
    url = uploaded(browser_client, text=(CASES / "11-orders-taken-for-clients.csv").read_text())
    page = browser_client.get(url).text
    assert "What are the rows of this file?" in page and "“id” beside “client_id”" in page
    assert 'id="mapping-form"' not in page and "checked>" not in page
    answer = browser_client.post(f"{url}/check", data={"column-number": "0", "column-status": "10"})
    assert answer.status_code == 422 and "Say first what the rows of this file are" in answer.text
    as_clients = browser_client.get(f"{url}?kind=clients").text
    answer = browser_client.post(
        f"{url}/check", data=chosen(as_clients) | {"column-number": "1", "column-status": "10"}
    )
    assert answer.status_code == 422 and "Clients need a column of names or of e-mail addresses" in answer.text
    sqlite_session.rollback()
    rows = clients.search(sqlite_session, ClientSearch()).rows
    assert {row.status.value for row in rows} == {"active"}


def test_a_column_in_doubt_is_asked_beside_its_field(browser_client, imported, checked):
    imported("Client ID,Email,Status\r\n76001,o1@example.com,active\r\n76002,o2@example.com,active\r\n")
    orders = (CASES / "11-orders-taken-for-clients.csv").read_text()
    url = uploaded(browser_client, text=orders)
    page = browser_client.get(f"{url}?kind=services").text
    assert "“title” could be it, but often is something else." in page
    form = chosen(page) | {"kind": "services"}
    assert form["column-number"] == "0" and form["column-client_number"] == "1"
    answer = browser_client.post(f"{url}/check", data=form | {"column-product": "?"})
    assert answer.status_code == 422 and "Say which column is Product." in answer.text
    assert browser_client.post(f"{url}/check", data=form | {"column-product": "3"}).status_code == 303


def test_status_words_are_given_a_meaning_and_the_next_file_asks_nothing(browser_client, imported, checked, work):
    imported(CLIENTS)
    header = "Service ID,Client ID,Product,Status\r\n"
    url, page = checked(header + "1,7,Web,Pending Transfer\r\n2,8,Web,Grace\r\n3,8,Web,Odd\r\n")
    assert "What does this mean?" in page
    asked = read(page).all("select[starts-with(@name, 'meaning-')]")
    assert sorted(one["name"] for one in asked) == ["meaning-grace", "meaning-odd", "meaning-pending transfer"]
    assert "inactive" in [one.element.value for one in asked]
    said = {"meaning-pending transfer": "inactive", "meaning-grace": "active", "meaning-odd": "refuse"}
    assert browser_client.post(f"{url}/answers", data=said).status_code == 303
    work("check")
    page = browser_client.get(url).text
    assert "What you said it means" in page and "Import 2 rows" in page
    browser_client.post(f"{url}/run", data=shown(page))
    work("run")
    url, page = checked(header + "4,7,Web,grace\r\n5,7,Web,ODD\r\n")
    assert "What does this mean?" not in page and "Import 1 row" in page
    assert 'id="remembered"' in page


def test_what_is_remembered_can_be_forgotten(browser_client, imported, sqlite_session):
    imported(CLIENTS, **{"column-client_since": ""})
    url = uploaded(browser_client, text=CLIENTS)
    assert chosen(browser_client.get(url).text)["column-client_since"] == ""
    browser_client.post(f"{url}/forget")
    page = browser_client.get(url).text
    assert chosen(page)["column-client_since"] == "3" and 'id="remembered"' not in page


def test_a_date_with_two_meanings_is_asked_before_anything_can_be_imported(
    browser_client, checked, work, sqlite_session
):
    url, page = checked("Client ID,Email,Status,Created\r\n7,a@example.com,Active,03/07/2021\r\n")
    assert "Which day is “03/07/2021”?" in page and "3 July 2021" in page and "7 March 2021" in page
    assert "Import 1 row" not in page and "Say first what is asked below." in page
    answer = browser_client.post(f"{url}/run", data={"seen": runs.digest(runs.listing(sqlite_session)[0])})
    assert answer.status_code == 409 and "whether the day or the month comes first" in answer.text
    browser_client.post(f"{url}/answers", data={"order": "month"})
    work("check")
    assert "Import 1 row" in browser_client.get(url).text
    sqlite_session.rollback()
    assert runs.listing(sqlite_session)[0].answers["order"] == DateOrder.MONTH


def test_a_constant_stands_for_a_column_that_the_file_lacks(browser_client, checked, sqlite_session):
    text = "Client ID,Email\r\n7,a@example.com\r\n"
    url = uploaded(browser_client, text=text)
    answer = browser_client.post(f"{url}/check", data=chosen(browser_client.get(url).text) | {"column-status": "="})
    assert answer.status_code == 422 and "Say what Status is for all rows" in answer.text
    url, page = checked(text, **{"column-status": "=", "constant-status": "Active"})
    assert "Import 1 row" in page
    assert '<option value="=" selected>' in page and '<option value="Active" selected>' in page


def test_a_dry_run_shows_what_changes_and_gives_it_as_a_guarded_file(browser_client, imported, checked, sqlite_session):
    imported("Client ID,First name,Status\r\n7,Ada,Active\r\n8,Bo,Active\r\n")
    url, page = checked("Client ID,First name,Status\r\n7,=1+1,Active\r\n8,Bo,Suspend\r\n")
    assert "What would change" in page
    table = read(page).at("#changes").text("tbody")
    assert "7 First name Ada =1+1" in table and "8 Status Active Suspend" in table
    assert "Suspend" not in read(browser_client.get(f"{url}?changed=first_name")).at("#changes").text("tbody")
    answer = browser_client.get(f"{url}/changes.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=clients-changes.csv"
    assert "7,First name,Ada,'=1+1" in answer.text
    browser_client.post(f"{url}/discard")
    assert browser_client.get(f"{url}/changes.csv").status_code == 404
    sqlite_session.rollback()


def test_checking_is_refused_while_a_kind_is_open_even_by_the_answers(browser_client, sqlite_session):
    url = uploaded(browser_client, text=(CASES / "11-orders-taken-for-clients.csv").read_text())
    answer = browser_client.post(f"{url}/answers", data={"order": "day"})
    assert answer.status_code in (409, 422)
    sqlite_session.rollback()
    assert runs.listing(sqlite_session)[0].state is ImportState.UPLOADED
