"""The recorder: the thread that keeps a sender's books, so that the relay never waits for a disk."""

import contextvars
import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.core import ledger
from webapp.core.cadence import ASK_RUNTIME_S, KEYS_EVERY_S, LEASE_S, MARGIN_S, RENEW_S
from webapp.core.ledger import Claim, Lease, LeaseLost, RowsLost
from webapp.core.rules.pacing import Reading
from webapp.core.sending import failures
from webapp.core.sending.books import Books
from webapp.core.sending.claims_ahead import ClaimsAhead
from webapp.core.sending.exchange import SendExchange
from webapp.core.sending.runtime import Runtime, SenderSettings
from webapp.core.sending.signed import MailSource
from webapp.core.tables.broadcasts import Broadcast

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Recorder(threading.Thread):
    """Runs from `start` until the broadcast has nothing more for this process; then `exchange.barred` is set and all is recorded.

    `error` is what broke it, if anything did; then the journal has the outcomes that are not recorded. `look_again` is called now and then,
    as the keys that sign may be others by then.
    """

    def __init__(
        self,
        runtime: Runtime,
        settings: SenderSettings,
        lease: Lease,
        broadcast: Broadcast,
        content: MailSource,
        exchange: SendExchange,
        look_again: Callable[[Engine], None] | None = None,
    ) -> None:
        super().__init__(name=f"recorder of broadcast {lease.broadcast_id}")
        self.error: BaseException | None = None
        self._runtime, self._settings, self._lease, self._exchange = runtime, settings, lease, exchange
        self._group = settings.group
        self._books = Books(runtime, settings, lease, broadcast, content, exchange)
        self._ahead = ClaimsAhead(settings.group, settings.connections)
        self._look_again, self._looked_at = look_again, runtime.ticks()
        self._began = self._renewed = self._asked = float("-inf")
        self._claim_at = float("-inf")
        self._behind_since: float | None = None
        self._barren_since: float | None = None
        self._mailer_has_ended = threading.Event()
        self._context = contextvars.copy_context()  # in which job this is, for what is logged

    def mailer_has_ended(self) -> None:
        """Every mail that the mailer took is settled: record the remaining outcomes and end."""
        self._mailer_has_ended.set()
        self._exchange.bar("the mailer has ended")

    def run(self) -> None:
        self._context.run(self._keep_books)

    def _keep_books(self) -> None:
        self._began = self._runtime.ticks()
        try:
            while not self._exchange.barred:
                self._round()
                self._wait()
            self._drain()
            self._finish()
        except LeaseLost as error:
            log.warning("broadcast %s: taken over by the sweep, stopping (%s)", self._lease.broadcast_id, error)
        except BaseException as error:
            self.error = error
        finally:
            self._exchange.bar("the recorder has ended")
            self._books.let_go()

    # One round

    def _round(self) -> None:
        """Renew, record, claim; try again while the database is away."""
        if self._look_again is not None and self._runtime.ticks() - self._looked_at >= KEYS_EVERY_S:
            look_again, self._looked_at = self._look_again, self._runtime.ticks()
            self._insist(lambda: look_again(self._runtime.engine))
        settled = self._exchange.to_record()
        ran_dry = bool(settled) and not self._exchange.queued()
        wanted = lambda reading: self._wanted(reading, len(settled))  # noqa: E731
        consent = self._exchange.consent()
        claim, reading, connections = self._insist(lambda: self._books.enter(settled, wanted))
        self._exchange.recorded()
        if (verdict := self._exchange.evidence.verdict) is not None:  # other senders may have come to it
            self._exchange.bar(verdict.words)
        self._renewed = reading.ticks
        self._exchange.deadline = reading.ticks + LEASE_S - MARGIN_S
        self._may_hold(connections, reading.ticks)
        self._ahead.counted(len(settled), ran_dry, reading.ticks)
        if claim is None:
            return
        if not claim.is_sending:
            self._exchange.bar("the broadcast is not sending any more")
            return
        if claim.mails:
            self._exchange.add(claim.mails, reading.ticks, consent)
        self._plan(claim, reading)
        self._consider_help(claim, reading.ticks)

    def _may_hold(self, connections: int | None, ticks: float) -> None:
        """Let the mailer hold `connections`. With none for this process, it waits `near_s` seconds for others to let go, and then ends."""
        self._exchange.allow(connections)
        if connections != 0:
            self._barren_since = None
            return
        self._claim_at = ticks + self._settings.limits_s
        self._barren_since = ticks if self._barren_since is None else self._barren_since
        if ticks - self._barren_since >= self._settings.near_s:
            self._exchange.bar("all connections that the relay may be given are in use")

    def _wanted(self, reading: Reading, recording: int) -> int:
        """How many mails to claim now, while `recording` outcomes are recorded; 0 when none can be due yet."""
        if reading.ticks < self._claim_at and not recording:
            return 0
        exchange = self._exchange
        in_order = exchange.held() - exchange.lines.mails - exchange.under_way()
        return self._ahead.wanted - in_order + recording

    def _plan(self, claim: Claim, reading: Reading) -> None:
        """Plan the next claim: with the next group, or when the pace allows it or a row is due again."""
        self._claim_at = float("-inf")
        if claim.next_in is not None:
            self._claim_at = reading.ticks + max(claim.next_in - self._settings.lead_s, 0.0)
        if claim.exhausted or not (claim.mails or claim.next_in or claim.is_cut_short or claim.line_waits):
            self._claim_at = max(self._claim_at, reading.ticks + self._settings.promote_s)
        line_at = reading.ticks + self._line_opens_in(claim)
        self._claim_at = max(self._claim_at, line_at)
        if self._exchange.held():
            return
        if claim.exhausted and (verdict := self._exchange.evidence.nothing_left()) is not None:
            self._exchange.bar(verdict.words)
        else:
            self._consider_leaving(claim)
            self._claim_at = max(self._claim_at, line_at)
        if self._books.relay.health.is_waiting and not self._books.relay.is_probing and claim.next_in is not None:
            self._claim_at = reading.ticks + claim.next_in  # not earlier: the right to probe begins then

    def _line_opens_in(self, claim: Claim) -> float:
        """For how many seconds nothing can be claimed because all that is due waits for the limits of its receivers. Other rows may become
        due meanwhile, and shares of these limits free."""
        if not claim.line_waits:
            return 0.0
        if claim.line_next_in is None:
            return self._settings.promote_s
        return min(max(claim.line_next_in - self._settings.lead_s, 0.0), self._settings.promote_s)

    def _consider_leaving(self, claim: Claim) -> None:
        """Nothing is in hand: leave the worker to others, unless the next mail is near."""
        reading = self._runtime.reading()
        next_in = self._insist(lambda: self._next_look(reading))
        if next_in is not None:
            next_in = max(next_in, claim.next_in or 0.0)
        if next_in is None or next_in > self._settings.near_s:
            self._exchange.bar("nothing is due")
        else:
            self._claim_at = reading.ticks + max(next_in - self._settings.lead_s, 0.0)
            stays = self._exchange.is_opening() or self._stays_for_the_relay(reading.ticks)
            if next_in > self._settings.lead_s and not stays and self._runtime.somebody_waits():
                self._exchange.bar("others wait")

    def _next_look(self, reading: Reading) -> float | None:
        with Session(self._runtime.engine) as session:
            broadcast = session.get_one(Broadcast, self._lease.broadcast_id)
            return ledger.next_look(session, broadcast, reading, relay_key=self._runtime.relay_key)

    def _consider_help(self, claim: Claim, ticks: float) -> None:
        """Call for another process when there was more to send than this one can send for `help_s` seconds."""
        if not claim.is_behind:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = ticks
        elif ticks - self._behind_since >= self._settings.help_s:
            self._behind_since = ticks
            self._runtime.call_for_help()

    # Waiting

    def _wait(self) -> None:
        """Wait until there is something to do: enough outcomes or an old one, room for mails, a lease to renew, a mail that may leave."""
        exchange, settings = self._exchange, self._settings
        first_seen: float | None = None
        while not exchange.barred:
            ticks = self._runtime.ticks()
            self._ask(ticks)
            unsettled = exchange.unsettled()
            if unsettled and first_seen is None:
                first_seen = ticks
            if unsettled >= self._group or (first_seen is not None and ticks - first_seen >= settings.latest_s):
                return
            if unsettled and not exchange.under_way() and exchange.waits_for_others():
                return
            moments = [self._renewed + RENEW_S]
            if first_seen is not None:
                moments.append(first_seen + settings.latest_s)
            if exchange.queued() < min(self._group, self._ahead.wanted // 2):
                moments.append(self._claim_at)
            if min(moments) <= ticks:
                return
            release = exchange.next_release()
            if release is not None:
                moments.append(release)
            with exchange.changed:
                if exchange.unsettled() == unsettled and not exchange.barred:
                    exchange.changed.wait(max(min(min(moments) - ticks, ASK_RUNTIME_S), 0.0))
            if release is not None and self._runtime.ticks() >= release:
                exchange.wake()

    def _ask(self, ticks: float) -> None:
        """Ask every ASK_RUNTIME_S seconds whether this process should end or make room."""
        if ticks - self._asked < ASK_RUNTIME_S:
            return
        self._asked = ticks
        if self._runtime.must_stop():
            self._exchange.bar("the process is asked to end")
        elif (
            self._has_had_its_turn(ticks)
            and not self._exchange.is_opening()
            and (self._books.others_have_none or self._runtime.somebody_waits())
        ):
            self._exchange.bar("others wait")

    def _has_had_its_turn(self, ticks: float) -> bool:
        """Whether it has worked for `slice_s` seconds, or has nothing to do for a while: then another job may have the worker."""
        is_idle = not self._exchange.held() and self._claim_at - ticks > self._settings.lead_s
        return (is_idle and not self._stays_for_the_relay(ticks)) or ticks - self._began > self._settings.slice_s

    def _stays_for_the_relay(self, ticks: float) -> bool:
        """Whether to stay because all broadcasts wait for the same relay: making room for each other would only keep the worker busy."""
        relay = self._books.relay
        is_waiting = relay.health.is_waiting and not relay.is_probing
        return is_waiting and ticks - self._began < self._settings.stay_s

    # The end, and when the database is away

    def _drain(self) -> None:
        """Nothing more is handed over: record what the relay still answers, and renew the lease until the last mail is settled."""
        while True:
            has_ended = self._mailer_has_ended.is_set()
            has_to_conclude = self._exchange.evidence.verdict is not None and not self._books.has_concluded
            if self._exchange.unsettled() or has_to_conclude:
                self._round()
            elif has_ended:
                return
            elif self._runtime.ticks() - self._renewed >= RENEW_S:
                self._round()
            else:
                self._mailer_has_ended.wait(self._settings.latest_s)

    def _finish(self) -> None:
        """Give back what was not begun, end the lease, and see whether the broadcast is done."""

        self._insist(self._books.close)

    def _insist(self, transaction: Callable[[], Result]) -> Result:
        """Run a transaction until the database takes it. Meanwhile nothing is handed over, and the journal keeps what the relay answers;
        after `patience_s` seconds the sweep has to read it there."""
        began = self._runtime.ticks()
        while True:
            try:
                result = transaction()
            except (LeaseLost, RowsLost):
                self._books.roll_back()
                raise
            except Exception as error:
                self._books.roll_back()
                if not failures.is_of_the_database(self._runtime.engine, error):
                    raise
                if self._runtime.ticks() - began > self._settings.patience_s:
                    raise
                log.warning("broadcast %s: the database takes nothing: %s", self._lease.broadcast_id, error)
                self._books.may_have_claimed_more()
                self._exchange.hold(True)
                self._exchange.sync_journal()
                with self._exchange.changed:
                    self._exchange.changed.wait(self._settings.retry_s)
            else:
                self._exchange.hold(False)
                return result
