"""Fixtures: the compose page, open in a browser."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from tests import factories
from tests.browser.compose_page import HTML, open_draft
from tests.consoles import Console, bring_sign_in
from tests.looks import without_complaint
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast

EXPECTED = ("Failed to load resource", "htmx:", "Response Status Error Code 401")
"""How complaints begin of what tests bring about on purpose."""


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    factories.client(sqlite_session, "ada@example.com", first_name="Ada", last_name="Byron")
    factories.client(sqlite_session, "zoe@example.com", first_name="Zoë", last_name="Oster")
    row = factories.broadcast(sqlite_session, subject="Maintenance", html=HTML)
    sqlite_session.commit()
    return row


@pytest.fixture
def compose(browser_client: FlaskClient, console: Console, page: Page, draft: Broadcast) -> Iterator[Page]:
    """The compose page, ready, with the sign-in of `browser_client`. What the browser has to complain of fails the test."""
    bring_sign_in(browser_client, console, page)
    with without_complaint(page, lambda words: words.startswith(EXPECTED)):
        open_draft(page, console, draft)
        yield page
