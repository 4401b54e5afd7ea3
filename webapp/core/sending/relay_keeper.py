"""Brings together, in a sender's transactions, what this process and all others know about the relay and recipients' domains."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core import ledger, relay
from webapp.core.cadence import LEASE_S, RELAY_CARRIED_S, RELAY_TOLD_EVERY_S
from webapp.core.ledger import Lease, Settled
from webapp.core.relay import Health
from webapp.core.rules.evidence import Verdict, VerdictKind
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.limits import Limits
from webapp.core.rules.outcome import Stage
from webapp.core.rules.pacing import Reading
from webapp.core.rules.refusal import in_relays_words
from webapp.core.rules.relay_limits import RelayLimits
from webapp.core.rules.strikes import Strikes
from webapp.core.sending.exchange import SendExchange
from webapp.core.sending.runtime import Runtime
from webapp.core.tables.deliveries import MinuteCount

MINUTE = timedelta(minutes=1)


class RelayKeeper:
    """`health` is how the relay was at the last look. `is_probing`: all wait for it, and this process has the right to try it."""

    def __init__(self, runtime: Runtime, lease: Lease, exchange: SendExchange) -> None:
        self.health = Health()
        self.is_probing = False
        self._key, self._lease, self._exchange = runtime.relay_key, lease, exchange
        self._looked = float("-inf")
        self._taken_at: datetime | None = None
        self._told_at: datetime | None = None
        self._noted: tuple[int, datetime | None] = (0, None)
        self._lesson: RelayLimits | None = None
        self._strikes = Strikes()
        self._rests: dict[str, datetime] = {}

    @property
    def resting(self) -> dict[str, datetime]:
        """The domains to which nothing is handed over, each with the instant until which that holds."""
        return self._rests

    @property
    def is_well(self) -> bool:
        """Whether the relay was neither waited for nor refusing at the last look."""
        return not (self.health.is_waiting or self.health.is_refusing)

    def look(self, session: Session, settled: Sequence[Settled], reading: Reading, every_s: float) -> None:
        """Tell the others what this process has found out, and read what they have found out: every `every_s` seconds, and each time
        while the relay is not well."""
        now = reading.wall
        took = any(one.outcome.state is DeliveryState.ACCEPTED for one in settled)
        if took:
            self._taken_at = now
        if took and not self.is_well:
            self._took_again(session, now)
        self._heed_domains(session, settled, now)
        is_due = reading.ticks - self._looked >= every_s
        if not (is_due or self._exchange.lesson or not self.is_well):
            return
        self._looked = reading.ticks
        others = self._note(session, now)
        self._exchange.evidence.senders = others.beside + 1
        self._learn(session, others.connections, now)
        if self.is_probing:
            relay.keep_probing(session, self._key, now + timedelta(seconds=LEASE_S))
        self.health = relay.read(session, self._key)
        if self._exchange.lesson is None:
            self._exchange.limits_known = self.health.limits
        is_carried = others.taken_at is not None and now - others.taken_at < timedelta(seconds=RELAY_CARRIED_S)
        self._exchange.carried_elsewhere = is_carried
        known = relay.resting(session)
        self._strikes.knows(known)
        self._rests = {domain: rest.until for domain, rest in known.items() if rest.until > now}
        self._exchange.resting = frozenset(self._rests)
        self._exchange.watches_domains = self._strikes.is_watching

    def conclude(self, session: Session, verdict: Verdict, limits: Limits, reading: Reading) -> None:
        """The evidence says that the relay takes nothing. A verdict about whatever is sent holds for all broadcasts from now on."""
        now = reading.wall
        self.is_probing = False
        relay.clear_rest(session, self._strikes.forget(one.domain for one in self._exchange.evidence.run))
        if verdict.kind is VerdictKind.WAITING and not (verdict.is_site_wide and self._exchange.carried_elsewhere):
            if verdict.stage is Stage.MAIL:
                self._learn_rate(session, now)
            self.health = relay.wait(session, self._key, verdict.words, now, waits_for=limits.waits_for)
        elif verdict.kind is VerdictKind.REFUSING and verdict.is_site_wide:
            relay.refuse(session, self._key, verdict.words, now)
            self.health = relay.read(session, self._key)
        elif not self.is_well:  # the relay answers, and does not take this one broadcast
            relay.is_well(session, self._key)
            self.health = relay.read(session, self._key)

    def begin_probe(self, session: Session, reading: Reading) -> bool:
        """Take the right to try the relay that all wait for, when it is time."""
        until = reading.wall + timedelta(seconds=LEASE_S)
        if relay.begin_probe(session, self._key, reading.wall, until):
            self.is_probing = True
        return self.is_probing

    def leave(self, session: Session) -> None:
        """The process ends before it has found out."""
        if self.is_probing:
            relay.end_probe(session, self._key)

    def was_undone(self) -> None:
        """The transaction in which this looked, learned or concluded was rolled back: the next one does all of it anew."""
        self.is_probing = False
        self._looked, self._noted, self._told_at = float("-inf"), (-1, None), None
        self._exchange.lesson = self._exchange.lesson or self._lesson

    def limit_of(self, limits: Limits) -> int:
        """How many connections to the relay all processes together may hold, by the settings and by what was learned; 0: no limit."""
        return min(
            (limit for limit in (limits.connections, self._exchange.limits_known.connections) if limit), default=0
        )

    def _may_rest(self, domain: str, now: datetime) -> bool:
        """Whether a domain may rest: it does not yet, and there are others to go on with."""
        is_resting = domain in self._rests and self._rests[domain] >= now
        return not is_resting and self._exchange.evidence.spread > 1

    def _took_again(self, session: Session, now: datetime) -> None:
        relay.is_well(session, self._key)
        self.is_probing = False
        ledger.release_held(session, self._lease.broadcast_id, now)
        self._looked = float("-inf")

    def _note(self, session: Session, now: datetime) -> ledger.Others:
        mine = (self._exchange.connections_held, self._taken_at)
        if mine != self._noted:
            ledger.note_use(session, self._lease, holding=mine[0], taken_at=mine[1])
            self._noted = mine
        every = timedelta(seconds=RELAY_TOLD_EVERY_S)
        if self._taken_at is not None and (self._told_at is None or self._taken_at - self._told_at >= every):
            relay.take_note(session, self._key, self._taken_at)
            self._told_at = self._taken_at
        return ledger.others(session, self._lease, now)

    def _learn(self, session: Session, held_by_others: int, now: datetime) -> None:
        self._lesson = lesson = self._exchange.lesson
        self._exchange.lesson = None
        if lesson is None:
            return
        if lesson.connections is not None and lesson.connections != self.health.limits.connections:
            lesson = replace(lesson, connections=lesson.connections + held_by_others)
        relay.learn(session, self._key, lesson, now)

    def _learn_rate(self, session: Session, now: datetime) -> None:
        """The relay says that it was too much for a minute: learn how much it took in the last one."""
        taken = select(func.sum(MinuteCount.accepted)).where(MinuteCount.minute > now - MINUTE)
        if count := session.scalar(taken):
            relay.learn_rate(session, self._key, int(count), now)

    def _heed_domains(self, session: Session, settled: Sequence[Settled], now: datetime) -> None:
        """Let domains rest that defer again and again, and end the rest of those that take mails again."""
        taken = []
        for one in settled:
            if one.outcome.state is DeliveryState.ACCEPTED:
                if one.domain and self._strikes.took(one.domain):
                    taken.append(one.domain)
            elif self._strikes.saw(one.outcome, one.reply, one.domain, one.attempt) and self._may_rest(one.domain, now):
                self._rests[one.domain] = now
                relay.give_rest(session, one.domain, in_relays_words(one.outcome, one.reply), now)
                self._looked = float("-inf")
        if taken:
            relay.clear_rest(session, taken)
            self._looked = float("-inf")
        self._exchange.watches_domains = self._strikes.is_watching
