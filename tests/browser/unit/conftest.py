"""Fixtures: a module of static/ alone, in an empty page of the real browser."""

import mimetypes
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, Route

from webapp.pages.assets import wheels
from webapp.paths import ROOT

HOST = "http://unit.test"


class Bench:
    """An empty page at which modules are tried. `sent` is what the page asked the server for beside its files."""

    def __init__(self, page: Page):
        self.page = page
        self.html = ""
        self.sent: list[Request] = []
        page.route(f"{HOST}/**", self._answer)

    def lay(self, html: str = "") -> None:
        """Open a page with `html` as its body."""
        self.html = html
        self.page.goto(f"{HOST}/")

    def run(self, module: str, script: str, given: object = None) -> object:
        """What `script`, the body of an async function, returns that knows the module's exports as `m`, and `given`."""
        whole = f"async (given) => {{ const m = await import('/static/{module}'); {script} }}"
        return self.page.evaluate(whole, given)

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(HOST).partition("?")[0]
        if path == "/":
            whole = f"<!doctype html><title>Unit</title><body>{self.html}</body>"
            route.fulfill(body=whole, content_type="text/html; charset=utf-8")
        elif path.startswith("/static/"):
            kind = mimetypes.guess_type(path)[0] or "text/plain"
            route.fulfill(body=(ROOT / path.removeprefix("/")).read_bytes(), content_type=f"{kind}; charset=utf-8")
        elif path == "/favicon.ico":
            route.fulfill(status=404)  # the browser asks for it by itself
        elif path == "/editor.js":
            route.fulfill(body=wheels.load("editor").plain, content_type="text/javascript; charset=utf-8")
        else:
            self.sent.append(route.request)
            route.fulfill(status=204)


@pytest.fixture
def bench(page: Page) -> Iterator[Bench]:
    yield Bench(page)
