"""Odd values in every parameter of every address, signed in: nothing breaks, nothing is written into a header."""

import io
import itertools
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories
from tests.visitors import sign_in
from webapp.core import users
from webapp.core.settings import from_addresses
from webapp.paths import ROOT

HTMX = {"HX-Request": "true"}
LEFT_OUT = ("sign_in.", "account.end_sign_in", "static", "health.")
TAKEN = re.compile(r'(?:args|form|values)(?:\.get|\.getlist)?[\[(]\s*"(\w+)"')
FIELD = re.compile(r"^    (\w+) = \w*(?:Field|WholeNumber)\(", re.M)
NO_MORE_POLLING = 286
"""What a part of a page hears that asks for a broadcast which is gone; htmx then asks no more."""

LARGEST = 2**63 - 1
BEYOND = (LARGEST, 2**63, "9" * 5000)


def parameters() -> list[str]:
    """Every name that some page looks for in a query string or form."""
    files = Path(ROOT / "webapp" / "pages").rglob("*.py")
    names: set[str] = set()
    for file in files:
        text = file.read_text()
        names |= set(TAKEN.findall(text)) | set(FIELD.findall(text))
    assert {"q", "page", "subject", "batch_size", "next", "client"} <= names
    return sorted(names)


@pytest.fixture
def visitor(app: Flask, session: Session) -> FlaskClient:
    """Somebody signed in, with a broadcast, a client and a sender of id 1."""
    from_addresses.add(session, "Example", "news@example.com")
    factories.delivery(session, factories.broadcast(session))
    return sign_in(app, session)


def addresses(app: Flask, method: str, number: object = 1) -> list[str]:
    found = []
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or ()) or rule.endpoint.startswith(LEFT_OUT):
            continue
        path = re.sub(r"<int:\w+>", str(number), rule.rule)
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", path)
        found.append(re.sub(r"<[^>]*>", "some", path))
    assert len(found) > 10
    return found


@pytest.mark.parametrize(
    "value", [None, "a\0b", "x\r\nX-Evil: 1", "../../../etc/passwd", "9" * 30, "9" * 5000, "\u0663'\";--"]
)
def test_no_value_breaks_a_page(app, visitor, value):
    names, headers = parameters(), itertools.cycle([{}, HTMX, {}])
    for method in ("GET", "POST"):
        for address in addresses(app, method):
            sent = {
                "query_string" if method == "GET" else "data": dict.fromkeys(names, value) if value is not None else {}
            }
            answer = visitor.open(address, method=method, headers=next(headers), **sent)
            assert answer.status_code < 500, (method, address)
            assert "X-Evil" not in answer.headers, (method, address)
            if value and "\0" in value and not address.startswith("/events/"):  # refused for its address, unread
                assert answer.status_code == 400, (method, address)
            answer.close()
    assert visitor.get("/account/").status_code == 200


@pytest.mark.parametrize("number", BEYOND, ids=lambda number: str(number)[:20])
def test_an_id_that_cannot_be_is_not_found(app, visitor, number):
    for method in ("GET", "POST"):
        for address in set(addresses(app, method, number)) - set(addresses(app, method)):
            answer = visitor.open(address, method=method)
            allowed = (404,) if number != LARGEST else (404, NO_MORE_POLLING, 303, 409, 422)
            assert answer.status_code in allowed, (method, address)
            answer.close()


@pytest.mark.parametrize(
    "path", ["/mass-mail/%00", "/static/a%00b", "/mass-mail/?q=%00", "/mass-mail/?%00=1", "/%00?next=/"]
)
def test_a_nul_in_an_address_is_refused_in_words(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 400
    assert "The address holds a character that cannot be kept" in answer.text


def test_what_was_typed_with_a_nul_comes_back_without_it(visitor):
    sent = {"name": "A\0da", "time_zone": "UTC"}
    answer = visitor.post("/account/profile", data=sent)
    assert answer.status_code == 400 and "The field “name” holds" in answer.text
    assert '<input type="hidden" name="name" value="Ada">' in answer.text and "Send it without" in answer.text


def test_names_of_files_json_cookies_and_headers_are_looked_at(app, visitor):
    upload = {"file": (io.BytesIO(b"a,b\n1,2\n"), "a\0.csv"), "kind": "clients"}
    assert visitor.post("/imports/", data=upload, content_type="multipart/form-data").status_code in (400, 404, 405)
    json = '{"a": ["\\ud800"]}'
    assert visitor.post("/account/profile", data=json, content_type="application/json").status_code == 400
    assert visitor.post("/account/profile", json={"a\0": 1}).status_code == 400
    assert visitor.get("/mass-mail/", headers={"HX-Current-URL": "/mass-mail/?q=%00"}).status_code == 400
    visitor.set_cookie("theme", "dark%00")
    assert visitor.get("/mass-mail/").status_code in (200, 400)


def test_a_password_with_a_nul_is_not_written_into_the_page(visitor, session):
    answer = visitor.post("/account/password", data={"password": "a secret\0 of mine", "again": "a secret of mine"})
    assert answer.status_code == 400 and "secret" not in answer.text
    assert len(users.listing(session)) == 1


def test_a_refusal_leads_back_only_to_a_page_of_ours(visitor):
    def lock_self(referer: str) -> str:
        answer = visitor.post("/settings/users/1/active/0", headers={"Referer": referer})
        return answer.headers.get("Location", "")

    assert lock_self("http://localhost/settings/users?a=b") == "/settings/users?a=b"
    assert lock_self("https://evil.example/settings/users") == ""
    assert lock_self("//evil.example") == ""
    assert lock_self("http://localhost//evil.example/") in ("", "/evil.example/")
