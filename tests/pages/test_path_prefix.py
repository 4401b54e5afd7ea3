"""A console below a path of its host: links, redirects and what to come back to keep the path, whatever the proxy passes on."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests.databases import make_app
from webapp.adapters.clock import now
from webapp.core import users
from webapp.pages import path_prefix

PASSWORD = "correct horse 7 battery"


@pytest.fixture
def visitor(sqlite_url: str, sqlite_session: Session, tmp_path: Path):
    users.create(sqlite_session, "ada@example.org", PASSWORD, now())
    sqlite_session.commit()
    app = make_app(sqlite_url, tmp_path, PUBLIC_URL="http://intra.example.com/mail")
    return app.test_client()


@pytest.mark.parametrize("passed_on", ["/mail/mass-mail/?tab=drafts", "/mass-mail/?tab=drafts"])
def test_who_signs_in_comes_back_to_the_page_that_was_wanted(visitor, passed_on: str):
    asked = visitor.get(passed_on)
    assert asked.location == "/mail/sign-in?next=/mail/mass-mail/?tab%3Ddrafts"
    sent = visitor.post(asked.location, data={"email": "ada@example.org", "password": PASSWORD})
    assert sent.location == "/mail/mass-mail/?tab=drafts"
    page = visitor.get(sent.location)
    assert page.status_code == 200
    assert 'href="/mail/clients/"' in page.text and 'href="/clients/"' not in page.text
    assert 'src="/mail/assets/' in page.text and 'src="/assets/' not in page.text


def test_a_link_to_sign_in_has_the_path_once(visitor, sqlite_session: Session):
    visitor.post("/mail/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
    users.create(sqlite_session, "bob@example.org", PASSWORD, now())
    sqlite_session.commit()
    bob = users.by_email(sqlite_session, "bob@example.org").id
    page = visitor.post(f"/mail/settings/users/{bob}/link", data={"current": PASSWORD}).text
    assert "http://intra.example.com/mail/sign-in/link/#" in page


def test_a_sign_in_does_not_lead_back_to_itself(visitor):
    sent = visitor.post("/mail/sign-in?next=/mail/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
    assert sent.location == "/mail/"


def test_a_path_that_only_begins_alike_is_another(visitor):
    assert visitor.get("/mailbox").status_code == 404


def test_a_console_without_a_path_is_left_as_it_is(sqlite_app):
    before = sqlite_app.wsgi_app
    path_prefix.install(sqlite_app)
    assert sqlite_app.wsgi_app == before
