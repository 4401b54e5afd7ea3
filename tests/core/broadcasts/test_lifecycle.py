"""Transitions: the table in `rules/lifecycle.py` is the only one, and the database refuses all others. All n² of them are tried."""

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.rules.lifecycle import (
    BORN,
    BROADCAST_TRANSITIONS,
    DELIVERY_TRANSITIONS,
    OPEN,
    WAITING,
    BroadcastState,
    DeliveryState,
)
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery


def way_to(target, table, starts):
    """A shortest legal way from a state in which a row may be born to `target`."""
    ways = [[start] for start in sorted(starts)]
    for way in ways:
        if way[-1] is target:
            return way
        ways += [[*way, state] for state in sorted(table[way[-1]]) if state not in way]
    raise AssertionError(f"no way to {target}")


def refuses(session: Session, statement) -> bool:
    """Whether the database refuses the statement; the session is as before then."""
    savepoint = session.begin_nested()
    try:
        session.execute(statement)
    except DBAPIError as error:
        savepoint.rollback()
        assert "illegal" in str(error.orig)
        return True
    savepoint.rollback()
    return False


def test_the_database_allows_a_broadcast_exactly_the_listed_moves(session: Session):
    for old in BroadcastState:
        broadcast = factories.broadcast(session, state=old)
        for new in BroadcastState:
            move = update(Broadcast).where(Broadcast.id == broadcast.id).values(state=new)
            legal = new is old or new in BROADCAST_TRANSITIONS[old]
            assert refuses(session, move) is not legal, f"{old} -> {new}"


def test_the_database_allows_a_delivery_exactly_the_listed_moves(session: Session):
    broadcast = factories.broadcast(session)
    for old in DeliveryState:
        first, *steps = way_to(old, DELIVERY_TRANSITIONS, BORN)
        row = Delivery(
            broadcast_id=broadcast.id,
            client_id=factories.client(session).id,
            address="a@example.com",
            state=first,
            changed_at=factories.NOW,
        )
        session.add(row)
        session.flush()
        for step in steps:
            row.state, row.sender_id = step, 1 if step is DeliveryState.CLAIMED else None
            session.flush()
        for new in DeliveryState:
            sender = 1 if new is DeliveryState.CLAIMED else None
            move = update(Delivery).where(Delivery.id == row.id).values(state=new, sender_id=sender)
            legal = new is old or new in DELIVERY_TRANSITIONS[old]
            assert refuses(session, move) is not legal, f"{old} -> {new}"


def test_rows_can_only_be_born_where_a_life_begins(session: Session):
    broadcast = factories.broadcast(session)
    for state in DeliveryState:
        row = insert(Delivery).values(
            broadcast_id=broadcast.id,
            client_id=factories.client(session).id,
            address="a@example.com",
            state=state,
            sender_id=1 if state is DeliveryState.CLAIMED else None,
            attempts=0,
            changed_at=factories.NOW,
        )
        assert refuses(session, row) is (state not in BORN), state
    for state in BroadcastState:
        row = text(
            "INSERT INTO broadcast (name, message_type, state, version, audience_filter, from_address, reply_to, time_zone, batch_size, "
            "interval_s, uncertain_policy, secret, freeze_cursor, probing, created_at, updated_at) VALUES ('', 'general', :state, 1, "
            "'{}', '', '', 'UTC', 1, 1, 'hold', '', 0, false, '2026-01-01', '2026-01-01')"
        ).bindparams(state=state.value)
        assert refuses(session, row) is (state is not BroadcastState.DRAFT), state


@pytest.mark.parametrize("table", [BROADCAST_TRANSITIONS, DELIVERY_TRANSITIONS])
def test_the_tables_know_every_state(table):
    assert set(table) == set(type(next(iter(table))))


def test_what_is_open_can_still_move_and_what_waits_can_be_cancelled():
    assert all(DELIVERY_TRANSITIONS[state] for state in OPEN)
    assert all(DeliveryState.CANCELLED in DELIVERY_TRANSITIONS[state] for state in WAITING)
    assert {DeliveryState.CLAIMED} == OPEN - WAITING
