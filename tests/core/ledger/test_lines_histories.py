"""Random histories under a limit by domain: senders that claim, settle, give back and die, pauses, clocks that are set; and instants.

A mail may leave at any instant from its delay after the claim to its settling. Whatever happened, in no second more than the limit's mails
left to the receiver, from all broadcasts together, nobody got one twice, and who has no limit never waited.
"""

import bisect
import os
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import TAKEN, Clocks
from webapp.core import broadcasts, ledger
from webapp.core.ledger import Claimed, Lease, RecordingSettings, Settled
from webapp.core.ports import JournalFinding
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.limits import Limits
from webapp.core.rules.outcome import judge
from webapp.core.rules.receivers import ReceiverLimit
from webapp.core.settings import limits, receivers
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Sender

HISTORIES = int(os.environ.get("MASSMAIL_HISTORIES", "8"))
MOST = 3
WHICH = st.integers(0, 1)
PLACE = st.integers(0, 99)


@dataclass
class Sending:
    """A broadcast, who sends it now, and what it has claimed and not settled, each with the ticks of the claim."""

    broadcast: Broadcast
    lease: Lease
    out: list[tuple[float, Claimed]]


class Histories(RuleBasedStateMachine):
    """Two broadcasts whose clients are partly at Google."""

    def __init__(self, session: Session, above: Limits) -> None:
        super().__init__()
        self.session, self.above, self.clocks = session, above, Clocks()
        self.sendings: list[Sending] = []
        self.left: list[float] = []
        self.settled: set[int] = set()

    @initialize(at_google=st.lists(st.booleans(), min_size=8, max_size=24))
    def two_that_send(self, at_google: list[bool]) -> None:
        for number, is_there in enumerate(at_google):
            address = (
                f"h{id(self)}-{number}@{('gmail.com', 'googlemail.com')[number % 2] if is_there else 'example.com'}"
            )
            factories.client(self.session, address)
        for _ in range(2):
            broadcast = engine.sending_broadcast(self.session, mails=0)
            self.sendings.append(Sending(broadcast, engine.lease_for(self.session, broadcast, self.clocks), []))

    @rule(which=WHICH, limit=st.integers(1, 8), lead=st.sampled_from([0.0, 0.2]))
    def claim(self, which: int, limit: int, lead: float) -> None:
        sending = self.sendings[which]
        ledger.renew(self.session, sending.lease, self.clocks.wall)
        found = ledger.claim(
            self.session,
            sending.lease,
            limit,
            lambda holders: [["x"] for _ in holders],
            self.clocks.reading(),
            limits=self.above,
            lead=lead,
            promoting=True,
        )
        self.session.commit()
        assert all(mail.delay == 0 for mail in found.mails if mail.receiver is None)
        assert not self.settled & set(engine.ids(found.mails))
        sending.out += [(self.clocks.ticks, mail) for mail in found.mails]

    @rule(which=WHICH, place=PLACE, many=st.integers(1, 4))
    def leave(self, which: int, place: int, many: int) -> None:
        """Some of the claimed mails leave, and their outcome is recorded at once."""
        sending = self.sendings[which]
        mails = [sending.out.pop(place % len(sending.out)) for _ in range(min(many, len(sending.out)))]
        for claimed_at, mail in mails:
            self.clocks.pass_(max(claimed_at + mail.delay - self.clocks.ticks, 0.0))
        self._have_left([mail for _, mail in mails])
        ticks, reply = self.clocks.ticks, TAKEN
        outcomes = [
            Settled(one.delivery_id, one.attempt, one.stamped_at, judge(reply), reply, ticks, receiver=one.receiver)
            for _, one in mails
        ]
        ledger.renew(self.session, sending.lease, self.clocks.wall)
        recording = RecordingSettings.of(sending.broadcast, self.above)
        ledger.record(self.session, sending.lease, outcomes, recording, self.clocks.reading())
        self.session.commit()

    @rule(which=WHICH)
    def give_back(self, which: int) -> None:
        sending = self.sendings[which]
        ledger.release_all(self.session, sending.lease, self.clocks.wall)
        self.session.commit()
        sending.out.clear()

    @rule(which=WHICH, many=st.integers(0, 3))
    def die(self, which: int, many: int) -> None:
        """The process is no more; so many contents were on the wire."""
        sending = self.sendings[which]
        begun = [mail for claimed_at, mail in sending.out if claimed_at + mail.delay <= self.clocks.ticks][:many]
        self._have_left(begun)
        marks = {(mail.delivery_id, mail.attempt) for mail in begun}
        finding = JournalFinding(is_here=True, boot=self.clocks.boot, begun=marks)
        row = self.session.get_one(Sender, sending.lease.sender_id, populate_existing=True)
        assert ledger.recover(self.session, row, finding, self.clocks.reading())
        self.session.commit()
        sending.lease, sending.out = engine.lease_for(self.session, sending.broadcast, self.clocks), []

    @rule(which=WHICH)
    def pause_or_resume(self, which: int) -> None:
        key, now = self.sendings[which].broadcast.id, self.clocks.wall
        match broadcasts.get(self.session, key).state:
            case BroadcastState.SENDING:
                broadcasts.pause(self.session, key, "lunch", now)
            case BroadcastState.PAUSED:
                broadcasts.resume(self.session, key, now)
        self.session.commit()

    @rule(seconds=st.sampled_from([0.05, 0.3, 0.7, 1.1]))
    def time_passes(self, seconds: float) -> None:
        self.clocks.pass_(seconds)

    @precondition(lambda self: self.session.get_bind().dialect.name == "sqlite")
    @rule(hours=st.sampled_from([-1, 1]))
    def the_clock_is_set(self, hours: int) -> None:
        self.clocks.step(3600 * hours)

    @invariant()
    def no_second_saw_more(self) -> None:
        for index, moment in enumerate(self.left):
            assert index + 1 - bisect.bisect_right(self.left, moment - 1) <= MOST

    def teardown(self) -> None:
        for sending in self.sendings:
            broadcasts.cancel(self.session, sending.broadcast.id, self.clocks.wall)
            ledger.release_all(self.session, sending.lease, self.clocks.wall)
            ledger.end_lease(self.session, sending.lease, self.clocks.wall)
        self.session.commit()

    def _have_left(self, mails: list[Claimed]) -> None:
        self.left += [self.clocks.ticks] * sum(mail.receiver is not None for mail in mails)
        self.settled |= set(engine.ids(mails))


def test_in_no_second_more_than_its_share_goes_to_a_domain_whatever_happens(session: Session):
    receivers.add(session, ReceiverLimit(("gmail.com", "googlemail.com"), MOST))
    session.commit()
    above = limits.read(session)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Histories(session, above),
        settings=settings(
            max_examples=HISTORIES,
            phases=[Phase.generate, *([Phase.shrink] if "MASSMAIL_HISTORIES" in os.environ else [])],
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=checks,
            database=None,
        ),
    )
