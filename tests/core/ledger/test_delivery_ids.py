"""A delivery's id is made of its broadcast and its client, also in databases that were made when it was a plain number."""

import sys

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests import factories
from webapp.core import clients
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.deliveries import CLIENTS, Attempt, Delivery, delivery_id


def test_a_client_gets_a_broadcast_once(session: Session):
    row = factories.delivery(session, factories.broadcast(session))
    columns = {"broadcast_id": row.broadcast_id, "client_id": row.client_id, "state": DeliveryState.SKIPPED}
    again = insert(Delivery).values(**columns, attempts=0, changed_at=factories.NOW)
    for id_ in (row.id, row.id + 1):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(again.values(id=id_))


def test_a_clients_mails_are_found_latest_first_among_any_number_of_broadcasts(session: Session, monkeypatch):
    monkeypatch.setattr(sys.modules[clients.mails.__module__], "BROADCASTS", 2)
    client = factories.client(session)
    sent = [factories.broadcast(session) for _ in range(5)]
    for broadcast in sent[1:]:
        factories.delivery(session, broadcast)
        factories.delivery(session, broadcast, client)
    found = [broadcast.id for _row, broadcast in clients.mails(session, client.id)]
    assert found == [broadcast.id for broadcast in reversed(sent[1:])]
    assert len(clients.mails(session, client.id, limit=3)) == 3


def older(app: Flask, session: Session) -> tuple[int, int, int]:
    """A delivery with an attempt as they were before: the number of the row, its broadcast and its client."""
    row = factories.delivery(session, factories.broadcast(session), state=DeliveryState.FAILED)
    numbers = 7, row.broadcast_id, row.client_id
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision="0002")
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("PRAGMA ignore_check_constraints = ON")
    else:
        session.execute(text("ALTER TABLE delivery DROP CONSTRAINT ck_delivery_id"))
    session.execute(text("UPDATE delivery SET id = 7"))
    attempt = {"id": 1, "number": 1, "state": "failed", "at": "2026-01-01 00:00:00.000000+00"}
    session.execute(
        text("INSERT INTO attempt (id, delivery_id, number, state, ended_at) VALUES (:id, 7, :number, :state, :at)"),
        attempt,
    )
    session.commit()
    return numbers


def test_an_older_database_numbers_its_deliveries_anew(app: Flask, session: Session):
    _number, broadcast_id, client_id = older(app, session)
    with app.app_context():
        flask_migrate.upgrade()
    session.expire_all()
    [row] = session.query(Delivery).all()
    assert row.id == delivery_id(broadcast_id, client_id) > CLIENTS
    assert [number for (number,) in session.query(Attempt.delivery_id)] == [row.id]


def test_an_older_database_with_mails_under_way_is_left_alone(app: Flask, session: Session):
    number, *_rest = older(app, session)
    session.execute(text("UPDATE delivery SET state = 'pending'"))
    session.execute(text("UPDATE delivery SET state = 'claimed', sender_id = 1"))
    session.commit()
    with app.app_context(), pytest.raises(SystemExit):
        flask_migrate.upgrade()
    assert session.query(Delivery.id).scalar() == number
