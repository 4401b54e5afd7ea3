"""Does this client get it, the lists behind the sum, and what is decided by hand."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.pages.audience_page import HTMX, AudiencePage, fragment, some_clients, words
from tests.pages.page import read
from webapp.core.tables.broadcasts import PickKind
from webapp.core.tables.clients import Client


@pytest.fixture
def opened(browser_client: FlaskClient, sqlite_session: Session) -> AudiencePage:
    return AudiencePage(browser_client, sqlite_session)


@pytest.fixture
def clients(sqlite_session: Session) -> list[Client]:
    return some_clients(sqlite_session)


def test_does_this_client_get_it(opened: AudiencePage, clients: list[Client]):
    opened.choose(countries=["DE"])
    answer = opened.browser.get(f"{opened.url}explain?q=nováková", headers=HTMX).text
    assert "No Jana Nováková" in words(answer) and "Country is Czechia, not Germany." in words(answer)
    whole = opened.reload(f"{opened.url}explain?q=nováková")
    assert fragment(whole, "explain") == fragment(answer, "explain")
    answer = opened.browser.get(f"{opened.url}explain?q=nobody-at-all", headers=HTMX).text
    assert "No client has “nobody-at-all”" in words(answer)
    assert words(opened.browser.get(f"{opened.url}explain?q=", headers=HTMX).text) == ""


def test_each_term_of_the_sum_links_to_its_list(opened: AudiencePage, clients: list[Client]):
    url = read(opened.choose(countries=["DE"])).link("no usable address")
    listed = words(opened.browser.get(url).text)
    assert "Silent" in listed and "No: no address" in listed and "1–1 of 1 client" in listed
    listed = words(opened.browser.get(f"{opened.url}recipients").text)
    assert "Silent" not in listed and clients[1].last_name in listed


def test_the_list_is_searched_without_the_rest_of_the_page(opened: AudiencePage, clients: list[Client]):
    url = f"{opened.url}recipients?q=novak"
    answer = opened.browser.get(url, headers=HTMX | {"HX-Target": "recipients"}).text
    assert "Jana Nováková" in words(answer) and "<html" not in answer
    assert fragment(answer, "recipients") == fragment(opened.browser.get(url).text, "recipients")
    assert "Nobody here is called that" in words(opened.browser.get(f"{opened.url}recipients?q=zzz").text)


def test_a_client_is_left_out_and_put_back(opened: AudiencePage, clients: list[Client]):
    out = {"client_id": clients[1].id, "kind": "left_out", "place": "list", "back": "q=a"}
    answer = opened.browser.post(f"{opened.url}pick", data=out, headers=HTMX)
    assert (
        answer.status_code == 200 and "No: left out by hand" in words(answer.text) and "Put back" in words(answer.text)
    )
    assert "Will receive 2" in words(fragment(answer.text, "recipient-tabs"))
    assert opened.picks() == {clients[1].id: PickKind.LEFT_OUT}
    back = opened.browser.post(f"{opened.url}pick", data=out | {"kind": ""})
    assert back.status_code == 303 and back.location.endswith("/recipients?q=a")
    assert opened.picks() == {}


def test_somebody_beyond_the_filter_is_found_and_added(opened: AudiencePage, clients: list[Client]):
    opened.choose(countries=["DE"])
    found = opened.browser.get(f"{opened.url}candidates?add=novakova", headers=HTMX).text
    assert "Jana Nováková" in words(found) and "Not in the filter" in words(found)
    whole = opened.browser.get(f"{opened.url}recipients?add=novakova").text
    assert words(fragment(found, "candidates")) == words(fragment(whole, "candidates"))
    add = {"client_id": clients[0].id, "kind": "added", "place": "add"}
    answer = opened.browser.post(f"{opened.url}pick", data=add, headers=HTMX)
    assert "Yes, added by hand" in words(answer.text) and "Take off" in words(answer.text)
    assert "added by hand + 1" in words(opened.reload())


def test_a_pick_of_nobody_or_of_nothing_is_refused(opened: AudiencePage, clients: list[Client]):
    for data in ({"client_id": "999999", "kind": "added"}, {"client_id": clients[0].id, "kind": "loved"}, {}):
        answer = opened.browser.post(f"{opened.url}pick", data=data, headers=HTMX)
        assert answer.status_code in (404, 422), data
    assert opened.picks() == {}
