"""Fixtures: somebody who looks at the console."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories


@pytest.fixture
def browser_client(sqlite_app: Flask, sqlite_session: Session) -> FlaskClient:
    """A test client signed in as a user of the console, on `sqlite_app` (use `sqlite_session` for its data)."""
    return sign_in(sqlite_app, sqlite_session)


def sign_in(app: Flask, session: Session) -> FlaskClient:
    """A test client signed in through a one-time link, as a user made for it. Commits."""
    from webapp.adapters.clock import now
    from webapp.core import users

    user = factories.user(session)
    token = users.make_link(session, user.id, now())
    session.commit()
    client = app.test_client()
    data = {"token": token}
    if app.config["WTF_CSRF_ENABLED"]:
        data |= re.findall(r'name="(csrf_token)"[^>]* value="([^"]+)"', client.get("/sign-in/link/").text)[:1]
    answer = client.post("/sign-in/link/", data=data)
    assert answer.status_code in (302, 303), answer.status
    return client
