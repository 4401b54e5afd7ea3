"""A relay that calls, for tests: its sources, its calls, and Amazon as far as it is asked."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import factories
from webapp.adapters.amazon import Amazon, Unreachable
from webapp.adapters.clock import now
from webapp.core.consent import event_sources
from webapp.core.consent.event_sources import Given
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.message import message_id
from webapp.core.rules.relay_events.providers import Provider
from webapp.core.rules.relay_events.samples import Sample
from webapp.core.tables.event_sources import Became, EventSource, ReceivedEvent
from webapp.pages.relay_events import views

P = Provider


class NoAmazon(Amazon):
    """Amazon, as the tests have it: the certificate of the sample, and a list of what was confirmed."""

    def __init__(self) -> None:
        super().__init__()
        self.pem: bytes | None = None
        self.confirmed: list[object] = []

    def certificate(self, url: str) -> bytes:
        if self.pem is None:
            raise Unreachable("sns.eu-central-1.amazonaws.com: no route")
        return self.pem

    def _get(self, url: str) -> bytes:
        self.confirmed.append(url)
        return b""


def no_amazon(monkeypatch: pytest.MonkeyPatch) -> NoAmazon:
    """The network's edge; the rest of the way is the program's."""
    found = NoAmazon()
    monkeypatch.setattr(views, "amazon", found)
    return found


def source(session: Session, provider: Provider, call: Sample) -> Given:
    """A source whose key is the one by which the sample was made."""
    key = call.key if provider in (P.SES, P.MAILGUN, P.SENDGRID) else ""
    given = event_sources.add(session, provider, key, now())
    if not key:
        session.get_one(EventSource, given.source_id).key = call.key
    session.commit()
    return given


def post(client: FlaskClient, provider: Provider, given: Given, call: Sample, **options: Any) -> TestResponse:
    path = f"/events/{provider.value}/{given.secret}"
    return client.post(
        path, data=call.raw, headers=dict(call.headers), **{"content_type": "application/json"} | options
    )


def mark(session: Session) -> str:
    """A mail that was taken by the relay, as its Message-ID names it."""
    broadcast = factories.broadcast(session, state=BroadcastState.SENDING)
    delivery = factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED)
    session.commit()
    return message_id(delivery.id, broadcast.secret, "").rstrip("@")


def kept(session: Session) -> list[Became]:
    session.rollback()
    return list(session.scalars(select(ReceivedEvent.became).order_by(ReceivedEvent.id)))
