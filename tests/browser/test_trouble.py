"""A console that is not well says so once, however often a page asks meanwhile, and takes it back when it is well again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console
from webapp.core.tables.broadcasts import Broadcast

ASK = "(how) => htmx.ajax(how, '/mass-mail/asked', {target: '#main', swap: 'none'}).catch(() => {})"
READ, CHANGE = "GET", "POST"
TOAST = '<div class="toast" data-tone="bad"{} role="alert"><span>{}</span><button type="button">x</button></div>'


def no_answer(route: Route) -> None:
    route.abort()


def of_a_proxy(route: Route) -> None:
    route.fulfill(status=502, body="<html><h1>Bad gateway</h1></html>", content_type="text/html")


def of_the_console(route: Route) -> None:
    kind = "reading" if route.request.method == "GET" else "change"
    toast(route, 503, TOAST.format(f' data-trouble="{kind}"', f"The database ({kind})"))


def of_a_mistake(route: Route) -> None:
    toast(route, 500, TOAST.format("", "Something went wrong"))


def toast(route: Route, status: int, body: str) -> None:
    headers = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
    route.fulfill(status=status, body=body, content_type="text/html", headers=headers)


def well(route: Route) -> None:
    route.fulfill(status=200, body="")


@pytest.fixture
def ask(page: Page, console: Console):
    """Asks the console for something and has it answered so."""
    page.goto(f"{console.url}/mass-mail/")
    page.wait_for_function("() => window.htmx")
    page.route("**/health/", no_answer)  # so that only what is asked here takes anything back

    def do(how: str, answer: Callable[[Route], None]) -> None:
        page.unroute("**/mass-mail/asked")
        page.route("**/mass-mail/asked", answer)
        page.evaluate(ASK, how)

    return do


def said(page: Page) -> Locator:
    return page.locator("#toasts .toast")


@pytest.mark.parametrize("how", [READ, CHANGE])
@pytest.mark.parametrize("trouble", [no_answer, of_a_proxy, of_the_console])
def test_trouble_is_said_once_and_taken_back(page: Page, ask, trouble, how: str):
    for _ in range(3):
        ask(how, trouble)
    expect(said(page)).to_have_count(1)
    ask(how, well)
    expect(said(page)).to_have_count(0)


@pytest.mark.parametrize("trouble", [no_answer, of_a_proxy, of_the_console])
def test_that_a_change_failed_is_said_until_a_change_works_whatever_can_be_read_meanwhile(page: Page, ask, trouble):
    ask(READ, trouble)
    words = said(page).locator("span").inner_text()
    ask(CHANGE, trouble)
    expect(said(page)).to_have_count(1)
    expect(said(page).locator("span")).not_to_have_text(words)
    ask(READ, trouble)
    ask(READ, well)
    expect(said(page)).to_have_count(1)
    ask(CHANGE, well)
    expect(said(page)).to_have_count(0)


def test_a_mistake_is_said_once_and_stays_until_it_is_read(page: Page, ask):
    for _ in range(3):
        ask(READ, of_a_mistake)
    ask(READ, well)
    expect(said(page)).to_have_count(1)
    said(page).get_by_role("button").click()
    expect(said(page)).to_have_count(0)


def test_an_answer_that_takes_too_long_is_trouble_too(page: Page, ask):
    page.evaluate("htmx.config.timeout = 200")
    ask(READ, lambda _route: None)
    expect(said(page)).to_contain_text("does not answer")


def test_what_is_typed_while_the_console_is_away_is_saved_when_it_is_back(
    page: Page, console: Console, console_page: Page, sqlite_session: Session
):
    draft = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    page.goto(f"{console.url}/mass-mail/{draft.id}/schedule/")
    page.route("**/schedule/", of_the_console)
    page.route("**/health/", of_a_proxy)
    page.get_by_label("Mails at a time").fill("7")
    expect(said(page)).to_have_count(1)
    with page.expect_response("**/health/"):
        pass
    page.unroute("**/schedule/")
    page.unroute("**/health/")
    expect(said(page)).to_have_count(0)
    expect(page.locator("#draft-saved")).to_contain_text("Saved")
    sqlite_session.rollback()
    assert sqlite_session.get_one(Broadcast, draft.id, populate_existing=True).batch_size == 7


@pytest.mark.parametrize("trouble", [no_answer, of_a_proxy, of_the_console])
def test_a_file_stays_chosen_when_its_upload_fails(
    page: Page, console: Console, console_page: Page, tmp_path: Path, trouble
):
    page.goto(f"{console.url}/clients/import/")
    file = tmp_path / "clients.csv"
    file.write_text("Client ID,Status\n1,Active\n")
    page.locator("#file").set_input_files(file)
    page.route("**/clients/import/", trouble)
    page.get_by_role("button", name="Upload and look").click()
    expect(said(page)).to_contain_text("file is still chosen")
    page.unroute("**/clients/import/")
    page.get_by_role("button", name="Upload and look").click()
    page.wait_for_url("**/clients/import/1")


def test_going_back_while_the_console_is_away_shows_its_page_that_says_so(
    page: Page, console: Console, console_page: Page, sqlite_session: Session
):
    factories.broadcast(sqlite_session)
    sqlite_session.commit()
    page.reload()
    page.get_by_role("searchbox").fill("nothing of this name")
    page.wait_for_url("**/mass-mail/?**")
    page.route("**/mass-mail/", lambda route: route.fulfill(status=503, body="<h1>The database does not answer</h1>"))
    page.go_back(wait_until="commit")
    expect(page.get_by_role("heading", name="The database does not answer")).to_be_visible()
