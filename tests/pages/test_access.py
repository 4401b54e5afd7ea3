"""One line for each request, and one id for all that is said while it is answered."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import factories
from tests.databases import make_app
from tests.spoken import Spoken, spoken
from webapp.pages import access

LINE = ("method", "route", "endpoint", "status")


@pytest.fixture
def behind_a_proxy(sqlite_url: str, tmp_path: Path) -> FlaskClient:
    app = make_app(sqlite_url, tmp_path)
    access.Access.__init__(app.wsgi_app, app.wsgi_app._app, lambda *_: None, believes=True)  # type: ignore[misc,attr-defined]
    return app.test_client()


def ask(client: FlaskClient, address: str, **options: Any) -> TestResponse:
    """Ask, and take the whole answer, as a server does: then its line is written."""
    return client.open(address, buffered=True, **options)


def told(heard: Spoken) -> list[tuple[Any, ...]]:
    return [tuple(one[name] for name in LINE) for one in heard.events("request")]


def test_a_request_is_one_line_with_its_route_and_numbers(browser_client: FlaskClient, sqlite_session: Session):
    key = factories.broadcast(sqlite_session).id
    sqlite_session.commit()
    with spoken() as heard:
        ask(browser_client, f"/mass-mail/{key}/audience/?page=2")
    assert told(heard) == [("GET", f"/mass-mail/{key}/audience/", "audience.index", 200)]
    assert heard.events("request")[0]["took_ms"] > 0


def test_words_of_an_address_stand_in_no_line(browser_client: FlaskClient):
    with spoken("debug") as heard:
        ask(browser_client, "/clients/?q=Sentinel")
        ask(browser_client, "/Sentinel/Ada")
        ask(browser_client, "/clients/", method="SENTINEL")
        ask(browser_client, "/htmx-Sentinel.js")
    assert "Sentinel" not in heard.getvalue() and "SENTINEL" not in heard.getvalue()
    assert ("GET", "-", "-", 404) in told(heard)


def test_what_machines_ask_for_again_and_again_is_told_at_debug_only(browser_client: FlaskClient):
    with spoken() as heard:
        ask(browser_client, "/health/live")
        ask(browser_client, "/static/look/base.css")
    assert heard.lines() == []
    with spoken("debug") as heard:
        ask(browser_client, "/health/live")
    assert told(heard) == [("GET", "/health/live", "health.live", 200)]


def test_an_answer_bears_the_id_of_its_line(browser_client: FlaskClient):
    with spoken() as heard:
        first, second = ask(browser_client, "/clients/"), ask(browser_client, "/clients/")
    ids = [one["request"] for one in heard.events("request")]
    assert ids == [first.headers["X-Request-ID"], second.headers["X-Request-ID"]] and ids[0] != ids[1]


def test_the_proxys_id_is_taken_where_a_proxy_is_set_up(behind_a_proxy: FlaskClient):
    assert (
        ask(behind_a_proxy, "/sign-in", headers={"X-Request-ID": "from-nginx.1"}).headers["X-Request-ID"]
        == "from-nginx.1"
    )
    odd = ask(behind_a_proxy, "/sign-in", headers={"X-Request-ID": "ada@example.com"}).headers["X-Request-ID"]
    assert odd != "ada@example.com"


def test_a_strangers_id_is_not_taken(sqlite_app: Flask):
    given = ask(sqlite_app.test_client(), "/sign-in", headers={"X-Request-ID": "of-my-own"})
    assert given.headers["X-Request-ID"] != "of-my-own"


def test_every_line_below_a_request_bears_its_id(sqlite_app: Flask):
    def speaks() -> Iterator[str]:
        logging.getLogger("webapp.core.deep").info("while it is sent")
        yield "done"

    def view():
        logging.getLogger("webapp.core.deep").info("while it is made")
        return speaks()

    sqlite_app.add_url_rule("/sign-in/speaking", "sign_in.speaking", view)
    with spoken() as heard:
        answer = ask(sqlite_app.test_client(), "/sign-in/speaking")
        assert answer.data == b"done"
        logging.getLogger("webapp.core.deep").info("afterwards")
    assert [one["message"].split(" (")[0] for one in heard.events()][:2] == ["while it is made", "while it is sent"]
    *below, last = heard.events()
    assert {one["request"] for one in below} == {answer.headers["X-Request-ID"]} and last["request"] == "-"


def test_a_request_that_breaks_has_its_line_too(sqlite_app: Flask):
    sqlite_app.config["PROPAGATE_EXCEPTIONS"] = False
    sqlite_app.testing = False
    sqlite_app.add_url_rule("/sign-in/broken", "sign_in.broken", lambda: int("Sentinel"))
    with spoken() as heard:
        answer = ask(sqlite_app.test_client(), "/sign-in/broken")
    assert answer.status_code == 500 and told(heard) == [("GET", "/sign-in/broken", "sign_in.broken", 500)]
    (error,) = [one for one in heard.events() if one["level"] == "ERROR"]
    assert error["message"] == "unhandled error on GET /sign-in/broken" and "ValueError" in error["exc_info"]
    assert error["request"] == answer.headers["X-Request-ID"]
    assert "literal" not in heard.getvalue(), "the words of an error may repeat what somebody typed"
