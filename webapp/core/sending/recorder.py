"""The recorder: the sender's hand in the database, in a thread of its own, so that the relay never waits for a disk.

Each round is one transaction: the lease renewed, the outcomes of the last group, the intents of the next.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.core import broadcasts, ledger, limits, tag_catalogue
from webapp.core.ledger import Claim, Lease, LeaseLost, RowsLost, Settled
from webapp.core.ledger.claims import Holder
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.limits import NO_LIMITS
from webapp.core.rules.pacing import Reading
from webapp.core.sending import trouble
from webapp.core.sending.outbox import Outbox
from webapp.core.sending.surroundings import Habits, Shell
from webapp.core.tables.broadcasts import Broadcast

ASK_S = 0.25
"""How often the surroundings are asked whether to go on."""

log = logging.getLogger(__name__)


class Recorder(threading.Thread):
    """Runs from `start` until the broadcast has nothing more for this process; then `outbox.barred` is set and all is recorded.

    `error` is what broke it, if anything did; what is not recorded then stands in the journal. `next_in` is when to look again.
    """

    def __init__(
        self, shell: Shell, habits: Habits, lease: Lease, broadcast: Broadcast, tags: tuple[str, ...], outbox: Outbox
    ) -> None:
        super().__init__(name=f"recorder of broadcast {lease.broadcast_id}")
        self.error: BaseException | None = None
        self._shell, self._habits, self._lease, self._outbox = shell, habits, lease, outbox
        self._broadcast, self._tags = broadcast, tags
        self._limits = NO_LIMITS
        self._limits_read = float("-inf")
        self._group = habits.group
        self._session = Session(shell.engine, expire_on_commit=False)
        self._is_probing = broadcast.probing
        self._relay_errors = broadcast.relay_errors
        self._has_paused = False
        self._began = self._renewed = self._asked = self._promoted = float("-inf")
        self._claim_at = float("-inf")
        self._behind_since: float | None = None
        self._barren_since: float | None = None
        self._others_have_none = False
        self._in_hand: set[int] = set()
        self._may_have_claimed_more = False
        self._mailer_has_ended = threading.Event()

    def mailer_has_ended(self) -> None:
        """Every mail taken is settled: record what is left and end."""
        self._mailer_has_ended.set()
        self._outbox.bar("the mailer has ended")

    def run(self) -> None:
        self._began = self._shell.ticks()
        try:
            while not self._outbox.barred:
                self._round()
                self._wait()
            self._drain()
            self._finish()
        except LeaseLost as error:
            log.warning("broadcast %s: taken over by the sweep, stopping (%s)", self._lease.broadcast_id, error)
        except BaseException as error:
            self.error = error
        finally:
            self._outbox.bar("the recorder has ended")
            self._session.close()

    # One round

    def _round(self) -> None:
        """Renew, record, claim; insisted upon while the database is away."""
        settled = self._outbox.to_record()
        claim, reading = self._insist(lambda: self._transaction(settled))
        self._outbox.recorded()
        self._in_hand.difference_update(one.delivery_id for one in settled)
        self._renewed = reading.ticks
        self._outbox.deadline = reading.ticks + ledger.LEASE_S - ledger.MARGIN_S
        if claim is None:
            return
        if not claim.is_sending:
            self._outbox.bar("the broadcast is not sending any more")
            return
        if claim.mails:
            self._in_hand.update(mail.delivery_id for mail in claim.mails)
            self._outbox.add(claim.mails, reading.ticks)
        self._plan(claim, reading)
        self._consider_help(claim, reading.ticks)

    def _transaction(self, settled: list[Settled]) -> tuple[Claim | None, Reading]:
        session, lease, outbox = self._session, self._lease, self._outbox
        self._shell.prepare(session)
        reading = self._shell.reading()
        ledger.renew(session, lease, reading.wall)
        if self._may_have_claimed_more:
            ledger.release_all(session, lease, reading.wall, but=self._in_hand)
        relay_errors = outbox.breaker.in_a_row
        if relay_errors != self._relay_errors:
            broadcasts.remember_relay_errors(session, lease.broadcast_id, relay_errors)
        allowed = self._heed_limits(session, reading)
        got_through = False
        if settled:
            ledger.record(session, lease, settled, ledger.Terms.of(self._broadcast, self._limits), reading)
            if self._is_probing and any(one.outcome.state is DeliveryState.ACCEPTED for one in settled):
                got_through = True
                broadcasts.probe_succeeded(session, lease.broadcast_id)
        is_ill = outbox.breaker.opened_by is not None
        if is_ill and not self._has_paused:
            self._pause(session, reading)
        claim: Claim | None = None
        wanted = 0 if outbox.barred or allowed == 0 else self._wanted(reading, len(settled))
        if wanted > 0:
            promoting = reading.ticks - self._promoted >= self._habits.promote_s
            lead = self._habits.lead_s
            claim = ledger.claim(
                session,
                lease,
                wanted,
                self._load_values,
                reading,
                lead=lead,
                promoting=promoting,
                limits=self._limits,
                is_careful=self._is_probing and not got_through,
            )
            if promoting:
                self._promoted = reading.ticks
        session.commit()
        self._relay_errors = relay_errors
        self._may_have_claimed_more = False
        self._may_hold(allowed, reading.ticks)
        self._has_paused = is_ill
        self._is_probing = self._is_probing and not got_through
        return claim, reading

    def _heed_limits(self, session: Session, reading: Reading) -> int | None:
        """Look at what stands above all broadcasts, now and then: an administrator may change it, and senders come and go. Returns how many
        connections this process may hold; None for any number."""
        allowed = self._outbox.connections_allowed
        if reading.ticks - self._limits_read < self._habits.limits_s:
            return allowed
        self._limits, self._limits_read = limits.read(session), reading.ticks
        limit, wanted = self._limits.connections, self._habits.connections
        if not limit:
            self._others_have_none = False
            return None
        # The mailer may still open as many as it was allowed until it has heard of the smaller number.
        holding = max(self._outbox.connections_held, allowed or 0)
        allowed, self._others_have_none = ledger.share_connections(
            session, self._lease, limit, wanted=wanted, holding=holding, now=reading.wall
        )
        return allowed

    def _may_hold(self, connections: int | None, ticks: float) -> None:
        """Let the mailer have them. Where there are none for this process, it waits a little for others to let go, and leaves."""
        self._outbox.allow(connections)
        if connections != 0:
            self._barren_since = None
            return
        self._claim_at = ticks + self._habits.limits_s
        self._barren_since = ticks if self._barren_since is None else self._barren_since
        if ticks - self._barren_since >= self._habits.near_s:
            self._outbox.bar("all connections that the relay may be given are in use")

    def _wanted(self, reading: Reading, recording: int) -> int:
        """How many mails to claim now, while so many outcomes are recorded: two groups beside what is at the relay, so that one is still
        there when the next is claimed; unless it is known that there are none."""
        if reading.ticks < self._claim_at and not recording:
            return 0
        outbox = self._outbox
        return 2 * self._group - (outbox.held() - outbox.under_way()) + recording

    def _plan(self, claim: Claim, reading: Reading) -> None:
        """When to try to claim next: with the next group, or when the pace allows or a row is due again."""
        self._claim_at = float("-inf")
        if claim.next_in is not None:
            self._claim_at = reading.ticks + max(claim.next_in - self._habits.lead_s, 0.0)
        if claim.exhausted or not (claim.mails or claim.next_in):
            self._claim_at = max(self._claim_at, reading.ticks + self._habits.promote_s)
        if not self._outbox.held():
            self._consider_leaving(claim)

    def _consider_leaving(self, claim: Claim) -> None:
        """Nothing is in hand: leave the worker to others unless the next mail is near."""
        reading = self._shell.reading()
        next_in = self._insist(lambda: self._next_look(reading))
        if next_in is not None:
            next_in = max(next_in, claim.next_in or 0.0)
        if next_in is None or next_in > self._habits.near_s:
            self._outbox.bar("nothing is due")
        else:
            self._claim_at = reading.ticks + max(next_in - self._habits.lead_s, 0.0)
            if next_in > self._habits.lead_s and self._shell.somebody_waits():
                self._outbox.bar("others wait")

    def _next_look(self, reading: Reading) -> float | None:
        with Session(self._shell.engine) as session:
            return ledger.next_look(session, session.get_one(Broadcast, self._lease.broadcast_id), reading)

    def _consider_help(self, claim: Claim, ticks: float) -> None:
        """There is always more to send than this process gets rid of: another may join."""
        if not claim.is_behind:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = ticks
        elif ticks - self._behind_since >= self._habits.help_s:
            self._behind_since = ticks
            self._shell.call_for_help()

    def _pause(self, session: Session, reading: Reading) -> None:
        reason = self._outbox.breaker.opened_by
        broadcasts.stop(session, self._lease.broadcast_id, reason, reading.wall, probing=True)

    def _load_values(self, holders: Sequence[Holder]) -> list[list[str]]:
        now = self._shell.reading().wall
        return tag_catalogue.load_values(self._session, holders, self._tags, broadcast=self._broadcast, now=now)

    # Waiting

    def _wait(self) -> None:
        """Until there is something to do: outcomes enough or old enough, room for more mails, a lease to renew, a mail to let go."""
        outbox, habits = self._outbox, self._habits
        first_seen: float | None = None
        while not outbox.barred:
            ticks = self._shell.ticks()
            self._ask(ticks)
            unsettled = outbox.unsettled()
            if unsettled and first_seen is None:
                first_seen = ticks
            if unsettled >= self._group or (first_seen is not None and ticks - first_seen >= habits.latest_s):
                return
            moments = [self._renewed + ledger.RENEW_S]
            if first_seen is not None:
                moments.append(first_seen + habits.latest_s)
            if outbox.queued() < self._group:
                moments.append(self._claim_at)
            if min(moments) <= ticks:
                return
            release = outbox.next_release()
            if release is not None:
                moments.append(release)
            with outbox.changed:
                if outbox.unsettled() == unsettled and not outbox.barred:
                    outbox.changed.wait(max(min(min(moments) - ticks, ASK_S), 0.0))
            if release is not None and self._shell.ticks() >= release:
                outbox.wake()

    def _ask(self, ticks: float) -> None:
        """Now and then, whether this process should end or make room."""
        if ticks - self._asked < ASK_S:
            return
        self._asked = ticks
        if self._shell.must_stop():
            self._outbox.bar("the process is asked to end")
        elif self._has_had_its_turn(ticks) and (self._others_have_none or self._shell.somebody_waits()):
            self._outbox.bar("others wait")

    def _has_had_its_turn(self, ticks: float) -> bool:
        """It has worked for a slice of time, or has nothing to do for a while: the worker may go to somebody else."""
        is_idle = not self._outbox.held() and self._claim_at - ticks > self._habits.lead_s
        return is_idle or ticks - self._began > self._habits.slice_s

    # The end, and when the database is away

    def _drain(self) -> None:
        """Nothing more is handed over: record what the relay still answers, and hold the lease until the last mail is settled."""
        while True:
            has_ended = self._mailer_has_ended.is_set()
            has_to_pause = self._outbox.breaker.opened_by is not None and not self._has_paused
            if self._outbox.unsettled() or has_to_pause:
                self._round()
            elif has_ended:
                return
            elif self._shell.ticks() - self._renewed >= ledger.RENEW_S:
                self._round()
            else:
                self._mailer_has_ended.wait(self._habits.latest_s)

    def _finish(self) -> None:
        """Give back what was not begun, end the lease, and see whether the broadcast is done."""

        def last() -> None:
            self._shell.prepare(self._session)
            now = self._shell.reading().wall
            ledger.renew(self._session, self._lease, now)
            ledger.release_all(self._session, self._lease, now)
            ledger.end_lease(self._session, self._lease, now)
            self._session.commit()

        self._insist(last)

    def _insist(self, transaction: Callable):
        """Run a transaction until the database takes it. Meanwhile nothing is handed over, and what the relay answers is safe in the
        journal; after `patience_s` it is left there for the sweep."""
        began = self._shell.ticks()
        while True:
            try:
                result = transaction()
            except (LeaseLost, RowsLost):
                self._roll_back()
                raise
            except Exception as error:
                self._roll_back()
                if not trouble.is_of_the_database(self._shell.engine, error):
                    raise
                if self._shell.ticks() - began > self._habits.patience_s:
                    raise
                log.warning("broadcast %s: the database takes nothing: %s", self._lease.broadcast_id, error)
                self._may_have_claimed_more = (
                    True  # it may have been committed all the same, and only the answer was lost
                )
                self._outbox.hold(True)
                self._outbox.sync_journal()
                with self._outbox.changed:
                    self._outbox.changed.wait(self._habits.retry_s)
            else:
                self._outbox.hold(False)
                return result

    def _roll_back(self) -> None:
        """Whatever is left of the transaction is undone; with a connection that is lost it is already."""
        self._limits_read = float("-inf")
        try:
            self._session.rollback()
        except DBAPIError:
            self._session.invalidate()
