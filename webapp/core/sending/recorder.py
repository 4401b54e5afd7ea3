"""The recorder: the thread in which a sender's books are kept, so that the relay never waits for a disk."""

import logging
import threading
from collections.abc import Callable

from sqlalchemy.orm import Session

from webapp.core import ledger
from webapp.core.ledger import Claim, Lease, LeaseLost, RowsLost
from webapp.core.rules.pacing import Reading
from webapp.core.sending import trouble
from webapp.core.sending.books import Books
from webapp.core.sending.claims_ahead import ClaimsAhead
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
        self._group = habits.group
        self._books = Books(shell, habits, lease, broadcast, tags, outbox)
        self._ahead = ClaimsAhead(habits.group, habits.connections)
        self._began = self._renewed = self._asked = float("-inf")
        self._claim_at = float("-inf")
        self._behind_since: float | None = None
        self._barren_since: float | None = None
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
            self._books.let_go()

    # One round

    def _round(self) -> None:
        """Renew, record, claim; insisted upon while the database is away."""
        settled = self._outbox.to_record()
        ran_dry = bool(settled) and not self._outbox.queued()
        wanted = lambda reading: self._wanted(reading, len(settled))  # noqa: E731
        claim, reading, connections = self._insist(lambda: self._books.enter(settled, wanted))
        self._outbox.recorded()
        if (verdict := self._outbox.evidence.verdict) is not None:  # which others may have come to
            self._outbox.bar(verdict.words)
        self._renewed = reading.ticks
        self._outbox.deadline = reading.ticks + ledger.LEASE_S - ledger.MARGIN_S
        self._may_hold(connections, reading.ticks)
        self._ahead.counted(len(settled), ran_dry, reading.ticks)
        if claim is None:
            return
        if not claim.is_sending:
            self._outbox.bar("the broadcast is not sending any more")
            return
        if claim.mails:
            self._outbox.add(claim.mails, reading.ticks)
        self._plan(claim, reading)
        self._consider_help(claim, reading.ticks)

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
        """How many mails to claim now, while so many outcomes are recorded; none where it is known that there are none."""
        if reading.ticks < self._claim_at and not recording:
            return 0
        outbox = self._outbox
        return self._ahead.wanted - (outbox.held() - outbox.under_way()) + recording

    def _plan(self, claim: Claim, reading: Reading) -> None:
        """When to try to claim next: with the next group, or when the pace allows or a row is due again."""
        self._claim_at = float("-inf")
        if claim.next_in is not None:
            self._claim_at = reading.ticks + max(claim.next_in - self._habits.lead_s, 0.0)
        if claim.exhausted or not (claim.mails or claim.next_in):
            self._claim_at = max(self._claim_at, reading.ticks + self._habits.promote_s)
        if self._outbox.held():
            return
        if claim.exhausted and (verdict := self._outbox.evidence.nothing_left()) is not None:
            self._outbox.bar(verdict.words)
        else:
            self._consider_leaving(claim)
        if self._books.relay.health.is_waiting and not self._books.relay.is_probing and claim.next_in is not None:
            self._claim_at = reading.ticks + claim.next_in  # no earlier: the right to probe begins then

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
            stays = self._outbox.is_opening() or self._stays_for_the_relay(reading.ticks)
            if next_in > self._habits.lead_s and not stays and self._shell.somebody_waits():
                self._outbox.bar("others wait")

    def _next_look(self, reading: Reading) -> float | None:
        with Session(self._shell.engine) as session:
            broadcast = session.get_one(Broadcast, self._lease.broadcast_id)
            return ledger.next_look(session, broadcast, reading, relay_key=self._shell.relay_key)

    def _consider_help(self, claim: Claim, ticks: float) -> None:
        """There is always more to send than this process gets rid of: another may join."""
        if not claim.is_behind:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = ticks
        elif ticks - self._behind_since >= self._habits.help_s:
            self._behind_since = ticks
            self._shell.call_for_help()

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
            if unsettled and not outbox.under_way() and outbox.waits_for_others():
                return
            moments = [self._renewed + ledger.RENEW_S]
            if first_seen is not None:
                moments.append(first_seen + habits.latest_s)
            if outbox.queued() < min(self._group, self._ahead.wanted // 2):
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
        elif (
            self._has_had_its_turn(ticks)
            and not self._outbox.is_opening()
            and (self._books.others_have_none or self._shell.somebody_waits())
        ):
            self._outbox.bar("others wait")

    def _has_had_its_turn(self, ticks: float) -> bool:
        """It has worked for a slice of time, or has nothing to do for a while: the worker may go to somebody else."""
        is_idle = not self._outbox.held() and self._claim_at - ticks > self._habits.lead_s
        return (is_idle and not self._stays_for_the_relay(ticks)) or ticks - self._began > self._habits.slice_s

    def _stays_for_the_relay(self, ticks: float) -> bool:
        """All broadcasts wait for the same relay: to make room for each other at once would only keep the worker busy."""
        relay = self._books.relay
        is_waiting = relay.health.is_waiting and not relay.is_probing
        return is_waiting and ticks - self._began < self._habits.stay_s

    # The end, and when the database is away

    def _drain(self) -> None:
        """Nothing more is handed over: record what the relay still answers, and hold the lease until the last mail is settled."""
        while True:
            has_ended = self._mailer_has_ended.is_set()
            has_to_conclude = self._outbox.evidence.verdict is not None and not self._books.has_concluded
            if self._outbox.unsettled() or has_to_conclude:
                self._round()
            elif has_ended:
                return
            elif self._shell.ticks() - self._renewed >= ledger.RENEW_S:
                self._round()
            else:
                self._mailer_has_ended.wait(self._habits.latest_s)

    def _finish(self) -> None:
        """Give back what was not begun, end the lease, and see whether the broadcast is done."""

        self._insist(self._books.close)

    def _insist(self, transaction: Callable):
        """Run a transaction until the database takes it. Meanwhile nothing is handed over, and what the relay answers is safe in the
        journal; after `patience_s` it is left there for the sweep."""
        began = self._shell.ticks()
        while True:
            try:
                result = transaction()
            except (LeaseLost, RowsLost):
                self._books.roll_back()
                raise
            except Exception as error:
                self._books.roll_back()
                if not trouble.is_of_the_database(self._shell.engine, error):
                    raise
                if self._shell.ticks() - began > self._habits.patience_s:
                    raise
                log.warning("broadcast %s: the database takes nothing: %s", self._lease.broadcast_id, error)
                self._books.may_have_claimed_more()
                self._outbox.hold(True)
                self._outbox.sync_journal()
                with self._outbox.changed:
                    self._outbox.changed.wait(self._habits.retry_s)
            else:
                self._outbox.hold(False)
                return result
