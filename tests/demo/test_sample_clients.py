"""A house without clients offers two ways to begin; what is made up gets only where no mail leaves and nobody is yet."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.tables.clients import Client
from webapp.demo import sample_clients


@pytest.fixture
def catches(sqlite_app: Flask) -> None:
    sqlite_app.config["MAIL_CATCHER_DIR"] = "mails"


def count(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Client)) or 0


@pytest.mark.parametrize("path", ["/mass-mail/", "/clients/"])
def test_a_console_without_clients_offers_the_import_and_a_demo_apart_from_it(browser_client: FlaskClient, path: str):
    page = browser_client.get(path).text
    assert "Import clients</a>" in page
    assert "demo --apart" in page
    assert "sample-clients" not in page


@pytest.mark.usefixtures("catches")
def test_a_demo_without_clients_makes_some_up_at_the_press_of_a_button(
    browser_client: FlaskClient, sqlite_session: Session
):
    assert 'action="/sample-clients/"' in browser_client.get("/mass-mail/").text
    page = browser_client.post("/sample-clients/", follow_redirects=True).text
    assert count(sqlite_session) == sample_clients.CLIENTS
    assert "are made up" in page and "sample-clients" not in page


@pytest.mark.usefixtures("catches")
def test_nothing_is_made_up_beside_a_client(browser_client: FlaskClient, sqlite_session: Session):
    factories.client(sqlite_session)
    sqlite_session.commit()
    assert browser_client.post("/sample-clients/").status_code == 409
    assert count(sqlite_session) == 1


def test_nothing_is_made_up_where_mails_leave(browser_client: FlaskClient, sqlite_session: Session):
    assert browser_client.post("/sample-clients/").status_code == 404
    assert count(sqlite_session) == 0
