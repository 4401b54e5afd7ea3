"""What a stranger, another site, or a header that somebody made up can do: nothing."""

import io
import re

import pytest

from tests import factories
from tests.security.test_odd_input import addresses
from tests.visitors import sign_in
from webapp.adapters.clock import now
from webapp.core import users
from webapp.core.errors import Invalid
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.settings import from_addresses

PASSWORD = "correct horse battery"
BY_SECRET = "/events/"
BY_TOKEN = ("/unsubscribe/", "/preferences/")
"""Pages for whoever holds a mail's token."""
EVIL = "https://evil.example"


def test_no_form_is_taken_from_another_site(sqlite_app, sqlite_session):
    visitor = sign_in(sqlite_app, sqlite_session)
    sqlite_app.config["WTF_CSRF_ENABLED"] = True
    for address in [*addresses(sqlite_app, "POST"), "/sign-in", "/sign-in/link/", "/sign-out"]:
        answer = visitor.post(address, headers={"Origin": EVIL, "Referer": f"{EVIL}/"})
        if address.startswith(BY_TOKEN):
            assert answer.status_code == 303, (
                "no cookie says who somebody is, so there is nothing that another site could use"
            )
        elif address.startswith(BY_SECRET):
            assert answer.status_code == 404, "its address is the proof, and this is none"
        elif address.startswith("/sign-"):  # the sign-in page is shown anew
            assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
        else:
            assert answer.status_code == 400, address
            assert "Location" not in answer.headers, address
    assert visitor.get("/account/").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        EVIL,
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\\/evil.example",
        "///evil.example",
        "/\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        " //evil.example",
    ],
)
def test_signing_in_leads_to_no_other_site(sqlite_app, sqlite_session, target):
    users.create(sqlite_session, "ada@example.org", PASSWORD, now())
    sqlite_session.commit()
    data = {"email": "ada@example.org", "password": PASSWORD}
    answer = sqlite_app.test_client().post("/sign-in", query_string={"next": target}, data=data)
    assert answer.headers["Location"] == "/"


def test_the_host_a_request_claims_is_written_into_no_answer(sqlite_app, sqlite_session):
    visitor = sign_in(sqlite_app, sqlite_session)
    cookie = visitor.get_cookie(sqlite_app.config["SESSION_COOKIE_NAME"])
    assert cookie
    visitor.set_cookie(cookie.key, cookie.value, domain="evil.example")
    told = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    page = visitor.post("/settings/users", data={"email": "new@example.org"}, headers=told)
    assert "evil.example" not in page.text and "/sign-in/link/#" in page.text
    for address in addresses(sqlite_app, "GET"):
        answer = visitor.get(address, headers=told)
        assert "evil.example" not in answer.headers.get("Location", ""), address
        if answer.mimetype == "text/html":
            assert "evil.example" not in answer.text, address
        answer.close()


def test_nothing_about_people_is_kept_by_a_browser_or_proxy(sqlite_app, sqlite_session):
    broadcast = factories.broadcast(sqlite_session)
    factories.delivery(sqlite_session, broadcast, state=DeliveryState.ACCEPTED)
    visitor = sign_in(sqlite_app, sqlite_session)
    for address in addresses(sqlite_app, "GET"):
        if not address.startswith(("/assets/", "/static/")):
            answer = visitor.get(address)
            assert answer.headers["Cache-Control"] == "no-store", address
            assert answer.headers["X-Content-Type-Options"] == "nosniff", address
            answer.close()


@pytest.mark.parametrize(
    "name", ["../../evil.csv", "..\\..\\evil.csv", "/etc/passwd", 'a"; filename="b.html', "a\tb.csv"]
)
def test_the_name_of_an_upload_leads_nowhere(sqlite_app, sqlite_session, name):
    visitor = sign_in(sqlite_app, sqlite_session)
    upload = {"file": (io.BytesIO(b"ID,Email\n1,a@example.org\n2,nobody\n"), name), "kind": "clients"}
    instance = sqlite_app.config["INSTANCE"]
    before = sorted(instance.rglob("*"))
    answer = visitor.post("/import/", data=upload, content_type="multipart/form-data", follow_redirects=True)
    assert answer.status_code in (200, 404, 405, 422)
    assert sorted(instance.rglob("*")) == before
    for way in re.findall(r"/import[^\s\"]*\.csv", answer.text):
        disposition = visitor.get(way).headers["Content-Disposition"]
        assert "/" not in disposition and "\\.." not in disposition


@pytest.mark.parametrize(
    "path",
    [
        "/static/../wsgi.py",
        "/static/..%2fwsgi.py",
        "/static/%2e%2e/wsgi.py",
        "/static//etc/passwd",
        "/mail-catcher/..%2f..%2fsecret-key",
    ],
)
def test_no_path_leads_out_of_its_folder(sqlite_app, sqlite_session, path):
    assert sign_in(sqlite_app, sqlite_session).get(path, follow_redirects=True).status_code == 404


@pytest.mark.parametrize("field", ["name", "address"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85"])
def test_no_sender_brings_a_header_of_its_own(sqlite_session, field, end):
    typed = {"name": "Example", "address": "news@example.com"}
    typed[field] = f"x{end}Bcc: eve" if field == "name" else f"x{end}Bcc@example.com"
    try:
        sender = from_addresses.add(sqlite_session, typed["name"], typed["address"])
    except Invalid:
        return
    assert len(from_addresses.as_header(sender).splitlines()) == 1


def test_signing_in_says_the_same_whether_there_is_an_account_or_not(sqlite_app, sqlite_session, monkeypatch):
    users.create(sqlite_session, "ada@example.org", PASSWORD, now())
    locked = users.create(sqlite_session, "bob@example.org", PASSWORD, now())
    users.set_active(sqlite_session, locked.id, False)
    sqlite_session.commit()
    from webapp.core.users import passwords

    hashed, check = [], passwords.check_password_hash

    def counted(known: str, password: str) -> bool:
        hashed.append(known.split("$")[0])
        return check(known, password)

    monkeypatch.setattr(passwords, "check_password_hash", counted)
    answers = []
    for email, password in (
        ("ada@example.org", "a guess"),
        ("nobody@example.org", "a guess"),
        ("bob@example.org", PASSWORD),
    ):
        answer = sqlite_app.test_client().post("/sign-in", data={"email": email, "password": password})
        answers.append(
            (answer.status_code, re.sub(r"csrf_token[^>]*>|X-CSRFToken[^>]*>", "", answer.text).replace(email, "E"))
        )
    assert answers[0] == answers[1] == answers[2]
    assert len(hashed) == 3 and len(set(hashed)) == 1, "each takes as long: one hash of the same cost"


def test_whoever_has_a_browser_of_somebody_does_not_find_out_the_password(sqlite_app, sqlite_session):
    users.create(sqlite_session, "ada@example.org", PASSWORD, now())
    sqlite_session.commit()
    client = sqlite_app.test_client()
    client.post("/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
    new = {"password": "a new good password", "again": "a new good password"}
    codes = [client.post("/account/password", data={**new, "current": "a guess"}).status_code for _ in range(9)]
    assert codes == [422] * users.FAILURES_ALLOWED + [429]
    assert client.post("/account/password", data={**new, "current": PASSWORD}).status_code == 429
