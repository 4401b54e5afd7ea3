"""Failed mails sent again: each once for each decision, the same bytes, every attempt kept, and their time begins anew."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import engine
from tests.core.ledger.test_outcomes import GREYLISTED, LOST, UNKNOWN, attempts, claimed, settle
from tests.engine import TAKEN, Clocks, PlainMailer
from webapp.core import broadcasts, ledger
from webapp.core.broadcasts import delivered, resending
from webapp.core.consent import suppressions
from webapp.core.errors import Conflict
from webapp.core.rules.consent import SuppressionKind
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.outcome import Reply, Stage
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client
from webapp.core.tables.deliveries import Delivery

DAY = 86_400.0
FULL = Reply(Stage.RCPT, 552, "5.2.2 mailbox full")


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def again(
    session: Session, broadcast: Broadcast, clocks: Clocks, seen: int, reason: str | None = None, resends: int = 0
) -> int:
    moved = 0
    for count in resending.send_again(session, broadcast.id, reason, clocks.wall, seen=seen, resends=resends):
        session.commit()
        moved += count
    return moved


def finished(session: Session, clocks: Clocks, *replies: Reply) -> Broadcast:
    """A broadcast whose mails were answered so, and that is finished."""
    broadcast = engine.sending_broadcast(session, mails=len(replies))
    lease = engine.lease_for(session, broadcast, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), *replies)
    ledger.end_lease(session, lease, clocks.wall)
    broadcasts.finish_if_done(session, broadcast.id, clocks.wall)
    session.commit()
    return broadcast


def agree(session: Session, broadcast: Broadcast) -> dict[str, int]:
    """What the ledger holds; the tally says the same, and it adds up to the number frozen."""
    there = engine.states(session, broadcast)
    assert {state: count for state, count in engine.tallied(session, broadcast).items() if count} == there
    assert sum(there.values()) == broadcast.frozen_count
    return there


def test_all_that_failed_go_out_again_and_the_broadcast_ends_once_more(app: Flask, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=5)
    refused = PlainMailer(answer=lambda mail: TAKEN if mail.delivery_id % 5 == 0 else UNKNOWN)
    engine.send(engine.engine_of(app), broadcast.id, tmp_path, lambda: refused)
    assert engine.state_of(session, broadcast) is BroadcastState.FINISHED
    assert broadcast.finished_at and agree(session, broadcast) == {"accepted": 1, "failed": 4}
    first = {mail.delivery_id: mail for mail in refused.sent}

    assert again(session, broadcast, Clocks(), seen=4) == 4
    assert engine.state_of(session, broadcast) is BroadcastState.SENDING
    assert broadcast.finished_at is None
    assert agree(session, broadcast) == {"accepted": 1, "pending": 4}

    taken = PlainMailer()
    engine.send(engine.engine_of(app), broadcast.id, tmp_path, lambda: taken)
    assert engine.state_of(session, broadcast) is BroadcastState.FINISHED
    assert broadcast.finished_at and agree(session, broadcast) == {"accepted": 5}
    assert len(taken.sent) == 4 and not first.keys() & {mail.delivery_id for mail in taken.sent}
    row = session.get_one(Delivery, taken.sent[0].delivery_id)
    tries = delivered.attempts(session, row)
    assert [(one.number, one.state.value, one.reply) for one in tries] == [
        (1, "failed", "550 5.1.1 no such user"), (2, "accepted", "250 2.0.0 taken"),
    ]  # fmt: skip


def test_what_is_sent_again_is_the_same_mail_to_the_last_octet(app: Flask, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=1)
    refused, taken = PlainMailer(answer=lambda mail: Reply(Stage.DOT, 550, "5.1.1 no such user")), PlainMailer()
    engine.send(engine.engine_of(app), broadcast.id, tmp_path, lambda: refused)
    session.rollback()
    session.execute(update(Client).values(first_name="Somebody else"))
    session.commit()
    again(session, broadcast, Clocks(), seen=1)
    engine.send(engine.engine_of(app), broadcast.id, tmp_path, lambda: taken)
    assert [bytes(mail.data) for mail in taken.sent] == [bytes(mail.data) for mail in refused.sent]
    assert [row.attempts for row in engine.rows(session, broadcast)] == [2]


def test_only_those_with_the_reason_go_again(session: Session, clocks: Clocks):
    broadcast = finished(session, clocks, UNKNOWN, FULL, UNKNOWN, TAKEN)
    assert resending.failures(session, broadcast.id) == {"no_such_mailbox": 2, "mailbox_full": 1}
    assert again(session, broadcast, clocks, seen=1, reason="mailbox_full") == 1
    assert agree(session, broadcast) == {"accepted": 1, "failed": 2, "pending": 1}
    assert resending.failures(session, broadcast.id) == {"no_such_mailbox": 2}


def test_pressing_twice_sends_once_also_when_they_have_failed_again_meanwhile(session: Session, clocks: Clocks):
    broadcast = finished(session, clocks, UNKNOWN, UNKNOWN)
    again(session, broadcast, clocks, seen=2)
    with pytest.raises(Conflict, match="again already"):
        again(session, broadcast, clocks, seen=2)
    session.rollback()
    lease = engine.lease_for(session, broadcast, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), UNKNOWN, UNKNOWN)
    with pytest.raises(Conflict, match="were sent again"):
        again(session, broadcast, clocks, seen=2)
    session.rollback()
    assert agree(session, broadcast) == {"failed": 2}
    assert again(session, broadcast, clocks, seen=2, resends=1) == 2


def test_another_number_than_was_shown_is_a_conflict_and_moves_nobody(session: Session, clocks: Clocks):
    broadcast = finished(session, clocks, UNKNOWN, UNKNOWN)
    with pytest.raises(Conflict, match="decide again"):
        again(session, broadcast, clocks, seen=3)
    session.rollback()
    assert agree(session, broadcast) == {"failed": 2}
    assert engine.state_of(session, broadcast) is BroadcastState.FINISHED


def test_many_go_in_chunks_each_of_which_adds_up_and_no_row_goes_twice(session: Session, clocks: Clocks, monkeypatch):
    monkeypatch.setattr(ledger.make_pending, "__kwdefaults__", {"after": 0, "most": 2, "chunk": 2})
    broadcast = finished(session, clocks, *[UNKNOWN] * 5)
    steps = resending.send_again(session, broadcast.id, None, clocks.wall, seen=5, resends=0)
    moved = []
    for count in steps:
        session.commit()
        moved.append(count)
        agree(session, broadcast)
        if moved == [0, 2]:  # those of the first chunk fail once more before the second is moved
            lease = engine.lease_for(session, broadcast, clocks)
            settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), UNKNOWN, UNKNOWN)
            ledger.end_lease(session, lease, clocks.wall)
            broadcasts.finish_if_done(session, broadcast.id, clocks.wall)
            session.commit()
            assert engine.state_of(session, broadcast) is BroadcastState.FINISHED
    assert moved == [0, 2, 2, 1]
    assert agree(session, broadcast) == {"failed": 2, "pending": 3}
    assert engine.state_of(session, broadcast) is BroadcastState.SENDING


def test_a_paused_broadcast_stays_paused_and_a_cancelled_one_refuses_in_words(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=2)
    lease = engine.lease_for(session, broadcast, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks, 1), UNKNOWN)
    broadcasts.pause(session, broadcast.id, "by hand", clocks.wall)
    session.commit()
    assert again(session, broadcast, clocks, seen=1) == 1
    assert engine.state_of(session, broadcast) is BroadcastState.PAUSED
    broadcasts.resume(session, broadcast.id, clocks.wall)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks, 2), TAKEN, UNKNOWN)
    broadcasts.cancel(session, broadcast.id, clocks.wall)
    session.commit()
    with pytest.raises(Conflict, match="cancelled"):
        again(session, broadcast, clocks, seen=1, resends=1)


def test_those_never_tried_come_first(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=3)
    lease = engine.lease_for(session, broadcast, clocks)
    [first] = claimed(session, lease, clocks, 1)
    settle(session, lease, broadcast, clocks, [first], UNKNOWN)
    again(session, broadcast, clocks, seen=1)
    order = [mail.delivery_id for mail in claimed(session, lease, clocks)]
    assert order[-1] == first.delivery_id and len(order) == 3


def test_who_was_suppressed_meanwhile_gets_nothing(session: Session, clocks: Clocks):
    broadcast = finished(session, clocks, UNKNOWN)
    [row] = engine.rows(session, broadcast)
    assert row.address
    suppressions.suppress(session, row.address, SuppressionKind.BY_HAND, clocks.wall)
    again(session, broadcast, clocks, seen=1)
    lease = engine.lease_for(session, broadcast, clocks)
    assert claimed(session, lease, clocks) == []
    session.commit()
    assert agree(session, broadcast) == {"suppressed": 1}


def test_what_was_given_up_begins_its_time_anew(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=1)
    lease = engine.lease_for(session, broadcast, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), GREYLISTED)
    clocks.pass_(4 * DAY)
    ledger.promote(session, broadcast.id, clocks.wall)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), GREYLISTED)
    assert [row.reason for row in engine.rows(session, broadcast)] == ["gave_up"]

    clocks.pass_(7 * DAY)
    again(session, broadcast, clocks, seen=1)
    clocks.pass_(7 * DAY)  # paused, for example: its time begins with the attempt, not with the order
    for wait in (60, 300):
        ledger.promote(session, broadcast.id, clocks.wall)
        settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), GREYLISTED)
        [row] = engine.rows(session, broadcast)
        assert row.state.value == "deferred"
        assert row.due_at == clocks.wall + timedelta(seconds=wait), "the pauses begin anew, too"
        clocks.pass_(wait)
    clocks.pass_(4 * DAY)
    ledger.promote(session, broadcast.id, clocks.wall)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), GREYLISTED)
    assert [row.reason for row in engine.rows(session, broadcast)] == ["gave_up"]
    assert [number for number, _state, _code in attempts(session)] == [1, 2, 3, 4, 5]


def test_a_broken_connection_is_not_counted_with_the_attempts_before(session: Session, clocks: Clocks):
    broadcast = finished(session, clocks, UNKNOWN)
    clocks.pass_(9 * DAY)
    again(session, broadcast, clocks, seen=1)
    lease = engine.lease_for(session, broadcast, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), LOST)
    [row] = engine.rows(session, broadcast)
    assert (row.state.value, row.due_at) == ("pending", clocks.wall)


def test_a_look_left_over_does_not_reopen_what_is_finished(session: Session, clocks: Clocks):
    broadcast = finished(session, clocks, UNKNOWN)
    assert not broadcasts.start(session, broadcast.id, clocks.wall)
    with pytest.raises(Conflict):
        broadcasts.resume(session, broadcast.id, clocks.wall)
    assert session.scalar(select(Broadcast.state)) is BroadcastState.FINISHED
