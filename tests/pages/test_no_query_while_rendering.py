"""All that a page shows is loaded before it is made: no template asks the database, be it by an attribute that loads lazily."""

import re
import sys
from collections.abc import Iterator
from types import FrameType

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.statuses import MessageType
from webapp.core.settings import from_addresses
from webapp.extensions import db

LEFT_OUT = ("static", "assets.", "health.", "mail_catcher.", "coming_back.")
"""Endpoints without a template, or without the database."""

HTMX = {"HX-Request": "true"}


@pytest.fixture
def asked(sqlite_app: Flask) -> Iterator[list[str]]:
    """The statements that are run while a template is, each with the place in the template."""
    found: list[str] = []

    def note(_connection, _cursor, statement: str, *_rest) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not frame.f_code.co_filename.endswith(".html"):
            frame = frame.f_back
        if frame is not None:
            found.append(f"{frame.f_code.co_filename.partition('templates/')[2]}: {' '.join(statement.split())[:90]}")

    with sqlite_app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def filled(sqlite_session: Session) -> Session:
    """A broadcast in each state, with rows of the ledger in every state, and clients with and without what they can hold."""
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    people = [factories.client(sqlite_session) for _ in range(3)]
    held = factories.service(sqlite_session, people[0], factories.product(sqlite_session))
    factories.addon_assignment(sqlite_session, held, factories.addon(sqlite_session))
    for state in BroadcastState:
        begun = state not in (BroadcastState.DRAFT, BroadcastState.SCHEDULED, BroadcastState.CANCELLED)
        times = dict.fromkeys(("started_at", "frozen_at"), factories.NOW) if begun else {}
        ended = {"finished_at": factories.NOW} if state in (BroadcastState.FINISHED, BroadcastState.CANCELLED) else {}
        if state is BroadcastState.PAUSED:
            ended = {"paused_at": factories.NOW, "pause_reason": "by Ada"}
        row = factories.broadcast(sqlite_session, state=state, message_type=MessageType.SERVICES, **times, **ended)
        if begun:
            for delivery_state in DeliveryState:
                factories.delivery(sqlite_session, row, state=delivery_state)
    sqlite_session.commit()
    return sqlite_session


def addresses(app: Flask) -> Iterator[str]:
    """Every page and fragment that can be looked at, of each broadcast."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint.startswith(LEFT_OUT):
            continue
        for number in range(1, len(BroadcastState) + 1) if "broadcast_id" in rule.arguments else (1,):
            path = rule.rule.replace("<int:broadcast_id>", str(number))
            path = re.sub(r"<int:delivery_id>", str(max(1, (number - 3) * len(DeliveryState) + 1)), path)
            yield re.sub(r"<any\((\w+)[^>]*>|<[^>]*>", lambda found: found[1] or "1", path)


def test_no_template_asks_the_database(
    sqlite_app: Flask, browser_client: FlaskClient, filled: Session, asked: list[str]
):
    looked_at = 0
    for address in addresses(sqlite_app):
        for headers in ({}, HTMX):
            answer = browser_client.get(address, headers=headers)
            assert answer.status_code < 500, address
            looked_at += answer.status_code == 200
            answer.close()
    assert looked_at > 150
    assert sorted(set(asked)) == []


def test_it_would_be_seen(sqlite_app: Flask, browser_client: FlaskClient, filled: Session, asked: list[str]):
    """The listener itself: a template that asks is caught."""
    template = sqlite_app.jinja_env.from_string("{{ ask() }}")
    template.root_render_func.__code__ = template.root_render_func.__code__.replace(
        co_filename="templates/room/ask.html"
    )
    with sqlite_app.test_request_context("/"):
        template.render(ask=lambda: db.session.connection().exec_driver_sql("SELECT 1").scalar())
    assert asked[-1] == "room/ask.html: SELECT 1"
