"""Fixtures: somebody who looks at the console."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories

VERBATIM = re.compile(r"(<(pre|textarea)\b.*?</\2>)", re.S)
BROKEN_LINE = re.compile(r"(?<=[^>\s])[ \t]*\n\s*")


class AsSeen:
    """An answer whose text is the page as a browser reads it: where a template breaks a line between attributes or words, there is one
    blank. Mixed in before werkzeug's answer."""

    @property
    def text(self) -> str:
        text: str = super().text  # type: ignore[misc]
        return one_line_each(text) if self.mimetype == "text/html" else text  # type: ignore[attr-defined]


def one_line_each(html: str) -> str:
    """`html` with each tag and each sentence in one line; what stands in <pre> and <textarea> is left as it is."""
    parts = VERBATIM.split(html)
    return "".join(BROKEN_LINE.sub(" ", part) if at % 3 == 0 else part for at, part in enumerate(parts) if at % 3 != 2)


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
    client.response_wrapper = type("AsSeenResponse", (AsSeen, client.response_wrapper), {})
    answer = client.post("/sign-in/link/", data={"token": token})
    assert answer.status_code in (302, 303), answer.status
    return client
