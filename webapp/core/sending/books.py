"""The books of a sending process: each round is one transaction. It renews the lease, records the outcomes of the last group and claims the
next one. The comments in `enter` give the order of the steps, with the reasons."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.core import broadcasts, ledger
from webapp.core.cadence import PROBE_S
from webapp.core.content import tag_catalogue
from webapp.core.ledger import Claim, Lease, Settled
from webapp.core.ledger.claims import Holder
from webapp.core.rules.evidence import Verdict, VerdictKind
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.limits import NO_LIMITS
from webapp.core.rules.pacing import Reading
from webapp.core.sending.exchange import SendExchange
from webapp.core.sending.receiver_keeper import ReceiverKeeper
from webapp.core.sending.relay_keeper import RelayKeeper
from webapp.core.sending.runtime import Runtime, SenderSettings
from webapp.core.sending.signed import MailSource
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast

log = logging.getLogger(__name__)

_WHY = {
    VerdictKind.WAITING: "the relay was waited for too long",
    VerdictKind.REFUSING: "the relay refuses",
    VerdictKind.CONTENT: "many are refused for what the mail says",
}


class Entry(NamedTuple):
    """What a transaction has done: its claim, if it made one; its time; how many connections this process may hold (None: any number)."""

    claim: Claim | None
    reading: Reading
    connections: int | None


class Books:
    """What one sender writes in the database. `in_hand` are the ids of mails that are claimed and not recorded. `has_concluded`: the
    verdict of the evidence stands in the database. `others_have_none`: another process has no connections."""

    def __init__(
        self,
        runtime: Runtime,
        settings: SenderSettings,
        lease: Lease,
        broadcast: Broadcast,
        content: MailSource,
        exchange: SendExchange,
    ) -> None:
        self.relay = RelayKeeper(runtime, lease, exchange)
        self.in_hand: set[int] = set()
        self.has_concluded = False
        self.others_have_none = False
        self._runtime, self._settings, self._lease, self._exchange = runtime, settings, lease, exchange
        self._broadcast, self._content = broadcast, content
        self._session = Session(runtime.engine, expire_on_commit=False)
        self._limits, self._limits_read = NO_LIMITS, float("-inf")
        self._receivers = ReceiverKeeper(lease, exchange)
        self._is_probing = broadcast.probing
        self._has_delivered = exchange.evidence.has_delivered
        self._run_is_open = bool(exchange.evidence.run)
        self._relay_errors = broadcast.relay_errors
        self._promoted = float("-inf")
        self._may_have_claimed_more = False

    def enter(self, settled: list[Settled], wanted: Callable[[Reading], int]) -> Entry:
        """One transaction. `wanted` tells how many mails to claim. Raises LeaseLost and RowsLost. After any error call `roll_back`, then
        enter the same again."""
        session, lease, exchange = self._session, self._lease, self._exchange
        evidence = exchange.evidence
        self._runtime.prepare(session)
        reading = self._runtime.reading()
        # The lease is renewed first: a sender that lost it changes nothing.
        ledger.renew(session, lease, reading.wall)
        if self._may_have_claimed_more:
            ledger.release_all(session, lease, reading.wall, but=self.in_hand)
        # The relay's row is locked before that of the limits and of the broadcast, everywhere in this order.
        was_well = self.relay.is_well
        self.relay.look(session, settled, reading, self._settings.limits_s)
        verdict = evidence.verdict
        if verdict is not None and not self.has_concluded:
            self.relay.conclude(session, verdict, self._limits, reading)
        allowed = self._heed_limits(session, reading)
        relay_errors = evidence.in_a_row
        if relay_errors != self._relay_errors:
            broadcasts.remember_relay_errors(session, lease.broadcast_id, relay_errors)
        # The outcomes of the last group, and what the verdict makes of the broadcast.
        got_through = self._record(session, settled, reading)
        if verdict is not None:
            self._give_back(session, verdict, reading)
            if not self.has_concluded:
                self._conclude(session, verdict, reading)
        elif verdict is None and self.relay.health.is_refusing:
            self._pause(session, self.relay.health.words, reading)
        # The next group.
        claim: Claim | None = None
        most = 0 if exchange.barred or allowed == 0 else wanted(reading)
        if most > 0:
            claim = self._claim(session, most, reading, got_through)
        session.commit()
        if verdict is not None and not self.has_concluded:
            self._tell(verdict, reading)
        elif not was_well and self.relay.is_well:
            about = {"event": "relay_well", "broadcast": lease.broadcast_id}
            log.info("broadcast %s: the relay takes mails again", lease.broadcast_id, extra=about)
        self._relay_errors = relay_errors
        self._may_have_claimed_more = False
        self.has_concluded = verdict is not None
        self._is_probing = self._is_probing and not got_through
        self.in_hand.difference_update(one.delivery_id for one in settled)
        if claim is not None:
            self.in_hand.update(mail.delivery_id for mail in claim.mails)
        return Entry(claim, reading, allowed)

    def _record(self, session: Session, settled: list[Settled], reading: Reading) -> bool:
        """Record outcomes. Returns whether a mail that felt the way got through."""
        if not settled:
            return False
        took = any(one.outcome.state is DeliveryState.ACCEPTED for one in settled)
        ledger.record(
            session,
            self._lease,
            settled,
            ledger.RecordingSettings.of(self._broadcast, self._limits),
            reading,
            has_delivered=self._has_delivered,
            run_is_open=self._run_is_open,
        )
        self._has_delivered = self._has_delivered or took
        self._run_is_open = any(one.outcome.state is not DeliveryState.ACCEPTED for one in settled) or (
            self._run_is_open and not took
        )
        if self._run_is_open or self._exchange.evidence.run:
            self._share_evidence(settled)
        if self._is_probing and took:
            broadcasts.probe_succeeded(session, self._lease.broadcast_id)
            return True
        return False

    def _share_evidence(self, settled: list[Settled]) -> None:
        """Learn the refusals that all senders of the broadcast have met, and add the own ones that are not recorded yet: otherwise each
        sender would let as many mails be refused."""
        evidence, recorded = self._exchange.evidence, {one.delivery_id for one in settled}
        known = ledger.open_refusals(self._session, self._lease.broadcast_id)
        # Only now: what the mailer's thread saw while the database answered must not be forgotten.
        unrecorded = self.in_hand - recorded
        own = [one for one in evidence.run if one.delivery_id in unrecorded]
        evidence.know(known, own)
        self._exchange.wake()

    def _claim(self, session: Session, wanted: int, reading: Reading, got_through: bool) -> Claim:
        relay = self.relay
        if relay.health.is_waiting and not relay.is_probing and relay.begin_probe(session, reading):
            self._exchange.evidence.begin_probe()
        waits = relay.health.is_waiting and not relay.is_probing
        promoting = reading.ticks - self._promoted >= self._settings.promote_s
        claim = ledger.claim(
            session,
            self._lease,
            0 if waits else wanted,
            self._load_values,
            reading,
            lead=self._settings.lead_s,
            promoting=promoting,
            limits=self._limits,
            is_careful=self._is_probing and not got_through,
            is_probe=relay.is_probing,
            resting=relay.resting,
            rooms=self._receivers.rooms(),
        )
        if promoting:
            self._promoted = reading.ticks
        if waits and claim.is_sending:
            claim.next_in = max(relay.health.next_try_in(reading.wall), PROBE_S)
        return claim

    def _give_back(self, session: Session, verdict: Verdict, reading: Reading) -> None:
        """Give back mails that failed because of the relay, also those that were on their way when the verdict came."""
        health, now = self.relay.health, reading.wall
        if self._run_is_open:
            due_at = health.next_try_at if health.is_waiting and health.next_try_at else now
            ledger.were_the_relays(
                session, self._lease.broadcast_id, self._lease.sender_id, now, due_at, key=verdict.key
            )
            self._run_is_open = False

    def _conclude(self, session: Session, verdict: Verdict, reading: Reading) -> None:
        """The relay takes nothing now: the broadcast waits or pauses."""
        health = self.relay.health
        if verdict.kind is VerdictKind.CONTENT:
            broadcasts.content_was_refused(session, self._lease.broadcast_id)
        if verdict.kind is not VerdictKind.WAITING:
            self._pause(session, verdict.words, reading)
        elif health.is_refusing:  # all have waited for it too long
            self._pause(session, health.words, reading)

    def _tell(self, verdict: Verdict, reading: Reading) -> None:
        """Log what was concluded, without the relay's words: they name who was refused."""
        health, broadcast_id = self.relay.health, self._lease.broadcast_id
        about: dict[str, object] = {"broadcast": broadcast_id, "kind": verdict.kind.value, "stage": verdict.stage.value}
        if verdict.kind is VerdictKind.WAITING and health.is_waiting:
            next_s = round(health.next_try_in(reading.wall), 1)
            about |= {"event": "relay_waiting", "tries": health.tries, "next_try_s": next_s}
            words = "broadcast %s: waits for the relay (%s), looks again in %s s"
            log.info(words, broadcast_id, verdict.stage, next_s, extra=about)
        elif verdict.kind is not VerdictKind.WAITING or health.is_refusing:
            about |= {"event": "breaker"}
            log.info("broadcast %s: paused, %s (%s)", broadcast_id, _WHY[verdict.kind], verdict.stage, extra=about)

    def _heed_limits(self, session: Session, reading: Reading) -> int | None:
        """Read the limits above all broadcasts every `limits_s` seconds: an administrator may change them, and senders come and go. Returns
        how many connections this process may hold; None for any number."""
        allowed = self._exchange.connections_allowed
        if reading.ticks - self._limits_read < self._settings.limits_s:
            return allowed
        self._limits, self._limits_read = limits.read(session), reading.ticks
        if self._receivers.heed(session, self._limits.receivers, reading.wall):
            self._limits_read = float("-inf")
        limit, wanted = self.relay.limit_of(self._limits), self._settings.connections
        if not limit:
            self.others_have_none = False
            return None
        # The mailer may still open as many as it was allowed until it has heard of the smaller number.
        holding = max(self._exchange.connections_held, allowed or 0)
        allowed, self.others_have_none = ledger.share_connections(
            session, self._lease, limit, wanted=wanted, holding=holding, now=reading.wall
        )
        return allowed

    def _pause(self, session: Session, reason: str, reading: Reading) -> None:
        broadcasts.stop(session, self._lease.broadcast_id, reason, reading.wall, probing=True)

    def _load_values(self, holders: Sequence[Holder], language: str = "") -> list[list[str]]:
        now = self._runtime.reading().wall
        return tag_catalogue.load_values(
            self._session,
            holders,
            self._content.tags_of(language),
            broadcast=self._broadcast,
            now=now,
            language=language,
        )

    def close(self) -> None:
        """Give back what was not begun, and end the lease."""
        self._runtime.prepare(self._session)
        now = self._runtime.reading().wall
        ledger.renew(self._session, self._lease, now)
        self.relay.leave(self._session)
        self._receivers.leave(self._session)
        if (relay_errors := self._exchange.evidence.in_a_row) != self._relay_errors:  # seen since the last round
            broadcasts.remember_relay_errors(self._session, self._lease.broadcast_id, relay_errors)
        ledger.release_all(self._session, self._lease, now)
        ledger.end_lease(self._session, self._lease, now)
        self._session.commit()

    def may_have_claimed_more(self) -> None:
        """The database may have committed the last transaction, and only its answer was lost."""
        self._may_have_claimed_more = True

    def roll_back(self) -> None:
        """Undo the transaction; when the connection is lost, the database has done so."""
        self._limits_read = float("-inf")
        self._run_is_open = True
        self.relay.was_undone()
        try:
            self._session.rollback()
        except DBAPIError:
            self._session.invalidate()

    def let_go(self) -> None:
        """Let go of the connection."""
        self._session.close()
