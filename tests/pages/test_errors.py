"""Errors as pages and toasts: what happened in plain words, nothing typed lost, and no database needed to say so."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories
from tests.databases import make_app
from webapp.core.rules.message.compile import MAX_CHARACTERS
from webapp.extensions import db

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
    assert '<a class="button" data-kind="primary" href="">Try again</a>' in answer.text
    assert "you typed" not in answer.text


def test_an_address_that_is_not_there_needs_no_database_to_be_answered(orphan: FlaskClient):
    answer = orphan.get("/no/such/page")
    assert answer.status_code == 503 and "The database does not answer" in answer.text


def test_what_was_typed_stays_on_the_page_that_says_there_is_no_database(orphan: FlaskClient):
    typed = {"name": 'Ada "the first" <b>', "note": "two\nlines", "csrf_token": "the page's own"}
    answer = orphan.post("/settings/users?from=here", data=typed)
    assert answer.status_code == 503 and "What you typed is kept on this page" in answer.text
    assert '<form method="post">' in answer.text and "Try again</button>" in answer.text
    written = answer.get_data(as_text=True)
    kept = re.findall(r'<input type="hidden" name="(.*?)" value="(.*?)">', written, re.DOTALL)
    assert {name: unescape(value) for name, value in kept} | {"csrf_token": "the page's own"} == typed


def test_a_password_is_not_written_into_a_page_but_can_be_sent_once_more(orphan: FlaskClient):
    answer = orphan.post("/account/password", data={"current": "an old secret", "password": "a new one"})
    assert answer.status_code == 503 and "secret" not in answer.text
    assert "Reloading this page sends what you typed once more." in answer.text


def test_without_the_database_nothing_is_read_of_who_was_never_signed_in(tmp_path: Path):
    stranger = make_app(NOBODY_LISTENS, tmp_path).test_client()
    much = {"wsgi.input": Unread(), "CONTENT_LENGTH": "5000", "CONTENT_TYPE": "application/x-www-form-urlencoded"}
    assert stranger.post("/settings/users", environ_overrides=much).headers["Location"].startswith("/sign-in")
    assert stranger.post("/sign-out", environ_overrides=much).status_code == 503


def test_a_fragment_without_its_database_becomes_a_toast_that_is_known_as_trouble(orphan: FlaskClient):
    answer = orphan.get("/mass-mail/1/progress", headers=HTMX)
    assert answer.status_code == 503 and answer.headers["HX-Retarget"] == "#toasts"
    assert 'data-trouble="reading"' in answer.text and "<html" not in answer.text


def test_a_toast_about_a_change_does_not_ask_to_leave_the_page_on_which_it_was_typed(orphan: FlaskClient):
    answer = orphan.post("/mass-mail/1/schedule/", data={"batch_size": "5"}, headers=HTMX)
    assert answer.status_code == 503 and 'data-trouble="change"' in answer.text
    assert "What you typed is still on this page" in answer.text and "eload" not in answer.text


def test_a_database_that_is_locked_for_too_long_is_said_to_be_away(sqlite_app: Flask, browser_client: FlaskClient):
    sqlite_app.testing = False
    path = sqlite_app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = browser_client.post("/account/profile", data={"name": "Ada", "time_zone": "UTC"})
        other.execute("ROLLBACK")
    assert answer.status_code == 503 and "The database does not answer" in answer.text
    assert 'name="name" value="Ada"' in answer.text
    assert browser_client.get("/account/").status_code == 200


def test_a_mistake_of_the_program_is_a_page_too_and_needs_no_database(tmp_path: Path):
    app = make_app(NOBODY_LISTENS, tmp_path)
    app.testing = False
    app.add_url_rule("/sign-in/broken", "sign_in.broken", lambda: 1 // 0)
    answer = app.test_client().get("/sign-in/broken")
    assert answer.status_code == 500 and "Something went wrong" in answer.text
    toast = app.test_client().get("/sign-in/broken", headers=HTMX)
    assert toast.status_code == 500 and "Something went wrong" in toast.text
    assert "data-trouble" not in toast.text  # it is not over because another request works


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


def test_the_largest_message_fits_beside_its_earlier_version(sqlite_session: Session, browser_client: FlaskClient):
    draft = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    url = f"/mass-mail/{draft.id}/content/"
    fields = {"subject": "Long", "html": "語" * MAX_CHARACTERS, "base": ""}
    assert browser_client.post(url, data=fields | {"lost": urlencode(fields)}).status_code != 413


def test_the_address_of_a_client_is_what_a_trusted_proxy_says(tmp_path: Path):
    for proxies, seen in ((0, "127.0.0.1 http://localhost/"), (1, "203.0.113.9 https://mail.example.com/")):
        app = make_app(NOBODY_LISTENS, tmp_path, TRUSTED_PROXIES=proxies)
        app.add_url_rule("/sign-in/seen", "sign_in.seen", _seen)
        told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "mail.example.com"}
        assert app.test_client().get("/sign-in/seen", headers=told).text == seen


def _seen() -> str:
    return f"{request.remote_addr} {request.host_url}"


def test_a_failing_statement_leaves_no_value_in_log_or_page(
    app: Flask, session: Session, caplog: pytest.LogCaptureFixture
):
    """Neither what was given to the statement nor what the database says of the row."""
    app.testing = False
    address = "private@example.org"  # by name below, as a log shows the lines of the program
    factories.user(session, address)
    session.commit()

    def broken():
        factories.user(db.session, address)  # type: ignore[arg-type]

    app.add_url_rule("/sign-in/broken", "sign_in.broken", broken)
    answer = app.test_client().get("/sign-in/broken")
    assert answer.status_code == 500 and "IntegrityError" in caplog.text and "user_account" in caplog.text
    assert "private" not in answer.text + caplog.text
