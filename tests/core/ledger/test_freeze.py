"""Freeze: the audience becomes deliveries, in chunks, each client once and each address once."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import BEFORE
from webapp.core import audience, broadcasts, ledger
from webapp.core.consent import suppressions
from webapp.core.rules.consent import SuppressionKind
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast, PickKind
from webapp.core.tables.clients import Client


def started(session: Session, **columns) -> Broadcast:
    broadcast = factories.broadcast(session, **columns)
    broadcasts.schedule(session, broadcast.id, None, BEFORE)
    broadcasts.start(session, broadcast.id, BEFORE)
    session.commit()
    return broadcast


def freeze(session: Session, broadcast: Broadcast, chunk: int) -> int:
    """Freeze in chunks, each in a transaction of its own; the number of chunks."""
    chunks = 1
    while not ledger.freeze_chunk(session, broadcast.id, BEFORE, chunk=chunk):
        session.commit()
        chunks += 1
    session.commit()
    return chunks


def summary(session: Session, broadcast: Broadcast) -> dict[int, tuple[str, str | None]]:
    return {row.client_id: (row.state.value, row.reason) for row in engine.rows(session, broadcast)}


def test_everyone_in_the_audience_becomes_a_row_in_chunks(session: Session):
    clients = [factories.client(session) for _ in range(10)]
    broadcast = started(session)
    assert freeze(session, broadcast, chunk=3) == 4
    rows = engine.rows(session, broadcast)
    assert [row.client_id for row in rows] == [client.id for client in clients]
    assert [row.address_key for row in rows] == [client.address_key for client in clients]
    assert all(row.due_at <= BEFORE and row.attempts == 0 and row.merge_values is None for row in rows)
    assert broadcast.frozen_count == 10 and broadcast.frozen_at == BEFORE
    assert engine.tallied(session, broadcast) == {"pending": 10}


def test_who_gets_no_mail_is_a_row_too_with_the_reason(session: Session):
    fine, none = factories.client(session), factories.client(session, None)
    twin = factories.client(session, fine.address)
    broken = factories.client(session, "not an address", address=None, address_key=None)
    stopped, left_out = factories.client(session), factories.client(session)
    suppressions.suppress(session, stopped.address_key or "", SuppressionKind.BY_HAND, BEFORE)
    broadcast = factories.broadcast(session)
    audience.pick(session, broadcast.id, left_out.id, PickKind.LEFT_OUT)
    broadcasts.schedule(session, broadcast.id, None, BEFORE)
    broadcasts.start(session, broadcast.id, BEFORE)
    freeze(session, broadcast, chunk=2)
    assert summary(session, broadcast) == {
        fine.id: ("pending", None),
        none.id: ("skipped", "no_address"),
        twin.id: ("skipped", "same_address"),
        broken.id: ("skipped", "invalid_address"),
        stopped.id: ("skipped", "suppressed"),
        left_out.id: ("skipped", "left_out"),
    }
    assert engine.tallied(session, broadcast) == {"pending": 1, "skipped": 5} and broadcast.frozen_count == 6


def test_an_address_that_moves_to_another_client_between_two_chunks_gets_one_mail(session: Session):
    first, second = factories.client(session), factories.client(session)
    broadcast = started(session)
    assert not ledger.freeze_chunk(session, broadcast.id, BEFORE, chunk=1)
    second.address, second.address_key = first.address, first.address_key
    first.address = first.address_key = "moved@example.com"
    session.commit()
    freeze(session, broadcast, chunk=1)
    assert summary(session, broadcast) == {first.id: ("pending", None), second.id: ("skipped", "same_address")}


def test_clients_that_come_during_the_freeze_are_taken_if_they_come_behind_the_cursor(session: Session):
    factories.client(session), factories.client(session)
    broadcast = started(session)
    assert not ledger.freeze_chunk(session, broadcast.id, BEFORE, chunk=1)
    factories.client(session)
    session.commit()
    freeze(session, broadcast, chunk=1)
    assert broadcast.frozen_count == 3


def test_the_holding_whose_data_the_tags_take_is_fixed(session: Session):
    holder = factories.client(session)
    late = factories.service(session, holder, factories.product(session), next_due_on=date(2026, 9, 1))
    soon = factories.service(session, holder, factories.product(session), next_due_on=date(2026, 2, 1))
    broadcast = started(session, message_type=MessageType.SERVICES)
    freeze(session, broadcast, chunk=10)
    [row] = engine.rows(session, broadcast)
    assert row.service_id == soon.id != late.id


def test_an_empty_audience_is_frozen_with_no_rows(session: Session):
    broadcast = started(session)
    assert freeze(session, broadcast, chunk=5) == 1
    assert broadcast.frozen_count == 0 and broadcast.frozen_at is not None


def test_a_pause_stops_the_freeze_and_a_resume_completes_it(session: Session):
    for _ in range(4):
        factories.client(session)
    broadcast = started(session)
    ledger.freeze_chunk(session, broadcast.id, BEFORE, chunk=2)
    broadcasts.pause(session, broadcast.id, None, BEFORE)
    assert not ledger.freeze_chunk(session, broadcast.id, BEFORE, chunk=2)
    session.commit()
    assert len(engine.rows(session, broadcast)) == 2 and broadcast.frozen_at is None
    broadcasts.resume(session, broadcast.id, BEFORE)
    freeze(session, broadcast, chunk=2)
    assert len(engine.rows(session, broadcast)) == 4 == broadcast.frozen_count


@pytest.mark.parametrize("table", [Client, Broadcast])
def test_whoever_has_deliveries_cannot_be_deleted(session: Session, table: type):
    broadcast = engine.sending_broadcast(session, mails=1)
    [row] = engine.rows(session, broadcast)
    owner = row.client_id if table is Client else broadcast.id
    with pytest.raises(IntegrityError, match="with deliveries is kept"):
        session.execute(delete(table).where(table.id == owner))
    session.rollback()
    stranger = factories.client(session) if table is Client else factories.broadcast(session)
    session.execute(delete(table).where(table.id == stranger.id))


def test_freezing_what_is_frozen_changes_nothing(session: Session):
    broadcast = engine.sending_broadcast(session, mails=2)
    factories.client(session)
    assert ledger.freeze_chunk(session, broadcast.id, BEFORE)
    assert len(engine.rows(session, broadcast)) == 2


def test_a_clock_that_is_set_back_after_the_freeze_holds_nobody_up(session: Session):
    broadcast = engine.sending_broadcast(session, mails=2)
    due = ledger.next_due(session, broadcast.id)
    assert due is not None and due <= engine.BEFORE - timedelta(hours=2)
