"""New code on an old database, and old code on a new one: every page says what to do, and is back by itself."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.adapters.test_schema import head, stamp
from tests.engine import engine_of


@pytest.fixture
def visitor(sqlite_app: Flask, browser_client: FlaskClient) -> FlaskClient:
    """Somebody signed in, whose next request looks at the tables anew."""
    sqlite_app.extensions["massmail-schema"]._fine_until = float("-inf")
    return browser_client


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        ("0001", 'Run <code class="nowrap">flask --app wsgi db upgrade</code>.'),
        ("9999", "The program is older than its database"),
    ],
)
def test_every_page_says_what_to_do(sqlite_app: Flask, visitor: FlaskClient, revision: str, words: str):
    stamp(engine_of(sqlite_app), revision)
    for url in ("/mass-mail/", "/sign-in", "/settings/users", "/no/such/page"):
        answer = visitor.get(url)
        assert answer.status_code == 503 and words in answer.text and "Not ready yet" in answer.text, url
        assert answer.headers["Retry-After"] == "10"
    assert visitor.get("/static/look/base.css").status_code == 200


def test_what_was_typed_is_kept_and_a_fragment_becomes_a_toast(sqlite_app: Flask, visitor: FlaskClient):
    stamp(engine_of(sqlite_app), "0001")
    answer = visitor.post("/account/profile", data={"name": "Ada", "time_zone": "UTC"})
    assert answer.status_code == 503 and 'name="name" value="Ada"' in answer.text
    answer = visitor.get("/mass-mail/1/progress", headers={"HX-Request": "true"})
    assert answer.status_code == 503 and answer.headers["HX-Retarget"] == "#toasts"
    assert 'data-trouble="reading"' in answer.text and "db upgrade" in answer.text


def test_after_the_upgrade_pages_are_back_without_a_restart(sqlite_app: Flask, visitor: FlaskClient):
    stamp(engine_of(sqlite_app), "0001")
    assert visitor.get("/mass-mail/").status_code == 503
    stamp(engine_of(sqlite_app), head())
    assert visitor.get("/mass-mail/").status_code == 200
