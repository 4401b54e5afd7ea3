"""Recovery: what a dead sender leaves behind, told by its journal; and who may be taken for dead."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine
from tests.engine import TAKEN, Clocks
from webapp.core import broadcasts, ledger
from webapp.core.cadence import HOST_GRACE, LEASE_S, SUSPICION_S
from webapp.core.ledger import LeaseLost
from webapp.core.ports import JournalFinding
from webapp.core.rules.limits import NO_LIMITS
from webapp.core.rules.outcome import Reply, Stage
from webapp.core.tables.deliveries import Attempt, PaceUse, Sender

HELD = JournalFinding(is_here=True, is_held=True, boot="this-boot")
LET_GO = replace(HELD, is_held=False)
ELSEWHERE = JournalFinding(is_here=False)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def abandoned(session: Session, clocks: Clocks, mails: int = 4, **columns):
    """A broadcast of which a sender claimed all mails and then was no more: broadcast, the sender's row, the mails."""
    broadcast = engine.sending_broadcast(session, mails=mails, **columns)
    lease = engine.lease_for(session, broadcast, clocks)
    claimed = ledger.claim(session, lease, 100, lambda holders: [["x"]] * len(holders), clocks.reading()).mails
    session.commit()
    return broadcast, session.get_one(Sender, lease.sender_id), claimed, lease


def may_recover(session: Session, sender: Sender, finding: JournalFinding, clocks: Clocks) -> bool:
    session.refresh(sender)
    verdict = ledger.may_recover(session, sender, finding, clocks.reading())
    session.commit()
    return verdict


def test_a_journal_whose_process_is_gone_is_recovered_at_once(session: Session, clocks: Clocks):
    _, sender, _, _ = abandoned(session, clocks)
    assert may_recover(session, sender, LET_GO, clocks)
    assert not may_recover(session, sender, HELD, clocks)


@pytest.mark.parametrize("boot", ["another-boot", None])
def test_a_lock_that_another_kernel_may_hold_unseen_proves_no_end(session: Session, clocks: Clocks, boot):
    """A folder that two hosts share over a network, or a copy of a journal whose original goes on."""
    _, sender, _, _ = abandoned(session, clocks)
    finding = replace(LET_GO, boot=boot)
    assert not may_recover(session, sender, finding, clocks)
    clocks.pass_(LEASE_S + 1)
    assert not may_recover(session, sender, finding, clocks)
    clocks.pass_(SUSPICION_S)
    assert may_recover(session, sender, finding, clocks)


def test_a_lease_must_run_out_and_stay_so_before_it_is_taken_over(session: Session, clocks: Clocks):
    _, sender, _, _ = abandoned(session, clocks)
    clocks.pass_(LEASE_S - 1)
    assert not may_recover(session, sender, HELD, clocks)
    clocks.pass_(2)
    assert not may_recover(session, sender, HELD, clocks)
    clocks.pass_(SUSPICION_S - 1)
    assert not may_recover(session, sender, HELD, clocks)
    clocks.pass_(1)
    assert may_recover(session, sender, HELD, clocks)


def test_a_wall_clock_that_leaps_takes_no_lease_from_a_living_sender(session: Session, clocks: Clocks):
    _, sender, _, lease = abandoned(session, clocks)
    for _ in range(5):
        clocks.step(3600)
        assert not may_recover(session, sender, HELD, clocks)
        clocks.pass_(2)
        ledger.renew(session, lease, clocks.wall)
        session.commit()
        assert not may_recover(session, sender, HELD, clocks)


def test_a_machine_that_is_away_has_time_to_come_back(session: Session, clocks: Clocks):
    _, sender, _, _ = abandoned(session, clocks)
    clocks.pass_(LEASE_S + 1)
    assert not may_recover(session, sender, ELSEWHERE, clocks)
    clocks.pass_(HOST_GRACE.total_seconds() - 1)
    assert not may_recover(session, sender, ELSEWHERE, clocks)
    clocks.pass_(1)
    assert may_recover(session, sender, ELSEWHERE, clocks)


def test_the_journal_decides_about_each_row(session: Session, clocks: Clocks):
    broadcast, sender, mails, _ = abandoned(session, clocks)
    keys = [(mail.delivery_id, mail.attempt) for mail in mails]
    finding = replace(
        LET_GO,
        begun=frozenset(keys[:3]),
        replies={keys[0]: TAKEN, keys[1]: Reply(Stage.DOT, 451, "4.2.2 mailbox full")},
    )
    assert ledger.recover(session, sender, finding, clocks.reading())
    session.commit()
    rows = engine.rows(session, broadcast)
    assert [row.state.value for row in rows] == ["accepted", "deferred", "uncertain", "pending"]
    assert [row.attempts for row in rows] == [1, 1, 1, 0]
    assert "ended before the answer was recorded" in (rows[2].reply_text or "")
    assert engine.tallied(session, broadcast) == engine.states(session, broadcast)
    session.refresh(sender)
    assert sender.ended_at == clocks.wall and sender.epoch == 2


def test_an_answer_to_an_earlier_attempt_says_nothing_about_this_one(session: Session, clocks: Clocks):
    broadcast, sender, [mail], _ = abandoned(session, clocks, mails=1)
    earlier = (mail.delivery_id, mail.attempt - 1)
    finding = replace(LET_GO, begun=frozenset([earlier]), replies={earlier: Reply(Stage.DOT, 451, "4.2.2 full")})
    ledger.recover(session, sender, finding, clocks.reading())
    session.commit()
    assert engine.states(session, broadcast) == {"pending": 1}


@pytest.mark.parametrize(
    ("finding", "why"),
    [
        (ELSEWHERE, "did not come back"),
        (replace(LET_GO, boot="an-earlier-boot"), "restarted"),
        (replace(LET_GO, boot=None), "is a copy"),
    ],
)
def test_without_a_journal_to_be_trusted_every_row_is_uncertain(session: Session, clocks: Clocks, finding, why):
    broadcast, sender, mails, _ = abandoned(session, clocks)
    if finding.is_here:
        sender.boot = finding.boot or "this-boot"
        finding = replace(finding, replies={(mails[0].delivery_id, 1): TAKEN})
    ledger.recover(session, sender, finding, clocks.reading())
    session.commit()
    rows = engine.rows(session, broadcast)
    assert {row.state.value for row in rows[1:]} == {"uncertain"} and why in (rows[1].reply_text or "")
    assert rows[0].state.value == ("accepted" if finding.is_here else "uncertain")


def test_the_stale_sender_can_change_nothing_afterwards(session: Session, clocks: Clocks):
    broadcast, sender, mails, lease = abandoned(session, clocks)
    ledger.recover(session, sender, LET_GO, clocks.reading())
    session.commit()
    for call in (
        lambda: ledger.renew(session, lease, clocks.wall),
        lambda: ledger.end_lease(session, lease, clocks.wall),
    ):
        with pytest.raises(LeaseLost):
            call()
        session.rollback()
    ledger.release(session, lease, engine.ids(mails), clocks.wall)
    session.commit()
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"pending": 4}


def test_of_two_sweeps_one_recovers(session: Session, clocks: Clocks):
    _, sender, _, _ = abandoned(session, clocks)
    stale = Sender(
        id=sender.id,
        broadcast_id=sender.broadcast_id,
        epoch=sender.epoch,
        boot=sender.boot,
        expires_at=sender.expires_at,
    )
    assert ledger.recover(session, sender, LET_GO, clocks.reading())
    assert not ledger.recover(session, stale, LET_GO, clocks.reading())


def test_a_sender_that_goes_on_while_its_journal_is_read_is_not_taken_over(session: Session, clocks: Clocks):
    broadcast, sender, _, lease = abandoned(session, clocks)
    as_read = Sender(id=sender.id, broadcast_id=broadcast.id, epoch=1, boot=sender.boot, expires_at=sender.expires_at)
    clocks.pass_(LEASE_S + SUSPICION_S)
    ledger.renew(session, lease, clocks.wall)
    session.commit()
    assert not ledger.recover(session, as_read, LET_GO, clocks.reading())
    assert engine.states(session, broadcast) == {"claimed": 4}


def test_recovered_mails_that_left_hold_their_place_of_the_pace(session: Session, clocks: Clocks):
    broadcast, sender, mails, _ = abandoned(session, clocks, mails=9, batch_size=4, interval_s=60)
    begun = frozenset((mail.delivery_id, mail.attempt) for mail in mails[:3])
    ledger.recover(session, sender, replace(LET_GO, begun=begun), clocks.reading())
    session.commit()
    assert sum(session.scalars(select(PaceUse.count))) == 3
    lease = engine.lease_for(session, broadcast, clocks)
    assert len(ledger.claim(session, lease, 10, lambda h: [["x"]] * len(h), clocks.reading()).mails) == 1


def test_more_rows_than_fit_in_one_statement_are_recovered(session: Session, clocks: Clocks):
    broadcast, sender, _, _ = abandoned(session, clocks, mails=5)
    ledger.recover(session, sender, LET_GO, clocks.reading(), group=2)
    session.commit()
    assert engine.states(session, broadcast) == {"pending": 5}


def test_uncertain_rows_are_decided_in_bulk_or_one_by_one(session: Session, clocks: Clocks):
    broadcast, sender, mails, _ = abandoned(session, clocks, mails=6)
    ledger.recover(session, sender, ELSEWHERE, clocks.reading())
    session.commit()
    assert broadcasts.finish_if_done(session, broadcast.id, clocks.wall) == "needs_attention"
    keys = engine.ids(mails)
    assert ledger.resolve_uncertain(session, broadcast.id, keys[:1], "accepted", clocks.wall) == 1
    assert ledger.resolve_uncertain(session, broadcast.id, keys[:2], "failed", clocks.wall) == 1
    assert ledger.resolve_uncertain(session, broadcast.id, keys[2:3], "retry", clocks.wall) == 1
    assert broadcasts.finish_if_done(session, broadcast.id, clocks.wall) == "sending"
    assert ledger.resolve_uncertain(session, broadcast.id, None, "accepted", clocks.wall) == 3
    assert ledger.resolve_uncertain(session, broadcast.id, None, "accepted", clocks.wall) == 0
    session.commit()
    rows = engine.rows(session, broadcast)
    assert [(row.state.value, row.reason) for row in rows] == [
        ("accepted", "counted_accepted"),
        ("failed", "counted_failed"),
        ("pending", "sent_again"),
        *[("accepted", "counted_accepted")] * 3,
    ]
    assert engine.tallied(session, broadcast) == engine.states(session, broadcast)


def test_a_mail_sent_again_says_what_it_said(session: Session, clocks: Clocks):
    broadcast, sender, [mail], _ = abandoned(session, clocks, mails=1)
    ledger.recover(session, sender, ELSEWHERE, clocks.reading())
    clocks.pass_(3600)
    ledger.resolve_uncertain(session, broadcast.id, None, "retry", clocks.wall)
    session.commit()
    lease = engine.lease_for(session, broadcast, clocks)
    [again] = ledger.claim(session, lease, 10, lambda h: 1 / 0, clocks.reading()).mails
    assert (again.values, again.stamped_at, again.attempt) == (mail.values, mail.stamped_at, 2)
    assert [row.state.value for row in session.scalars(select(Attempt))] == ["uncertain"]
    assert json.loads(engine.rows(session, broadcast)[0].merge_values or "") == mail.values


def test_what_waits_is_cancelled_in_chunks_and_nothing_else(session: Session, clocks: Clocks):
    broadcast, _, mails, lease = abandoned(session, clocks, mails=7)
    ledger.release(session, lease, engine.ids(mails[2:]), clocks.wall)
    broadcasts.cancel(session, broadcast.id, clocks.wall)
    session.commit()
    moved = []
    while cancelled := ledger.cancel_waiting(session, broadcast.id, clocks.wall, limit=2):
        session.commit()
        moved.append(cancelled)
    assert moved == [2, 2, 1]
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"claimed": 2, "cancelled": 5}


def test_a_resume_makes_held_mails_due_at_once(session: Session, clocks: Clocks):
    broadcast, _, [mail], lease = abandoned(session, clocks, mails=1)
    reply = Reply(Stage.DOT, 554, "5.7.1 no")
    settled = ledger.Settled(mail.delivery_id, 1, mail.stamped_at, ledger.recovery.judge(reply), reply, clocks.ticks)
    ledger.record(session, lease, [settled], ledger.RecordingSettings.of(broadcast, NO_LIMITS), clocks.reading())
    broadcasts.stop(session, broadcast.id, "ill", clocks.wall, probing=True)
    assert ledger.promote(session, broadcast.id, clocks.wall) == 0
    broadcasts.resume(session, broadcast.id, clocks.wall)
    assert ledger.promote(session, broadcast.id, clocks.wall) == 1


def test_prospects_say_when_to_look_again(session: Session, clocks: Clocks):
    broadcast, _, mails, lease = abandoned(session, clocks, mails=3, batch_size=2, interval_s=30)
    assert len(mails) == 2
    assert ledger.next_look(session, broadcast, clocks.reading()) == 5.0
    settled = [
        ledger.Settled(mail.delivery_id, 1, mail.stamped_at, ledger.recovery.judge(TAKEN), TAKEN, clocks.ticks)
        for mail in mails
    ]
    ledger.record(session, lease, settled, ledger.RecordingSettings.of(broadcast, NO_LIMITS), clocks.reading())
    assert round(ledger.next_look(session, broadcast, clocks.reading()) or 0, 1) == 30.0
    clocks.pass_(31)
    assert ledger.next_look(session, broadcast, clocks.reading()) == 0.0
    [last] = engine.in_state(session, broadcast, engine.DeliveryState.PENDING)
    last.due_at = clocks.wall + timedelta(hours=2)
    session.flush()
    assert ledger.next_look(session, broadcast, clocks.reading()) == 7200.0
