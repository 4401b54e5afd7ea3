"""Ceilings: what no broadcast may exceed, however many there are and however many processes send."""

import random
from collections import deque
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine
from tests.engine import TAKEN, Clocks
from webapp.core import broadcasts, ledger
from webapp.core.cadence import LEASE_S, RENEW_S
from webapp.core.errors import Invalid
from webapp.core.ledger import Claimed, Lease, RecordingSettings, Settled
from webapp.core.ports import JournalFinding
from webapp.core.rules.limits import NO_LIMITS, Limits
from webapp.core.rules.outcome import Stage, judge
from webapp.core.rules.pacing import Retries
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import PaceUse, Sender

SECOND = Limits(per_second=10)
DAY = Limits(per_day=30)
JUST_OVER_S = 0.003


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def sender(session: Session, clocks: Clocks, mails: int = 40, **columns) -> tuple[Broadcast, Lease]:
    broadcast = engine.sending_broadcast(session, mails=mails, **columns)
    return broadcast, engine.lease_for(session, broadcast, clocks)


def claimed(session: Session, lease: Lease, clocks: Clocks, above: Limits, limit: int = 100) -> list[Claimed]:
    ledger.renew(session, lease, clocks.wall)
    claim = ledger.claim(
        session, lease, limit, lambda holders: [["x"] for _ in holders], clocks.reading(), limits=above
    )
    session.commit()
    return claim.mails


def settle(
    session: Session, broadcast: Broadcast, lease: Lease, clocks: Clocks, mails: list[Claimed], above: Limits
) -> None:
    settled = [
        Settled(mail.delivery_id, mail.attempt, mail.stamped_at, judge(TAKEN), TAKEN, clocks.ticks) for mail in mails
    ]
    ledger.renew(session, lease, clocks.wall)
    ledger.record(session, lease, settled, RecordingSettings.of(broadcast, above), clocks.reading())
    session.commit()


def test_broadcasts_together_stay_under_the_mails_of_a_second(session: Session, clocks: Clocks):
    one, two = sender(session, clocks), sender(session, clocks)
    first = claimed(session, one[1], clocks, SECOND)
    second = claimed(session, two[1], clocks, SECOND)
    assert len(first) == 5, "half of it is left to the other"
    assert len(first) + len(second) <= 10 and second
    while more := claimed(session, two[1], clocks, SECOND):
        second += more
    assert len(first) + len(second) == 10
    settle(session, *one, clocks, first, SECOND)
    settle(session, *two, clocks, second, SECOND)
    clocks.pass_(0.9)
    assert claimed(session, one[1], clocks, SECOND) == []
    clocks.pass_(0.1 + JUST_OVER_S)
    assert len(claimed(session, one[1], clocks, SECOND)) == 5


def test_the_mails_of_a_day_count_until_a_day_is_over_also_those_of_other_broadcasts(session: Session, clocks: Clocks):
    one, two = sender(session, clocks), sender(session, clocks)
    ledger.end_lease(session, two[1], clocks.wall)
    session.commit()
    mails = claimed(session, one[1], clocks, DAY)
    assert len(mails) == 30
    settle(session, *one, clocks, mails, DAY)
    ledger.end_lease(session, one[1], clocks.wall)
    other = engine.lease_for(session, two[0], clocks)
    clocks.pass_(timedelta(hours=23, minutes=59).total_seconds())
    assert claimed(session, other, clocks, DAY) == []
    limits.save(session, DAY)
    wait = ledger.next_look(session, two[0], clocks.reading())
    assert wait is not None and 60 <= wait <= 180
    clocks.pass_(wait)
    other = engine.lease_for(session, two[0], clocks)
    assert len(claimed(session, other, clocks, DAY)) > 0


def test_a_pace_under_a_ceiling_keeps_both(session: Session, clocks: Clocks):
    paced = sender(session, clocks, batch_size=4, interval_s=2)
    free = sender(session, clocks)
    mails = claimed(session, paced[1], clocks, SECOND)
    assert len(mails) == 4
    others: list[Claimed] = []
    while more := claimed(session, free[1], clocks, SECOND):
        others += more
    assert len(others) == 6
    settle(session, *paced, clocks, mails, SECOND)
    settle(session, *free, clocks, others, SECOND)
    clocks.pass_(1 + JUST_OVER_S)
    assert claimed(session, paced[1], clocks, SECOND) == []
    clocks.pass_(1)
    assert len(claimed(session, paced[1], clocks, SECOND)) == 4


def test_in_no_second_more_than_the_ceiling_leaves_whatever_the_senders_do(session: Session, clocks: Clocks):
    chance = random.Random(5)
    senders = [sender(session, clocks, mails=60) for _ in range(3)]
    out: list[tuple[Broadcast, Lease, list[Claimed]]] = []
    left: list[float] = []
    for _ in range(150):
        broadcast, lease = chance.choice(senders)
        mails = claimed(session, lease, clocks, SECOND, limit=chance.randint(1, 6))
        if mails:
            out.append((broadcast, lease, mails))
        clocks.pass_(chance.random() / 5)
        if out and chance.random() < 0.6:
            broadcast, lease, mails = out.pop(chance.randrange(len(out)))
            left += [clocks.ticks] * len(mails)
            settle(session, broadcast, lease, clocks, mails, SECOND)
    window: deque[float] = deque()
    for moment in left:
        window.append(moment)
        while window[0] <= moment - 1:
            window.popleft()
        assert len(window) <= 10
    assert len(left) > 60


def test_processes_share_the_relays_connections_and_never_have_more(session: Session, clocks: Clocks):
    one, two = sender(session, clocks)[1], sender(session, clocks)[1]

    def share(lease: Lease, holding: int) -> int:
        return ledger.share_connections(session, lease, 8, wanted=10, holding=holding, now=clocks.wall)[0]

    assert share(one, 0) == 4
    ledger.end_lease(session, two, clocks.wall)
    assert share(one, 4) == 8
    three = sender(session, clocks)[1]
    assert share(three, 0) == 0
    assert share(one, 8) == 4 and share(three, 0) == 0, "the first has not closed them yet"
    assert share(one, 4) == 4 and share(three, 0) == 4


def test_it_is_known_when_another_process_has_no_connection(session: Session, clocks: Clocks):
    one, two = sender(session, clocks)[1], sender(session, clocks)[1]

    def share(lease: Lease) -> tuple[int, bool]:
        return ledger.share_connections(session, lease, 1, wanted=10, holding=0, now=clocks.wall)

    assert share(one) == (1, False), "the other may just not have asked yet"
    assert share(two) == (0, False)
    clocks.pass_(2 * RENEW_S)
    assert share(one) == (1, True)
    ledger.end_lease(session, two, clocks.wall)
    assert share(one) == (1, False)


def test_the_connections_of_a_machine_that_is_gone_are_free_before_its_mails_are(session: Session, clocks: Clocks):
    gone, here = sender(session, clocks)[1], sender(session, clocks)[1]
    away = JournalFinding(is_here=False)

    def share(lease: Lease) -> int:
        ledger.renew(session, here, clocks.wall)
        return ledger.share_connections(session, lease, 4, wanted=4, holding=0, now=clocks.wall)[0]

    ledger.end_lease(session, here, clocks.wall)
    here = gone
    assert share(gone) == 4
    here = sender(session, clocks)[1]
    clocks.pass_(LEASE_S + 1)
    assert share(here) == 0
    assert not ledger.may_recover(session, session.get_one(Sender, gone.sender_id), away, clocks.reading())
    assert share(here) == 0
    clocks.pass_(LEASE_S)
    assert share(here) == 4


def test_without_a_ceiling_nothing_of_it_is_remembered(session: Session, clocks: Clocks):
    broadcast, lease = sender(session, clocks)
    mails = claimed(session, lease, clocks, NO_LIMITS)
    assert len(mails) == 40
    settle(session, broadcast, lease, clocks, mails, NO_LIMITS)
    assert session.scalars(select(PaceUse)).all() == []


def test_limits_are_kept_as_they_were_set(session: Session):
    assert limits.read(session) == NO_LIMITS
    wanted = Limits(5, 1000, 20, Retries((2, 30), 0.1, timedelta(hours=12)))
    limits.save(session, wanted)
    session.commit()
    assert limits.read(session) == wanted
    limits.save(session, NO_LIMITS)
    session.commit()
    assert limits.read(session) == NO_LIMITS


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"per_second": -1}, "per_second"),
        ({"per_day": -1}, "per_day"),
        ({"connections": 100_000}, "connections"),
        ({"retries": Retries(())}, "retry_minutes"),
        ({"retries": Retries((0,))}, "retry_minutes"),
        ({"retries": Retries((5, 1e9))}, "retry_minutes"),
        ({"retries": Retries(spread=0.9)}, "retry_spread"),
        ({"retries": Retries(give_up_after=timedelta(0))}, "give_up_hours"),
    ],
)
def test_limits_that_make_no_sense_are_refused(session: Session, change: dict, field: str):
    with pytest.raises(Invalid) as refused:
        limits.save(session, replace(NO_LIMITS, **change))
    assert refused.value.field == field


def test_a_retry_follows_the_pauses_that_were_set(session: Session, clocks: Clocks):
    above = replace(NO_LIMITS, retries=Retries((7,), 0.0))
    broadcast, lease = sender(session, clocks, mails=1)
    [mail] = claimed(session, lease, clocks, above)
    busy = TAKEN._replace(code=451, text="4.2.1 later", stage=Stage.RCPT)
    settled = [Settled(mail.delivery_id, 1, mail.stamped_at, judge(busy), busy, clocks.ticks)]
    ledger.renew(session, lease, clocks.wall)
    ledger.record(session, lease, settled, RecordingSettings.of(broadcast, above), clocks.reading())
    session.commit()
    [row] = engine.rows(session, broadcast)
    assert row.state == "deferred" and row.due_at == clocks.wall + timedelta(minutes=7)
    assert broadcasts.get(session, broadcast.id).state == "sending"
