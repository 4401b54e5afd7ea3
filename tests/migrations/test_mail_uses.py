"""A database in use before clicks and opens could be counted gets the tables for it, counts nothing, and keeps what it holds."""

import flask_migrate
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core.broadcasts import mail_uses
from webapp.core.consent import settings
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast


def test_nothing_is_counted_of_what_there_was(app: Flask, session: Session):
    broadcast = factories.broadcast(session, state=BroadcastState.FINISHED, started_at=NOW, frozen_at=NOW)
    factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW)
    session.commit()
    broadcast_id = broadcast.id
    session.close()
    with app.app_context():
        flask_migrate.downgrade(revision="0021")
        flask_migrate.upgrade(revision="0023")
        flask_migrate.upgrade()
    assert session.scalar(text("SELECT count(*) FROM delivery")) == 1
    kept = session.get_one(Broadcast, broadcast_id)
    assert (kept.counts_clicks, kept.counts_opens) == (False, False) and not settings.read(session).may_count
    assert mail_uses.of_broadcast(session, kept) is None
