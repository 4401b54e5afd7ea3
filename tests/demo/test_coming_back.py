"""Mails that come back in the demo: from the mail catcher and its pages to the listener for bounces, its real parts in one process."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import fast_mail_parser
import pytest
from aiosmtpd.smtp import SMTP
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.adapters.bounces.listener import BounceListener
from webapp.adapters.bounces.taking import BounceTaker
from webapp.core.consent import tokens
from webapp.core.consent.tokens import TokenPurpose
from webapp.core.content import return_paths
from webapp.core.rules.bounces import ReturnPath, read
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.relay_event import EventKind
from webapp.core.tables.events import DeliveryEvent
from webapp.demo.coming_back import Comeback, answer, bring, fate_of
from webapp.demo.mail_catcher import Catcher
from webapp.demo.maildir import Maildir
from webapp.extensions import db

ADDRESS = "bounce@bounces.example"
MAIL = b"From: news@example.com\r\nTo: zoe@example.net\r\nMessage-ID: <1@example.com>\r\nSubject: News\r\n\r\nHello\r\n"


class Parts:
    """The catcher and the listener on loopback ports of their own, and a mail that was sent."""

    def __init__(self, app: Flask, folder: Path):
        with app.app_context():
            self.engine = db.engine
        path = ReturnPath.of(ADDRESS)
        with Session(self.engine) as session:
            broadcast = factories.broadcast(session, state=BroadcastState.FINISHED, started_at=NOW)
            delivery = factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW)
            make = return_paths.maker(session, broadcast, path)
            assert make is not None
            self.delivery_id, self.return_path = delivery.id, make(delivery.id)
            session.commit()
        taker = BounceTaker(
            self.engine, path, lambda session, token: tokens.delivery_of(session, TokenPurpose.BOUNCE, token)
        )
        self.maildir = Maildir(folder)
        self._places = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.catcher_port, self.listener_port = (place.getsockname()[1] for place in self._places)
        self.bounces_to = f"lmtp://127.0.0.1:{self.listener_port}"
        self._ready, self._until, self._loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(taker),))
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self, taker: BounceTaker) -> None:
        self._handler = handler = Catcher(self.maildir, self.bounces_to)
        catcher = await self._loop.create_server(lambda: SMTP(handler), sock=self._places[0])
        await BounceListener(taker, is_lmtp=True).serve(self._places[1], self._until, self._ready.set)
        catcher.close()

    def wait(self) -> None:
        """Until what is to come back has come back."""
        asyncio.run_coroutine_threadsafe(self._handler.rest(), self._loop).result(20)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._until.set)
        self._thread.join(20)
        self._loop.close()
        for place in self._places:
            place.close()

    def recorded(self) -> list[tuple[EventKind, int | None]]:
        with Session(self.engine) as session:
            return [(row.kind, row.delivery_id) for row in session.scalars(select(DeliveryEvent))]


@pytest.fixture
def parts(sqlite_app: Flask, tmp_path: Path) -> Iterator[Parts]:
    made = Parts(sqlite_app, tmp_path / "mails")
    sqlite_app.config |= {
        "MAIL_CATCHER_DIR": str(tmp_path / "mails"),
        "BOUNCE_ADDRESS": ADDRESS,
        "BOUNCE_LISTEN": made.bounces_to,
    }
    yield made
    made.close()


def test_a_mail_to_an_address_that_bounces_comes_back_to_its_delivery(parts: Parts):
    with smtplib.SMTP("127.0.0.1", parts.catcher_port, timeout=10) as client:
        client.sendmail(parts.return_path, ["bounce@example.net"], MAIL)
    parts.wait()
    assert parts.recorded() == [(EventKind.BOUNCED, parts.delivery_id)]
    assert len(parts.maildir.names()) == 1


def test_a_button_has_a_caught_mail_come_back(browser_client: FlaskClient, parts: Parts):
    parts.maildir.keep(parts.return_path, ["zoe@example.net"], MAIL)
    (name,) = parts.maildir.names()
    assert "Have it come back" in browser_client.get(f"/mail-catcher/{name}").text
    answered = browser_client.post(f"/mail-catcher/{name}/come-back", data={"fate": "complain"}, follow_redirects=True)
    assert "it has come back" in answered.text
    assert parts.recorded() == [(EventKind.COMPLAINED, parts.delivery_id)]


def test_a_mail_of_no_delivery_does_not_come_back(browser_client: FlaskClient, parts: Parts):
    parts.maildir.keep("support@example.com", ["zoe@example.net"], MAIL)
    (name,) = parts.maildir.names()
    answered = browser_client.post(f"/mail-catcher/{name}/come-back", data={"fate": "bounce"}, follow_redirects=True)
    assert "It did not come back" in answered.text
    assert parts.recorded() == []


@pytest.mark.parametrize(
    ("fate", "kind"),
    [
        (Comeback.BOUNCE, EventKind.BOUNCED),
        (Comeback.FULL, EventKind.SOFT_BOUNCED),
        (Comeback.DELIVERED, EventKind.DELIVERED),
        (Comeback.AWAY, EventKind.ANSWERED),
        (Comeback.COMPLAIN, EventKind.COMPLAINED),
    ],
)
def test_what_comes_back_is_read_as_what_it_is(fate: Comeback, kind: EventKind):
    assert read(answer(fate, "zoe@example.net", MAIL)).kind is kind


def test_the_name_of_an_address_says_what_it_does():
    assert [fate_of(one) for one in ("Bounce@x.example", "full+7@x.example", "zoe@x.example")] == [
        Comeback.BOUNCE,
        Comeback.FULL,
        None,
    ]


@pytest.mark.parametrize("fate", sorted(set(Comeback) - {Comeback.AWAY}))
def test_it_is_a_mail_to_another_parser(fate: Comeback):
    found = fast_mail_parser.parse_email(answer(fate, "zoe@example.net", MAIL))
    assert not found.warnings
    assert found.text_plain


def test_a_listener_that_is_away_takes_nothing():
    assert not bring("lmtp://127.0.0.1:1", "bounce@example.com", b"x")
