"""A broadcast whose mails bounce, and what takes those bounces."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tests import factories
from tests.core.rules.bounces import building
from tests.factories import NOW
from webapp.adapters.bounces.taking import BounceTaker
from webapp.core.rules.bounces import ReturnPath
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.relay_event import EventKind
from webapp.core.tables.events import DeliveryEvent
from webapp.extensions import db

BOUNCE = building.own_form("550 5.1.1 no such user", subject="Undeliverable")


def bounce(number: int) -> bytes:
    """A bounce unlike those of other numbers."""
    return BOUNCE.replace(b"<20261123090300.77@", b"<%d@" % number)


@dataclass
class Returns:
    """A delivery with the token "k7qtoken", the taker of its bounces, and what was recorded."""

    engine: Engine
    taker: BounceTaker
    delivery_id: int

    def recorded(self) -> list[tuple[EventKind, int | None]]:
        with Session(self.engine) as session:
            rows = session.execute(select(DeliveryEvent.kind, DeliveryEvent.delivery_id).order_by(DeliveryEvent.id))
            return [(kind, delivery) for kind, delivery in rows]

    @property
    def one(self) -> tuple[EventKind, int]:
        return EventKind.BOUNCED, self.delivery_id


def returns_of(app: Flask) -> Returns:
    with app.app_context():
        engine = db.engine
    with Session(engine) as session:
        broadcast = factories.broadcast(session, state=BroadcastState.FINISHED)
        delivery = factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW)
        session.commit()
        known = {"k7qtoken": delivery.id}
    path = ReturnPath.of("bounce@example.com")
    taker = BounceTaker(engine, path, lambda _session, token: known.get(token), now=lambda: NOW)
    return Returns(engine, taker, known["k7qtoken"])


@pytest.fixture
def returns(app: Flask) -> Iterator[Returns]:
    """On both kinds of database."""
    yield returns_of(app)


@pytest.fixture
def sqlite_returns(sqlite_app: Flask) -> Iterator[Returns]:
    """Where the kind of database does not matter."""
    yield returns_of(sqlite_app)
