"""Settings, Links in mails: links from a pattern are added, changed and removed, and their tags stand in the palette."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from tests.pages.page import read
from tests.visitors import sign_in
from webapp.core.settings import tag_links

URL = "/settings/links/"
PATTERN = "https://p.example/{{ client_id }}"


@pytest.fixture
def visitor(sqlite_app: Flask, sqlite_session: Session) -> FlaskClient:
    return sign_in(sqlite_app, sqlite_session)


def made(session: Session) -> int:
    link = tag_links.add(session, "portal_url", "Your account", PATTERN, NOW)
    session.commit()
    return link.id


def test_a_link_is_added_and_can_be_inserted_into_a_message(visitor: FlaskClient, sqlite_session: Session):
    draft = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    form = {"name": "portal_url", "label": "Your account", "pattern": "https://p.example/{{ client_number }}"}
    assert "portal_url" in read(visitor.post(URL, data=form, follow_redirects=True)).words
    assert tag_links.known(sqlite_session)["portal_url"].pattern == PATTERN
    palette = read(visitor.get(f"/mass-mail/{draft.id}/content/")).at("#tag-palette")
    assert palette.at("#tag-portal_url")["data-tag"] == "portal_url"


def test_what_is_wrong_is_said_at_its_field(visitor: FlaskClient, sqlite_session: Session):
    answer = visitor.post(URL, data={"name": "portal", "label": "x", "pattern": PATTERN})
    assert answer.status_code == 422 and "ends in _url" in read(answer).words
    link_id = made(sqlite_session)
    answer = visitor.post(f"{URL}{link_id}", data={"label": "x", "pattern": "http://p.example/{{ client_id }}"})
    assert answer.status_code == 422 and "begins with https://" in read(answer).at(f"#link-{link_id}").words
    assert "http://p.example/{{ client_id }}" in answer.get_data(as_text=True)


def test_a_link_is_changed_and_removed_and_its_uses_are_shown_before(visitor: FlaskClient, sqlite_session: Session):
    link_id = made(sqlite_session)
    factories.broadcast(sqlite_session, name="Prices", html="<p>{{ portal_url }}</p>")
    sqlite_session.commit()
    assert "Prices" in read(visitor.get(URL)).at(f"#remove-{link_id}").words
    visitor.post(f"{URL}{link_id}", data={"label": "Portal", "pattern": PATTERN})
    (one,) = tag_links.listing(sqlite_session)
    assert one.link.label == "Portal"
    assert visitor.post(f"{URL}{one.link.id}/remove").status_code == 303
    sqlite_session.rollback()
    assert tag_links.listing(sqlite_session) == []
