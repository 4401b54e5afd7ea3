"""Outcomes: what is written when a mail is settled, and what the pace remembers of it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import engine
from tests.engine import TAKEN, Clocks
from webapp.core import broadcasts, ledger
from webapp.core.cadence import TALLY_KEPT
from webapp.core.ledger import Lease, RecordingSettings, RowsLost, Settled
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.limits import NO_LIMITS
from webapp.core.rules.outcome import Cause, Reply, Stage, judge
from webapp.core.tables.broadcasts import Broadcast, UncertainPolicy
from webapp.core.tables.deliveries import Attempt, MinuteCount, PaceUse, Tally

GREYLISTED = Reply(Stage.RCPT, 451, "4.2.0 greylisted")
UNKNOWN = Reply(Stage.RCPT, 550, "5.1.1 no such user")
MOVED = Reply(Stage.RCPT, 551, "5.1.6 moved away")  # no hard bounce: the address is mailed again
POLICY = Reply(Stage.DOT, 554, "5.7.1 go away")
SILENCE = Reply(Stage.DOT, None, "", "no answer for 600 s", Cause.SILENT)
LOST = Reply(Stage.DATA, None, "", "connection lost", Cause.LOST)
WITHDRAWN = Reply(Stage.DATA, None, "", "called back", Cause.WITHDRAWN)

JUST_OVER_S = 0.0021
"""A little more than the guard that the pace adds to its interval."""


def values(holders):
    return [["x"]] * len(holders)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def claimed(session: Session, lease: Lease, clocks: Clocks, limit: int = 100) -> list:
    ledger.renew(session, lease, clocks.wall)
    return ledger.claim(session, lease, limit, values, clocks.reading()).mails


def settle(session: Session, lease: Lease, broadcast: Broadcast, clocks: Clocks, mails, *replies, ago=0.0) -> None:
    """Record these replies for these mails, in their order, as settled `ago` seconds before now."""
    ticks = clocks.ticks - ago
    settled = [
        Settled(mail.delivery_id, mail.attempt, mail.stamped_at, judge(reply), reply, ticks)
        for mail, reply in zip(mails, replies, strict=True)
    ]
    ledger.renew(session, lease, clocks.wall)
    ledger.record(
        session, lease, settled, RecordingSettings.of(broadcast, NO_LIMITS), clocks.reading(), chance=lambda: 0.5
    )
    session.commit()


def attempts(session: Session) -> list[tuple[int, str, int | None]]:
    rows = session.scalars(select(Attempt).order_by(Attempt.id))
    return [(row.number, row.state.value, row.reply_code) for row in rows]


def test_each_reply_ends_in_its_state_with_the_relays_words(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=7)
    lease = engine.lease_for(session, broadcast, clocks)
    mails = claimed(session, lease, clocks)
    settle(session, lease, broadcast, clocks, mails, TAKEN, GREYLISTED, UNKNOWN, POLICY, SILENCE, LOST, WITHDRAWN)
    rows = engine.rows(session, broadcast)
    assert [(row.state.value, row.reason, row.reply_code, row.stage) for row in rows] == [
        ("accepted", None, 250, "dot"),
        ("deferred", "mailbox_trouble", 451, "rcpt"),
        ("failed", "no_such_mailbox", 550, "rcpt"),
        ("held", "policy", 554, "dot"),
        ("uncertain", "no_final_answer", None, "dot"),
        ("pending", "connection_lost", None, "data"),
        ("pending", "withdrawn", None, "data"),
    ]
    assert [row.reply_text for row in rows[:2]] == ["2.0.0 taken", "4.2.0 greylisted"]
    assert rows[4].reply_text == "no answer for 600 s"
    assert all(row.sender_id is None for row in rows)
    assert [row.attempts for row in rows] == [1, 1, 1, 1, 1, 1, 0]
    assert engine.tallied(session, broadcast) == engine.states(session, broadcast)


def test_a_first_acceptance_writes_no_attempt_and_everything_else_does(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=4)
    lease = engine.lease_for(session, broadcast, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), TAKEN, GREYLISTED, UNKNOWN, WITHDRAWN)
    assert attempts(session) == [(1, "deferred", 451), (1, "failed", 550)]
    clocks.pass_(61)
    ledger.promote(session, broadcast.id, clocks.wall)
    again = claimed(session, lease, clocks)
    settle(session, lease, broadcast, clocks, again, *[TAKEN] * len(again))
    assert sorted(attempts(session)[2:]) == [(2, "accepted", 250)]


def test_deferred_mails_come_back_after_the_back_off_and_end_after_three_days(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=1)
    lease = engine.lease_for(session, broadcast, clocks)
    waits = []
    for _ in range(60):
        mails = claimed(session, lease, clocks)
        settle(session, lease, broadcast, clocks, mails, GREYLISTED)
        [row] = engine.rows(session, broadcast)
        if row.state.value == "failed":
            break
        assert row.due_at is not None
        waits.append(round((row.due_at - clocks.wall) / timedelta(minutes=1)))
        clocks.pass_(waits[-1] * 60 + 1)
        assert ledger.promote(session, broadcast.id, clocks.wall) == 1
    assert waits[:9] == [1, 5, 15, 30, 60, 120, 240, 240, 240]
    assert (row.state.value, row.reason, row.due_at) == ("failed", "gave_up", None)
    assert timedelta(hours=72) <= clocks.wall - engine.NOW < timedelta(hours=77)


def test_held_mails_do_not_end_because_the_relay_or_the_broadcast_stood_still_for_days(
    session: Session, clocks: Clocks
):
    broadcast = engine.sending_broadcast(session, mails=1)
    lease = engine.lease_for(session, broadcast, clocks)
    for _ in range(3):
        settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), POLICY)
        clocks.pass_(80 * 3600)
        assert ledger.promote(session, broadcast.id, clocks.wall) == 1
        session.commit()
    assert engine.states(session, broadcast) == {"pending": 1}


@pytest.mark.parametrize("answer", [POLICY, LOST])
def test_one_that_the_relay_does_not_take_however_often_it_is_tried_ends_after_three_days(
    session: Session, clocks: Clocks, answer: Reply
):
    broadcast = engine.sending_broadcast(session, mails=1)
    lease = engine.lease_for(session, broadcast, clocks)
    for _ in range(60):
        settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), answer)
        [row] = engine.rows(session, broadcast)
        if row.state.value == "failed":
            break
        assert row.due_at is not None
        clocks.pass_(max((row.due_at - clocks.wall).total_seconds(), 0.0) + 1)
        ledger.promote(session, broadcast.id, clocks.wall)
        session.commit()
    assert (row.state.value, row.reason, row.due_at) == ("failed", "gave_up", None)
    assert row.reply_code == answer.code
    assert timedelta(hours=72) <= clocks.wall - engine.NOW < timedelta(hours=77)


def test_one_that_breaks_connections_is_not_tried_in_a_tight_loop(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=1)
    lease = engine.lease_for(session, broadcast, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), LOST)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), LOST)
    assert claimed(session, lease, clocks) == []
    [row] = engine.rows(session, broadcast)
    assert row.due_at == clocks.wall + timedelta(minutes=5)


@pytest.mark.parametrize("policy", UncertainPolicy)
def test_an_uncertain_mail_is_sent_again_only_where_the_policy_says_so(session: Session, clocks: Clocks, policy):
    broadcast = engine.sending_broadcast(session, mails=1, uncertain_policy=policy)
    lease = engine.lease_for(session, broadcast, clocks)
    [mail] = claimed(session, lease, clocks)
    settle(session, lease, broadcast, clocks, [mail], SILENCE)
    clocks.pass_(30 * 24 * 3600)
    again = ledger.promote(session, broadcast.id, clocks.wall)
    assert again == (1 if policy is UncertainPolicy.RETRY else 0)
    if again:
        [repeat] = claimed(session, lease, clocks)
        assert (repeat.values, repeat.stamped_at, repeat.attempt) == (mail.values, mail.stamped_at, 2)
    assert attempts(session) == [(1, "uncertain", None)]


def test_a_mail_that_is_never_answered_is_sent_again_three_times_and_then_waits_for_a_decision(
    session: Session, clocks: Clocks
):
    broadcast = engine.sending_broadcast(session, mails=1, uncertain_policy=UncertainPolicy.RETRY)
    lease = engine.lease_for(session, broadcast, clocks)
    sent = 0
    while mails := claimed(session, lease, clocks):
        sent += 1
        assert sent < 10
        settle(session, lease, broadcast, clocks, mails, SILENCE)
        clocks.pass_(60)
        ledger.promote(session, broadcast.id, clocks.wall)
    assert sent == 4
    assert broadcasts.finish_if_done(session, broadcast.id, clocks.wall) is BroadcastState.NEEDS_ATTENTION


def test_rows_that_are_not_ones_own_any_more_are_refused_altogether(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=3)
    lease = engine.lease_for(session, broadcast, clocks)
    mails = claimed(session, lease, clocks)
    ledger.release(session, lease, [mails[1].delivery_id], clocks.wall)
    session.commit()
    with pytest.raises(RowsLost):
        settle(session, lease, broadcast, clocks, mails, TAKEN, TAKEN, UNKNOWN)
    assert engine.states(session, broadcast) == {"claimed": 2, "pending": 1}


def test_minutes_count_accepted_and_other_outcomes(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=6)
    lease = engine.lease_for(session, broadcast, clocks)
    mails = claimed(session, lease, clocks)
    settle(session, lease, broadcast, clocks, mails[:2], TAKEN, UNKNOWN)
    settle(session, lease, broadcast, clocks, mails[2:4], TAKEN, LOST)
    clocks.pass_(60)
    settle(session, lease, broadcast, clocks, mails[4:], TAKEN, GREYLISTED)
    counted = session.execute(select(MinuteCount.accepted, MinuteCount.other).order_by(MinuteCount.minute)).all()
    assert [tuple(row) for row in counted] == [(2, 1), (1, 1)]


def test_the_counts_of_senders_that_ended_long_ago_are_folded_and_no_sum_changes(session: Session, clocks: Clocks):
    first, second = engine.sending_broadcast(session, mails=7), engine.sending_broadcast(session, mails=1)
    clocks.wall = clocks.wall.replace(second=0)
    for broadcast in (first, second, first, second):
        lease = engine.lease_for(session, broadcast, clocks)
        mails = claimed(session, lease, clocks, 3)
        settle(session, lease, broadcast, clocks, mails[:2], TAKEN, MOVED)
        clocks.pass_(60)
        settle(session, lease, broadcast, clocks, mails[2:], GREYLISTED)
        ledger.end_lease(session, lease, clocks.wall)
        clocks.pass_(-60)
    still_there = engine.lease_for(session, first, clocks)
    claimed(session, still_there, clocks)
    session.commit()

    def sums() -> list:
        minute = MinuteCount.broadcast_id, MinuteCount.minute
        counted = select(*minute, func.sum(MinuteCount.accepted), func.sum(MinuteCount.other)).group_by(*minute)
        tallies = [engine.tallied(session, broadcast) for broadcast in (first, second)]
        return [*tallies, session.execute(counted.order_by(*minute)).all()]

    def senders(table: type[Tally] | type[MinuteCount]) -> set[tuple[int, int]]:
        return {(row.broadcast_id, row.sender_id) for row in session.scalars(select(table))}

    def fold() -> None:
        for broadcast_id, ids in ledger.foldable(session, clocks.wall).items():
            ledger.fold(session, broadcast_id, ids)
        session.commit()

    before, own = sums(), senders(Tally)
    fold()
    assert senders(Tally) == own
    clocks.pass_(TALLY_KEPT.total_seconds() + 61)
    for _ in range(2):
        fold()
        assert sums() == before
        assert senders(Tally) == {(first.id, 0), (second.id, 0), (first.id, still_there.sender_id)}
        assert senders(MinuteCount) == {(first.id, 0), (second.id, 0)}


def test_without_a_pace_nothing_of_it_is_remembered(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=1)
    lease = engine.lease_for(session, broadcast, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), TAKEN)
    assert session.scalars(select(PaceUse)).all() == []


def test_of_a_long_interval_hardly_more_is_remembered_than_the_pace_can_tell_apart(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=400, batch_size=200, interval_s=3600)
    lease = engine.lease_for(session, broadcast, clocks)
    began = clocks.ticks
    for _ in range(200):
        settle(session, lease, broadcast, clocks, claimed(session, lease, clocks, 1), TAKEN)
        clocks.pass_(2.5)
    assert claimed(session, lease, clocks) == []
    uses = session.scalars(select(PaceUse).order_by(PaceUse.id)).all()
    assert sum(use.count for use in uses) == 200
    assert len(uses) <= 500 / 18 + 2
    # Of those that share a use none is free before an interval has passed since the last of them, and all are by then.
    clocks.pass_(began + 3600 - clocks.ticks)
    free = 0
    for second in range(0, 540, 5):
        clocks.pass_(5)
        free += len(claimed(session, lease, clocks))
        left_by_then = min(int((second + 5) / 2.5) + 1, 200)
        assert left_by_then - 18 / 2.5 - 2 <= free <= left_by_then
    assert free == 200


def paced(session: Session, clocks: Clocks, batch_size: int = 3, interval_s: int = 10):
    broadcast = engine.sending_broadcast(session, mails=20, batch_size=batch_size, interval_s=interval_s)
    return broadcast, engine.lease_for(session, broadcast, clocks)


def test_places_of_the_pace_are_free_again_an_interval_after_the_mails_were_settled(session: Session, clocks: Clocks):
    broadcast, lease = paced(session, clocks)
    mails = claimed(session, lease, clocks)
    assert len(mails) == 3
    clocks.pass_(1)
    settle(session, lease, broadcast, clocks, mails[:2], TAKEN, UNKNOWN)
    clocks.pass_(1)
    settle(session, lease, broadcast, clocks, mails[2:], SILENCE, ago=0.5)
    assert claimed(session, lease, clocks) == []
    clocks.pass_(9 + JUST_OVER_S)
    assert len(claimed(session, lease, clocks)) == 2
    clocks.pass_(0.5)
    assert len(claimed(session, lease, clocks)) == 1


def test_mails_given_back_or_called_back_cost_nothing_of_the_pace(session: Session, clocks: Clocks):
    broadcast, lease = paced(session, clocks)
    mails = claimed(session, lease, clocks)
    settle(session, lease, broadcast, clocks, mails[:1], WITHDRAWN)
    ledger.release(session, lease, engine.ids(mails[1:]), clocks.wall)
    assert len(claimed(session, lease, clocks)) == 3


def test_a_wall_clock_set_by_an_hour_neither_frees_nor_blocks_places(session: Session, clocks: Clocks):
    broadcast, lease = paced(session, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), TAKEN, TAKEN, TAKEN)
    clocks.pass_(1)
    for step in (3600, -7200, 3600):
        clocks.step(step)
        assert claimed(session, lease, clocks) == []
    clocks.pass_(9 + JUST_OVER_S)
    assert len(claimed(session, lease, clocks)) == 3


def test_mails_may_be_claimed_shortly_before_they_may_leave(session: Session, clocks: Clocks):
    broadcast, lease = paced(session, clocks)
    settle(session, lease, broadcast, clocks, claimed(session, lease, clocks), TAKEN, TAKEN, TAKEN)
    clocks.pass_(9.9)
    claim = ledger.claim(session, lease, 10, values, clocks.reading(), lead=0.2)
    assert [round(mail.delay, 3) for mail in claim.mails] == [0.102] * 3
    assert claim.next_in is None


def test_the_memory_of_the_pace_does_not_grow(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=400, batch_size=1, interval_s=1)
    lease = engine.lease_for(session, broadcast, clocks)
    for _ in range(400):
        mails = claimed(session, lease, clocks)
        settle(session, lease, broadcast, clocks, mails, TAKEN)
        clocks.pass_(1 + JUST_OVER_S)
    assert engine.states(session, broadcast) == {"accepted": 400}
    assert len(session.scalars(select(PaceUse)).all()) < 250
