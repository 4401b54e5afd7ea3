"""What the console says about how far a broadcast is."""

from datetime import timedelta

import pytest

from tests import factories
from tests.factories import NOW
from webapp.core.broadcasts import progress
from webapp.core.broadcasts.progress import Counts, Group
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.deliveries import MinuteCount, PaceUse, Tally

S = DeliveryState
SENDING = {"state": BroadcastState.SENDING, "started_at": NOW - timedelta(minutes=10), "frozen_at": NOW}


def tally(session, broadcast, sender_id=1, **counts):
    for state, count in counts.items():
        session.add(Tally(broadcast_id=broadcast.id, sender_id=sender_id, state=S(state), count=count))
    session.flush()


def use(session, broadcast, age_s, count):
    taken_at = NOW - timedelta(seconds=age_s)
    session.add(PaceUse(broadcast_id=broadcast.id, taken_at=taken_at, boot="b", ticks=0.0, count=count))
    session.flush()


def test_every_state_of_the_ledger_belongs_to_exactly_one_group():
    states = [state for group in Group for state in group.states]
    assert sorted(states) == sorted(S)


def test_counts_add_up_over_senders_and_stay_with_their_broadcast(session):
    first, second = factories.broadcast(session), factories.broadcast(session)
    tally(session, first, 0, pending=10, skipped=2)
    tally(session, first, 1, pending=-4, accepted=4)
    counts = progress.counts_of(session, [first.id, second.id])
    assert (counts[first.id].waiting, counts[first.id].accepted, counts[first.id].skipped) == (6, 4, 2)
    assert (counts[first.id].all, counts[first.id].mails) == (12, 10)
    assert counts[second.id].all == 0


def test_a_cancel_takes_back_what_has_not_left_but_not_what_is_at_the_relay():
    counts = Counts({S.PENDING: 5, S.CLAIMED: 2, S.HELD: 1, S.DEFERRED: 3, S.ACCEPTED: 9})
    assert counts.unsent == 9


@pytest.mark.parametrize(("accepted", "tenths"), [(0, 0), (9, 0), (10, 1), (99, 9), (100, 10)])
def test_tenths_are_whole_and_reach_ten_only_at_the_end(accepted, tenths):
    assert Counts({S.ACCEPTED: accepted, S.PENDING: 100 - accepted}).tenths == tenths
    assert Counts({}).tenths == 0


def test_while_recipients_are_collected_nothing_is_foretold(session):
    broadcast = factories.broadcast(session, **SENDING | {"frozen_at": None})
    tally(session, broadcast, pending=100)
    read = progress.read(session, broadcast, NOW)
    assert read.collecting and read.ends_at is None and read.plan is None


def test_with_free_places_the_next_batch_is_now_and_the_end_is_counted_in_batches(session):
    broadcast = factories.broadcast(session, **SENDING, batch_size=25, interval_s=30)
    tally(session, broadcast, pending=101)
    read = progress.read(session, broadcast, NOW)
    assert read.next_batch_at == NOW
    assert read.ends_at == NOW + timedelta(seconds=4 * 30)
    assert read.plan is not None and read.plan.count == 101


def test_the_next_batch_waits_until_the_last_one_is_an_interval_old(session):
    broadcast = factories.broadcast(session, **SENDING, batch_size=25, interval_s=30)
    tally(session, broadcast, pending=50)
    use(session, broadcast, age_s=18, count=15)
    use(session, broadcast, age_s=17, count=10)
    use(session, broadcast, age_s=31, count=25)
    assert progress.read(session, broadcast, NOW).next_batch_at == NOW + timedelta(seconds=12)


def test_mails_at_the_relay_hold_places_too(session):
    broadcast = factories.broadcast(session, **SENDING, batch_size=25, interval_s=30)
    tally(session, broadcast, pending=50, claimed=25)
    assert progress.read(session, broadcast, NOW).next_batch_at == NOW + timedelta(seconds=30)
    use(session, broadcast, age_s=10, count=5)
    assert progress.read(session, broadcast, NOW).next_batch_at == NOW + timedelta(seconds=30)


def test_without_a_pace_the_end_is_guessed_from_the_rate_of_the_last_minutes(session):
    broadcast = factories.broadcast(session, **SENDING, batch_size=0)
    tally(session, broadcast, pending=600)
    assert progress.read(session, broadcast, NOW).ends_at is None
    for age_min, accepted in ((1, 250), (2, 50), (9, 100_000)):
        minute = NOW - timedelta(minutes=age_min)
        session.add(MinuteCount(broadcast_id=broadcast.id, sender_id=1, minute=minute, accepted=accepted, other=0))
    session.flush()
    read = progress.read(session, broadcast, NOW)
    assert read.next_batch_at is None
    assert read.ends_at == NOW + timedelta(seconds=600 * 120 / 300)


def test_when_only_deferred_mails_are_left_it_says_when_the_next_is_tried(session):
    broadcast = factories.broadcast(session, **SENDING)
    soon, later = NOW + timedelta(minutes=5), NOW + timedelta(minutes=15)
    factories.delivery(session, broadcast, state=S.DEFERRED, due_at=later)
    factories.delivery(session, broadcast, state=S.DEFERRED, due_at=soon)
    read = progress.read(session, broadcast, NOW)
    assert (read.retry_at, read.next_batch_at, read.ends_at) == (soon, None, None)


@pytest.mark.parametrize(
    ("state", "starts_in", "counts", "live"),
    [
        (BroadcastState.DRAFT, None, {}, False),
        (BroadcastState.SCHEDULED, None, {}, True),
        (BroadcastState.SCHEDULED, 1, {}, True),
        (BroadcastState.SCHEDULED, 60, {}, False),
        (BroadcastState.SENDING, None, {}, True),
        (BroadcastState.PAUSED, None, {S.PENDING: 5}, False),
        (BroadcastState.PAUSED, None, {S.CLAIMED: 1}, True),
        (BroadcastState.NEEDS_ATTENTION, None, {S.UNCERTAIN: 3}, False),
        (BroadcastState.FINISHED, None, {S.ACCEPTED: 3}, False),
        (BroadcastState.CANCELLED, None, {S.PENDING: 3}, True),
        (BroadcastState.CANCELLED, None, {S.CANCELLED: 3}, False),
    ],
)
def test_a_broadcast_is_watched_only_while_something_moves(sqlite_session, state, starts_in, counts, live):
    starts_at = NOW + timedelta(minutes=starts_in) if starts_in else None
    broadcast = factories.broadcast(sqlite_session, state=state, starts_at=starts_at)
    assert progress.is_live(broadcast, Counts(counts), NOW) is live
