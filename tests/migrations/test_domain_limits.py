"""A database in use gets limits by domain, and loses them again: nobody waits any more in a line that nobody knows."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from tests import engine, factories
from webapp.core.ledger import order
from webapp.core.ledger.waiting import postpone
from webapp.core.rules.receivers import ReceiverLimit
from webapp.core.settings import limits, receivers

TABLES = {"domain_limit", "receiver_share"}


def test_rows_that_wait_for_a_limit_are_due_where_there_are_none(app: Flask, session: Session):
    factories.client(session, "ada@gmail.com")
    broadcast = engine.sending_broadcast(session, mails=1)
    [elsewhere, waiting] = sorted(engine.rows(session, broadcast), key=lambda row: "gmail" in str(row.address))
    limit = receivers.add(session, ReceiverLimit(("gmail.com",), 1))
    postpone(session, [waiting.id], order.line(limit.id))
    session.execute(
        text("INSERT INTO pace_use (broadcast_id, taken_at, boot, ticks, count) VALUES (-1, '2026-01-01', 'b', 1, 1)")
    )
    session.commit()
    before = elsewhere.due_at
    session.rollback()
    with app.app_context():
        flask_migrate.downgrade(revision="0031")
        assert not TABLES & set(inspect(engine.engine_of(app)).get_table_names())
        assert session.execute(text("SELECT count(*) FROM pace_use")).scalar() == 0
        session.rollback()
        flask_migrate.upgrade()
    session.expire_all()
    due = {row.id: row.due_at for row in engine.rows(session, broadcast)}
    assert due[elsewhere.id] == before and due[waiting.id] == waiting.changed_at
    assert limits.receivers(session) == ()
