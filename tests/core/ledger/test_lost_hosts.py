"""Machines that are away with mails: they are told as such only when their lease is long over, and a person may decide before the grace."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests import engine
from tests.engine import Clocks
from webapp.core import ledger
from webapp.core.cadence import AWAY_S, LEASE_S
from webapp.core.errors import Conflict
from webapp.core.ledger import LeaseLost
from webapp.core.ports import JournalFinding
from webapp.core.tables.deliveries import Sender

ELSEWHERE = JournalFinding(is_here=False)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def claiming(session: Session, broadcast, clocks: Clocks, machine: str, mails: int, host: str = "worker-1"):
    """A sender on a machine that has claimed so many mails."""
    lease = ledger.open_lease(
        session,
        broadcast.id,
        host=host,
        pid=1,
        journal=f"{machine}.journal",
        machine=machine,
        reading=clocks.reading(),
    )
    ledger.claim(session, lease, mails, lambda holders: [["x"]] * len(holders), clocks.reading())
    session.commit()
    return lease


def test_a_machine_counts_as_lost_when_its_lease_is_long_over(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=5)
    lease = claiming(session, broadcast, clocks, "a", 3)
    began = clocks.wall
    clocks.pass_(LEASE_S + AWAY_S)
    assert ledger.lost_hosts(session, broadcast.id, clocks.wall) == []
    clocks.pass_(1)
    [host] = ledger.lost_hosts(session, broadcast.id, clocks.wall)
    assert (host.machine, host.host, host.senders, host.mails) == ("a", "worker-1", (lease.sender_id,), 3)
    assert host.heard_at == began and host.decided_at is None
    session.rollback()
    ledger.may_recover(session, session.get_one(Sender, lease.sender_id), ELSEWHERE, clocks.reading())
    session.commit()
    [host] = ledger.lost_hosts(session, broadcast.id, clocks.wall, timedelta(minutes=5))
    assert host.decided_at == clocks.wall + timedelta(minutes=5)


def test_two_machines_of_one_name_are_two_and_what_lies_here_is_not_lost(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=9)
    claiming(session, broadcast, clocks, "a", 3)
    claiming(session, broadcast, clocks, "b", 2)
    claiming(session, broadcast, clocks, "b", 1, host="renamed")
    claiming(session, broadcast, clocks, "c", 1)
    clocks.pass_(LEASE_S + AWAY_S + 1)
    found = ledger.lost_hosts(session, broadcast.id, clocks.wall, here=["c.journal"])
    assert sorted((host.machine, host.mails) for host in found) == [("a", 3), ("b", 3)]


def test_a_machine_that_is_given_up_leaves_its_mails_uncertain_at_once(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=5)
    lease = claiming(session, broadcast, clocks, "a", 3)
    claiming(session, broadcast, clocks, "b", 2)
    clocks.pass_(LEASE_S + AWAY_S + 1)
    assert ledger.give_up(session, broadcast.id, [lease.sender_id], clocks.reading(), seen=3) == 3
    session.commit()
    assert engine.states(session, broadcast) == {"uncertain": 3, "claimed": 2} == engine.tallied(session, broadcast)
    with pytest.raises(LeaseLost):
        ledger.renew(session, lease, clocks.wall)


def test_a_machine_that_is_back_or_has_others_is_not_given_up(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=5)
    lease = claiming(session, broadcast, clocks, "a", 3)
    with pytest.raises(Conflict):
        ledger.give_up(session, broadcast.id, [lease.sender_id], clocks.reading())
    clocks.pass_(LEASE_S + AWAY_S + 1)
    with pytest.raises(Conflict):
        ledger.give_up(session, broadcast.id, [lease.sender_id], clocks.reading(), seen=2)
    session.rollback()
    assert engine.states(session, broadcast) == {"claimed": 3, "pending": 2}


def test_the_grace_of_a_machine_can_be_another(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=1)
    sender = session.get_one(Sender, claiming(session, broadcast, clocks, "a", 1).sender_id)
    clocks.pass_(LEASE_S + 1)
    grace = timedelta(seconds=60)
    assert not ledger.may_recover(session, sender, ELSEWHERE, clocks.reading(), grace)
    session.commit()
    clocks.pass_(60)
    session.refresh(sender)
    assert ledger.may_recover(session, sender, ELSEWHERE, clocks.reading(), grace)
