"""Errors as pages and toasts: what happened in plain words, nothing typed lost, and no database needed to say so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from tests.databases import make_app

NOBODY_LISTENS = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def orphan(tmp_path: Path) -> Iterator[FlaskClient]:
    """Somebody who signed in before the database went away."""
    app = make_app(NOBODY_LISTENS, tmp_path)
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "a token from better times"
    yield client


def test_a_page_without_its_database_says_so_and_when_to_come_back(orphan: FlaskClient):
    answer = orphan.get("/mass-mail/")
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "10"
    assert "The database does not answer" in answer.text and "goes on by itself" in answer.text
    assert "sends what you typed" not in answer.text


def test_a_form_sent_without_the_database_can_be_sent_once_more(orphan: FlaskClient):
    answer = orphan.post("/settings/sending/limits", data={"per_second": "5"})
    assert answer.status_code == 503 and "Reloading this page sends what you typed once more." in answer.text


def test_a_fragment_without_its_database_becomes_a_toast_that_is_known_as_trouble(orphan: FlaskClient):
    answer = orphan.get("/mass-mail/1/progress", headers=HTMX)
    assert answer.status_code == 503 and answer.headers["HX-Retarget"] == "#toasts"
    assert "data-trouble" in answer.text and "<html" not in answer.text


def test_a_mistake_of_the_program_is_a_page_too_and_needs_no_database(tmp_path: Path):
    app = make_app(NOBODY_LISTENS, tmp_path)
    app.testing = False
    app.add_url_rule("/sign-in/broken", "sign_in.broken", lambda: 1 // 0)
    answer = app.test_client().get("/sign-in/broken")
    assert answer.status_code == 500 and "Something went wrong" in answer.text
    toast = app.test_client().get("/sign-in/broken", headers=HTMX)
    assert toast.status_code == 500 and "data-trouble" in toast.text


class Unread:
    """A body of which nobody may read anything."""

    def read(self, *_size: int) -> bytes:
        raise AssertionError("the body was read")

    readline = readlines = __iter__ = read  # type: ignore[assignment]


def test_of_a_stranger_nothing_large_is_read(sqlite_app: Flask):
    client = sqlite_app.test_client()
    much = {"wsgi.input": Unread(), "CONTENT_LENGTH": "500000000", "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    answer = client.post("/clients/import/", environ_overrides=much)
    assert answer.headers["Location"].startswith("/sign-in")
    assert client.post("/sign-in", environ_overrides=much).status_code == 413


def test_only_an_upload_may_be_large(sqlite_app: Flask, browser_client: FlaskClient):
    sqlite_app.config |= {"MAX_CONTENT_LENGTH": 2_000_000, "MAX_UPLOAD": 4_000_000}
    form = {"content_type": "application/x-www-form-urlencoded"}
    answer = browser_client.post("/settings/users", data=b"email=" + b"a" * 3_000_000, **form)
    assert answer.status_code == 413 and "at most 1 MB" in answer.text
    assert browser_client.post("/clients/import/", data=b"x=" + b"a" * 3_000_000, **form).status_code == 422
    assert browser_client.post("/clients/import/", data=b"x=" + b"a" * 5_000_000, **form).status_code == 413


def test_the_address_of_a_client_is_what_a_trusted_proxy_says(tmp_path: Path):
    for proxies, seen in ((0, "127.0.0.1 http://localhost/"), (1, "203.0.113.9 https://mail.example.com/")):
        app = make_app(NOBODY_LISTENS, tmp_path, TRUSTED_PROXIES=proxies)
        app.add_url_rule("/sign-in/seen", "sign_in.seen", _seen)
        told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "mail.example.com"}
        assert app.test_client().get("/sign-in/seen", headers=told).text == seen


def _seen() -> str:
    return f"{request.remote_addr} {request.host_url}"
