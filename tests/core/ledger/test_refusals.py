"""Refusals that may be either's fault are parked in the ledger until the relay takes a mail for somebody else, or proves to refuse
everybody."""

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from tests import engine
from tests.engine import TAKEN, Clocks
from webapp.core import broadcasts, ledger
from webapp.core.ledger import Lease, RecordingSettings, Settled
from webapp.core.rules.limits import NO_LIMITS
from webapp.core.rules.outcome import Reply, Stage, judge
from webapp.core.tables.broadcasts import Broadcast

POLICY = Reply(Stage.DOT, 554, "5.7.1 not this one")
LATER = Reply(Stage.DOT, 451, "4.3.0 trouble here")
UNKNOWN = Reply(Stage.RCPT, 550, "5.1.1 no such user")


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def claimed(session: Session, clocks: Clocks, mails: int) -> tuple[Broadcast, Lease, list]:
    broadcast = engine.sending_broadcast(session, mails=mails)
    lease = engine.lease_for(session, broadcast, clocks)
    claim = ledger.claim(session, lease, mails, lambda holders: [()] * len(holders), clocks.reading())
    session.commit()
    return broadcast, lease, claim.mails


def record(session: Session, clocks: Clocks, broadcast: Broadcast, lease: Lease, said: dict, **options) -> None:
    """What became of claimed mails, in this order."""
    settled = [
        Settled(
            mail.delivery_id,
            mail.attempt,
            mail.stamped_at,
            judge(reply),
            reply,
            clocks.reading().ticks,
            f"d{number}.example",
        )
        for number, (mail, reply) in enumerate(said)
    ]
    terms = RecordingSettings.of(broadcast, NO_LIMITS)
    ledger.record(session, lease, settled, terms, clocks.reading(), **options)
    session.commit()


def test_what_is_refused_before_a_mail_is_taken_is_the_recipients(session: Session, clocks: Clocks):
    broadcast, lease, mails = claimed(session, clocks, 5)
    record(session, clocks, broadcast, lease, list(zip(mails, [POLICY, LATER, TAKEN, POLICY, LATER], strict=True)))
    found = {"failed": 1, "deferred": 1, "accepted": 1, "held": 2}
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == found
    assert len(ledger.open_refusals(session, broadcast.id)) == 2


def test_a_mail_that_is_taken_later_decides_what_was_parked(session: Session, clocks: Clocks):
    broadcast, lease, mails = claimed(session, clocks, 3)
    record(session, clocks, broadcast, lease, list(zip(mails[:2], [POLICY, LATER], strict=True)))
    assert engine.states(session, broadcast) == {"held": 2, "claimed": 1}
    record(session, clocks, broadcast, lease, [(mails[2], TAKEN)])
    found = {"failed": 1, "deferred": 1, "accepted": 1}
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == found
    assert ledger.open_refusals(session, broadcast.id) == []


def test_where_the_relay_refuses_everybody_nobody_has_failed(session: Session, clocks: Clocks):
    broadcast, lease, mails = claimed(session, clocks, 3)
    record(session, clocks, broadcast, lease, list(zip(mails, [POLICY, UNKNOWN, LATER], strict=True)))
    assert engine.states(session, broadcast) == {"held": 2, "failed": 1}
    now = clocks.reading().wall
    assert ledger.were_the_relays(session, broadcast.id, lease.sender_id, now, now) == 1
    session.commit()
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"held": 3}
    assert ledger.open_refusals(session, broadcast.id) == []


def test_words_that_were_meant_for_everybody_give_back_also_those_before_a_mail_that_was_on_its_way(
    session: Session, clocks: Clocks
):
    quota = [Reply(Stage.RCPT, 550, f"<a{n}@b{n}.example> exceeded the max emails per hour") for n in range(4)]
    broadcast, lease, mails = claimed(session, clocks, 6)
    record(session, clocks, broadcast, lease, list(zip(mails, [UNKNOWN, *quota[:2], TAKEN, *quota[2:]], strict=True)))
    assert engine.states(session, broadcast) == {"failed": 5, "accepted": 1}
    now, run = clocks.reading().wall, ledger.open_refusals(session, broadcast.id)
    ledger.were_the_relays(session, broadcast.id, lease.sender_id, now, now, key=run[-1].key)
    session.commit()
    assert (
        engine.states(session, broadcast)
        == engine.tallied(session, broadcast)
        == {"failed": 1, "accepted": 1, "held": 4}
    )


def test_what_is_taken_once_it_is_paused_for_the_relays_sake_proves_nothing(session: Session, clocks: Clocks):
    broadcast, lease, mails = claimed(session, clocks, 5)
    record(session, clocks, broadcast, lease, list(zip(mails[:2], [POLICY, LATER], strict=True)))
    now = clocks.reading().wall
    ledger.were_the_relays(session, broadcast.id, lease.sender_id, now, now)
    broadcasts.stop(session, broadcast.id, "refused", now, probing=True)
    session.commit()
    record(session, clocks, broadcast, lease, list(zip(mails[2:], [POLICY, TAKEN, POLICY], strict=True)))
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"held": 4, "accepted": 1}
    assert ledger.open_refusals(session, broadcast.id) == []


@pytest.mark.parametrize(
    ("attempt", "domains", "state"), [(1, 1, "held"), (2, 1, "failed"), (2, 4, "held"), (3, 4, "failed")]
)
def test_who_is_left_at_the_end_and_refused_again_has_failed_unless_many_domains_are(
    session: Session, clocks: Clocks, attempt: int, domains: int, state: str
):
    broadcast, lease, mails = claimed(session, clocks, 4)
    settled = [
        replace(
            Settled(mail.delivery_id, attempt, mail.stamped_at, judge(POLICY), POLICY, clocks.reading().ticks),
            domain=f"d{number % domains}.example",
        )
        for number, mail in enumerate(mails)
    ]
    terms = RecordingSettings.of(broadcast, NO_LIMITS)
    for one in settled:
        ledger.record(session, lease, [one], terms, clocks.reading(), has_delivered=True)
    session.commit()
    assert engine.states(session, broadcast).get(state, 0) >= 2


def test_a_probe_takes_nobody_who_was_refused_before_as_long_as_there_are_others(session: Session, clocks: Clocks):
    broadcast, lease, mails = claimed(session, clocks, 3)
    record(session, clocks, broadcast, lease, [(mails[0], POLICY)])
    ledger.release(session, lease, [mails[1].delivery_id, mails[2].delivery_id], clocks.reading().wall)
    ledger.release_held(session, broadcast.id, clocks.reading().wall)
    order = []
    for _ in range(3):
        claim = ledger.claim(
            session,
            lease,
            5,
            lambda holders: [()] * len(holders),
            clocks.reading(),
            promoting=True,
            is_probe=True,
        )
        order += [mail.delivery_id for mail in claim.mails]
        record(session, clocks, broadcast, lease, [(mail, UNKNOWN) for mail in claim.mails])
    assert order == [mails[1].delivery_id, mails[2].delivery_id, mails[0].delivery_id]


def test_mails_to_a_domain_that_is_given_time_wait_and_others_go_on(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=6)
    rows = engine.rows(session, broadcast)
    for row in rows[:4]:
        row.address, row.address_key = f"a{row.client_id}@slow.example", f"a{row.client_id}@slow.example"
    session.commit()
    lease = engine.lease_for(session, broadcast, clocks)
    now = clocks.reading().wall
    until = now.replace(year=now.year + 1)
    claim = ledger.claim(
        session,
        lease,
        3,
        lambda holders: [()] * len(holders),
        clocks.reading(),
        resting={"slow.example": until},
    )
    session.commit()
    assert {mail.address.partition("@")[2] for mail in claim.mails} == {"example.com"}
    assert sum(row.due_at == until for row in engine.rows(session, broadcast)) >= 3
