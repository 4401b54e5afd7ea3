"""Settings, Domains: looked at by a button, records to copy, keys that never show their private half."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.dns_server import dns_server
from tests.visitors import sign_in
from webapp.core.domains import checks
from webapp.core.settings import from_addresses
from webapp.core.tables.domains import DkimKey

URL, DOMAIN = "/settings/domains", "xn--bcher-kva.example"


@pytest.fixture
def visitor(sqlite_app: Flask, sqlite_session: Session) -> FlaskClient:
    from_addresses.add(sqlite_session, "Bücher", "news@bücher.example")
    return sign_in(sqlite_app, sqlite_session)


def seen(visitor: FlaskClient, path: str = f"/{DOMAIN}") -> str:
    return visitor.get(URL + path).get_data(as_text=True)


def post(visitor: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    answer = visitor.post(URL + path, data=form, follow_redirects=True)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_domain_is_looked_at_by_a_button_and_shows_the_records_to_set(visitor: FlaskClient, sqlite_app: Flask):
    assert "Not looked at yet" in seen(visitor, "/") and "bücher.example" in seen(visitor, "/")
    assert "Saved" in post(visitor, "/route", leaves_from="192.0.2.1", spf_include="")[1]
    with dns_server({(DOMAIN, "MX"): ["1 mx.example.com"], ("mx.example.com", "A"): ["192.0.2.9"]}) as (server, _):
        sqlite_app.config["DNS"] = (server,)
        status, page = post(visitor, f"/{DOMAIN}/check")
    assert status == 200 and "has no SPF record" in page and "Replies go to mx.example.com" in page
    assert "v=spf1 ip4:192.0.2.1 ~all" in page and f"_dmarc.{DOMAIN}" in page and "data-copy" in page
    assert "4 things to mend" in seen(visitor, "/")


def test_dns_that_is_away_makes_nothing_missing(visitor: FlaskClient):
    page = post(visitor, f"/{DOMAIN}/check")[1]  # DNS is off in tests
    assert "Not known" in page and "says nothing about the record" in page and "has no SPF record" not in page
    assert "MASSMAIL_DNS" in page


def test_keys_wait_for_dns_sign_and_are_stopped(visitor: FlaskClient, sqlite_app: Flask, sqlite_session: Session):
    page = post(visitor, f"/{DOMAIN}/keys")[1]
    assert "Waits for DNS" in page and "v=DKIM1; k=ed25519; p=" in page
    assert "wait for DNS already" in post(visitor, f"/{DOMAIN}/keys")[1]
    rows = sqlite_session.scalars(select(DkimKey)).all()
    assert not any(row.private is None or row.private in page for row in rows)
    zone = {
        (f"{row.selector}._domainkey.{DOMAIN}", "TXT"): [f"v=DKIM1; k={row.algorithm.kind}; p={row.public}"]
        for row in rows
    }
    with dns_server(zone) as (server, _):
        sqlite_app.config["DNS"] = (server,)
        page = post(visitor, f"/{DOMAIN}/check")[1]
    assert "Waits for DNS" not in page and page.count(">Signs<") == 2 and "DNS shows our key" in page
    assert "Make new keys" in page
    assert "nothing is signed any more" in post(visitor, f"/{DOMAIN}/keys/stop")[1]


def test_waiting_keys_can_be_thrown_away(visitor: FlaskClient, sqlite_session: Session):
    post(visitor, f"/{DOMAIN}/keys")
    assert "are gone" in post(visitor, f"/{DOMAIN}/keys/withdraw")[1]
    assert sqlite_session.scalars(select(DkimKey)).all() == []


def test_keys_sealed_with_another_secret_are_said_to_be_of_no_use(
    visitor: FlaskClient, sqlite_app: Flask, sqlite_session: Session
):
    post(visitor, f"/{DOMAIN}/keys")
    sqlite_app.config["SECRET_KEY"] = "another"
    visitor = sign_in(sqlite_app, sqlite_session)
    assert "This key cannot be opened" in seen(visitor)


def test_selectors_are_kept_and_what_is_none_is_refused(visitor: FlaskClient, sqlite_session: Session):
    assert "was looked at" in post(visitor, f"/{DOMAIN}/selectors", selectors="DKIM-Signature: d=r.example; s=k1")[1]
    assert checks.listing(sqlite_session)[0].selectors == (("k1", "r.example"),)
    assert "k1._domainkey.r.example" in seen(visitor)
    status, page = post(visitor, f"/{DOMAIN}/selectors", selectors="?!")
    assert status == 422 and "There is no selector in this" in page


@pytest.mark.parametrize("form", [{"leaves_from": "x", "spf_include": ""}, {"leaves_from": "", "spf_include": "a b"}])
def test_what_cannot_be_is_refused_at_its_field(visitor: FlaskClient, form: dict[str, str]):
    status, page = post(visitor, "/route", **form)
    assert status == 422 and 'aria-invalid="true"' in page


@pytest.mark.parametrize("path", ["", "/check", "/keys", "/keys/stop", "/keys/withdraw", "/selectors"])
def test_a_domain_of_no_sender_is_not_there(visitor: FlaskClient, path: str):
    url = f"{URL}/nowhere.example{path}"
    assert (visitor.post(url) if path else visitor.get(url)).status_code == 404
