"""A database in use before reports of mails were kept gets their tables, and keeps what it holds."""

import flask_migrate
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core.broadcasts import reported
from webapp.core.events import record
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.relay_event import EventKind, Fact, RelayEvent


def test_mails_sent_before_can_be_reported_of(app: Flask, session: Session):
    broadcast = factories.broadcast(session, state=BroadcastState.FINISHED)
    delivery = factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW)
    session.commit()
    delivery_id, broadcast_id = delivery.id, broadcast.id
    session.rollback()
    with app.app_context():
        flask_migrate.downgrade(revision="0017")
        flask_migrate.upgrade(revision="0018")
        flask_migrate.upgrade()
    assert session.scalar(text("SELECT count(*) FROM delivery")) == 1
    record(session, RelayEvent(EventKind.BOUNCED, "mail", "1", delivery_id=delivery_id, status="5.1.1"), NOW)
    assert reported.counts_of(session, broadcast_id) == {Fact.BOUNCED: 1}
