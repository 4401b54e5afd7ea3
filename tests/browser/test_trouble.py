"""A console that is not well says so once, however often a page asks meanwhile, and takes it back when it is well again."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.consoles import Console

ASK = "() => htmx.ajax('GET', '/mass-mail/asked', {target: '#main', swap: 'none'}).catch(() => {})"
TOAST = '<div class="toast" data-tone="bad" data-trouble role="alert"><span>The database</span><button type="button">x</button></div>'


def no_answer(route: Route) -> None:
    route.abort()


def of_a_proxy(route: Route) -> None:
    route.fulfill(status=502, body="<html><h1>Bad gateway</h1></html>", content_type="text/html")


def of_the_console(route: Route) -> None:
    headers = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
    route.fulfill(status=503, body=TOAST, content_type="text/html", headers=headers)


@pytest.mark.parametrize("trouble", [no_answer, of_a_proxy, of_the_console])
def test_trouble_is_said_once_and_taken_back(page: Page, console: Console, trouble):
    page.goto(f"{console.url}/mass-mail/")
    page.wait_for_function("() => window.htmx")
    page.route("**/mass-mail/asked", trouble)
    said = page.locator("#toasts .toast[data-trouble]")
    for _ in range(3):
        page.evaluate(ASK)
    expect(said).to_have_count(1)
    page.unroute("**/mass-mail/asked")
    page.route("**/mass-mail/asked", lambda route: route.fulfill(status=200, body=""))
    page.evaluate(ASK)
    expect(said).to_have_count(0)
