"""Limits by the recipient's domain: what no second exceeds, and whom they never hold up."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import TAKEN, Clocks
from webapp.core import broadcasts, ledger
from webapp.core.ledger import Claim, Claimed, Lease, RecordingSettings, Settled, order
from webapp.core.ledger.lines import NO_ROOMS
from webapp.core.ports import JournalFinding
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.limits import NO_LIMITS, Limits
from webapp.core.rules.outcome import judge
from webapp.core.rules.receivers import MINUTE_S, ReceiverLimit
from webapp.core.settings import limits, receivers
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery, PaceUse, Sender

JUST_OVER_S = 0.003
OTHERS = "example.com"


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def google(session: Session, mails: int = 10, **columns: int) -> Limits:
    """A limit for Google that is in force. Commits."""
    receivers.add(session, ReceiverLimit(("gmail.com", "googlemail.com"), mails, **columns))
    session.commit()
    return limits.read(session)


def sender(session: Session, clocks: Clocks, domains: list[str], **columns: int) -> tuple[Broadcast, Lease]:
    """A broadcast that goes to one new client at each of these domains, and who sends it."""
    known = session.scalar(select(func.count()).select_from(Delivery)) or 0
    for number, domain in enumerate(domains):
        factories.client(session, f"ada{known}-{number}@{domain}")
    broadcast = engine.sending_broadcast(session, mails=0, **columns)
    return broadcast, engine.lease_for(session, broadcast, clocks)


def claim(
    session: Session,
    lease: Lease,
    clocks: Clocks,
    above: Limits,
    limit: int = 100,
    *,
    lead: float = 0.0,
    rooms: Mapping[int, int] = NO_ROOMS,
) -> Claim:
    ledger.renew(session, lease, clocks.wall)
    found = ledger.claim(
        session,
        lease,
        limit,
        lambda holders: [["x"] for _ in holders],
        clocks.reading(),
        limits=above,
        lead=lead,
        rooms=rooms,
    )
    session.commit()
    return found


def settle(
    session: Session, broadcast: Broadcast, lease: Lease, clocks: Clocks, mails: list[Claimed], above: Limits
) -> None:
    settled = [
        Settled(
            mail.delivery_id, mail.attempt, mail.stamped_at, judge(TAKEN), TAKEN, clocks.ticks, receiver=mail.receiver
        )
        for mail in mails
    ]
    ledger.renew(session, lease, clocks.wall)
    ledger.record(session, lease, settled, RecordingSettings.of(broadcast, above), clocks.reading())
    session.commit()


def domains(mails: list[Claimed]) -> dict[str, int]:
    found: dict[str, int] = {}
    for mail in mails:
        domain = ledger.domain_of(mail.address)
        found[domain] = found.get(domain, 0) + 1
    return found


def test_a_domain_gets_its_share_and_all_others_go_on(session: Session, clocks: Clocks):
    above = google(session)
    broadcast, lease = sender(session, clocks, ["gmail.com"] * 30 + [OTHERS] * 20)
    first = claim(session, lease, clocks, above)
    assert domains(first.mails) == {"gmail.com": 10, OTHERS: 20}
    assert first.line_waits and not first.exhausted and first.line_next_in is None
    settle(session, broadcast, lease, clocks, first.mails, above)
    waiting = claim(session, lease, clocks, above)
    assert waiting.mails == [] and waiting.line_next_in == pytest.approx(1.002)
    clocks.pass_(1 + JUST_OVER_S)
    assert domains(claim(session, lease, clocks, above).mails) == {"gmail.com": 10}


def test_domains_of_one_receiver_share_a_limit(session: Session, clocks: Clocks):
    above = google(session)
    _, lease = sender(session, clocks, ["gmail.com", "googlemail.com", "GoogleMail.com"] * 6)
    mails = claim(session, lease, clocks, above).mails
    assert len(mails) == 10 and claim(session, lease, clocks, above).mails == []


def test_two_broadcasts_share_the_limit_of_a_domain(session: Session, clocks: Clocks):
    above = google(session)
    _, one = sender(session, clocks, ["gmail.com"] * 20)
    _, two = sender(session, clocks, [OTHERS])
    first = claim(session, one, clocks, above).mails
    assert len(first) == 5, "half of it is left to the other"
    second = claim(session, two, clocks, above).mails
    more = claim(session, two, clocks, above).mails
    mine = [domains(mails).get("gmail.com", 0) for mails in (first, second, more)]
    assert sum(mine) <= 10 and mine[1] > 0


def test_a_claim_passes_a_long_run_of_a_domain_and_comes_to_the_others(session: Session, clocks: Clocks):
    above = google(session, mails=1)
    _, lease = sender(session, clocks, ["gmail.com"] * 90 + [OTHERS] * 5)
    first = claim(session, lease, clocks, above, limit=2)
    assert domains(first.mails) == {"gmail.com": 1}
    for _ in range(6):
        found = claim(session, lease, clocks, above, limit=2)
        if found.mails:
            break
        assert found.is_cut_short and not found.line_waits and not found.exhausted
    assert domains(found.mails) == {OTHERS: 2}


def test_a_row_is_set_aside_once_and_not_looked_at_again(session: Session, clocks: Clocks):
    above = google(session)
    broadcast, lease = sender(session, clocks, ["gmail.com"] * 40 + [OTHERS] * 5)
    claim(session, lease, clocks, above)
    claim(session, lease, clocks, above)
    [standing] = above.receivers
    waiting = [row for row in engine.rows(session, broadcast) if row.state is DeliveryState.PENDING]
    assert {row.due_at for row in waiting} == {order.line(standing.id)} and len(waiting) == 30
    said: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: said.append(given[2]))
    assert claim(session, lease, clocks, above).mails == []
    assert not [words for words in said if words.startswith("UPDATE delivery")]


def test_without_limits_a_claim_says_to_the_database_what_it_always_did(sqlite_session: Session, clocks: Clocks):
    _, lease = sender(sqlite_session, clocks, ["gmail.com"] * 3 + [OTHERS])
    driver = sqlite_session.connection().connection.driver_connection
    assert driver is not None
    said: list[str] = []
    driver.set_trace_callback(said.append)
    found = claim(sqlite_session, lease, clocks, NO_LIMITS)
    driver.set_trace_callback(None)
    assert len(found.mails) == 4 and not found.line_waits
    begins = [" ".join(words.split()[:3]) for words in said if not words.startswith(("BEGIN", "COMMIT", "--"))]
    assert [words for words, _ in itertools.groupby(begins)] == [  # triggers are told once for each row
        "UPDATE sender SET",
        "SELECT state, frozen_at",
        "SELECT json_group_array(json_array( id,",
        "UPDATE delivery AS",
        "INSERT INTO tally",
    ]


def test_mails_are_claimed_ahead_of_their_time_and_told_when_that_is(session: Session, clocks: Clocks):
    above = google(session, mails=3)
    broadcast, lease = sender(session, clocks, ["gmail.com"] * 10 + [OTHERS] * 2)
    first = claim(session, lease, clocks, above).mails
    settle(session, broadcast, lease, clocks, first, above)
    clocks.pass_(0.9)
    mails = claim(session, lease, clocks, above, lead=0.2).mails
    assert [round(mail.delay, 3) for mail in mails] == [0.102, 0.102, 0.102]


def test_a_limit_of_a_minute_lets_so_many_leave_in_any_minute(session: Session, clocks: Clocks):
    above = google(session, mails=6, interval_s=MINUTE_S)
    broadcast, lease = sender(session, clocks, ["gmail.com"] * 20)
    mails = claim(session, lease, clocks, above).mails
    assert len(mails) == 6
    settle(session, broadcast, lease, clocks, mails, above)
    clocks.pass_(59.9)
    assert claim(session, lease, clocks, above).mails == []
    clocks.pass_(0.5)
    assert len(claim(session, lease, clocks, above).mails) == 6


def test_a_pace_and_the_limit_of_a_domain_hold_together(session: Session, clocks: Clocks):
    above = replace(google(session, mails=3), per_second=5)
    broadcast, lease = sender(session, clocks, ["gmail.com"] * 10 + [OTHERS] * 10)
    mails = claim(session, lease, clocks, above).mails
    while more := claim(session, lease, clocks, above).mails:
        mails += more
    assert domains(mails) == {"gmail.com": 3, OTHERS: 2}
    settle(session, broadcast, lease, clocks, mails, above)
    limits.save(session, replace(NO_LIMITS, per_second=5))
    session.commit()
    assert ledger.next_look(session, broadcast, clocks.reading()) == pytest.approx(1.002, abs=0.01)


def test_a_broadcast_with_nothing_else_is_looked_at_when_its_domain_takes_mails(session: Session, clocks: Clocks):
    above = google(session, mails=2, interval_s=MINUTE_S)
    broadcast, lease = sender(session, clocks, ["gmail.com"] * 5)
    settle(session, broadcast, lease, clocks, claim(session, lease, clocks, above).mails, above)
    assert claim(session, lease, clocks, above).line_waits
    clocks.pass_(20)
    assert ledger.next_look(session, broadcast, clocks.reading()) == pytest.approx(40, abs=1)
    assert ledger.next_due(session, broadcast.id) is None
    assert broadcasts.finish_if_done(session, broadcast.id, clocks.wall) == "sending"


def test_the_rows_of_a_limit_that_is_no_more_are_due_again(session: Session, clocks: Clocks):
    above = google(session, mails=1)
    broadcast, lease = sender(session, clocks, ["gmail.com"] * 8)
    claim(session, lease, clocks, above)
    claim(session, lease, clocks, above)
    [limit] = above.receivers
    assert ledger.standing_in(session, broadcast.id) == [limit.id]
    receivers.remove(session, limit.id, seen=receivers.digest(limit))
    session.commit()
    assert ledger.next_look(session, broadcast, clocks.reading()) == 0.0
    assert [ledger.disband(session, broadcast.id, [limit.id], limit=5) for _ in range(3)] == [5, 2, 0]
    assert len(claim(session, lease, clocks, limits.read(session)).mails) == 7


def test_a_domain_that_is_given_time_is_left_alone_with_all_of_its_receiver(session: Session, clocks: Clocks):
    above = google(session)
    _, lease = sender(session, clocks, ["gmail.com", "googlemail.com", OTHERS])
    until = clocks.wall + timedelta(seconds=30)
    ledger.renew(session, lease, clocks.wall)
    found = ledger.claim(
        session,
        lease,
        10,
        lambda holders: [["x"] for _ in holders],
        clocks.reading(),
        limits=above,
        resting={"gmail.com": until},
    )
    assert domains(found.mails) == {OTHERS: 1}
    again = claim(session, lease, clocks, above)
    assert domains(again.mails) == {"gmail.com": 1, "googlemail.com": 1}


def test_no_more_is_claimed_for_a_receiver_than_its_connections_can_use(session: Session, clocks: Clocks):
    above = google(session, mails=0, connections=1)
    [limit] = above.receivers
    _, lease = sender(session, clocks, ["gmail.com"] * 9 + [OTHERS] * 3)
    found = claim(session, lease, clocks, above, rooms={limit.id: 4})
    assert domains(found.mails) == {"gmail.com": 4, OTHERS: 3} and found.line_waits
    assert claim(session, lease, clocks, above, rooms={limit.id: 0}).mails == []


def test_what_a_dead_sender_had_sent_to_a_domain_counts(session: Session, clocks: Clocks):
    above = google(session, mails=4)
    broadcast, lease = sender(session, clocks, ["gmail.com"] * 20)
    mails = claim(session, lease, clocks, above).mails
    begun = {(mail.delivery_id, mail.attempt) for mail in mails[:3]}
    finding = JournalFinding(is_here=True, boot=clocks.boot, begun=begun)
    assert ledger.recover(session, session.get_one(Sender, lease.sender_id), finding, clocks.reading())
    session.commit()
    assert session.scalars(select(PaceUse.count)).all() == [3]
    other = engine.lease_for(session, broadcast, clocks)
    assert len(claim(session, other, clocks, above).mails) == 1


def test_processes_share_the_connections_to_a_receiver(session: Session, clocks: Clocks):
    [limit] = google(session, mails=0, connections=4).receivers
    one, two = sender(session, clocks, [OTHERS])[1], sender(session, clocks, [OTHERS])[1]

    def share(lease: Lease, holding: int, *, wants: bool = True) -> int:
        return ledger.share_receiver(session, lease, limit, wants=wants, holding=holding, now=clocks.wall)

    assert share(one, 0) == 4, "nobody else wants any"
    assert share(two, 0) == 0
    assert share(one, 4) == 2 and share(two, 0) == 0, "the first may still use them"
    assert share(one, 2) == 2 and share(two, 0) == 2
    assert share(one, 0, wants=False) == 0 and share(two, 2) == 4
    ledger.end_lease(session, two, clocks.wall)
    ledger.leave_receivers(session, two)
    assert share(one, 0) == 4


def test_rows_of_before_the_limit_are_found_too(session: Session, clocks: Clocks):
    """The order of what is due does not matter: one that is tried again meets the limit as well."""
    broadcast, lease = sender(session, clocks, ["gmail.com"] * 3)
    [mail, *_] = claim(session, lease, clocks, NO_LIMITS, limit=1).mails
    ledger.release(session, lease, [mail.delivery_id], clocks.wall)
    session.commit()
    above = google(session, mails=2)
    found = claim(session, lease, clocks, above).mails
    assert len(found) == 2
    assert [row.state for row in engine.rows(session, broadcast)].count(DeliveryState.CLAIMED) == 2
