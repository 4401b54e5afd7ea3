"""Record what became of mails, a group at a time. The common case, accepted at the first attempt, writes one row a mail."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.ledger import again, ceiling, hard_bounces, lines, pace, refusals
from webapp.core.ledger.hard_bounces import RefusedForGood
from webapp.core.ledger.hot_path import hot
from webapp.core.ledger.leases import Lease
from webapp.core.rules import pacing
from webapp.core.rules.evidence import SPREAD
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.limits import NO_LIMITS, Limits
from webapp.core.rules.outcome import Blame, Cause, Outcome, Reply, Stage
from webapp.core.rules.pacing import Reading, Retries
from webapp.core.rules.refusal import Addressee, Refusal, in_relays_words, refusal_of
from webapp.core.tables.broadcasts import Broadcast, UncertainPolicy
from webapp.core.tables.deliveries import Attempt, Delivery

GAVE_UP = "gave_up"
SOON = timedelta(minutes=1)
"""An uncertain mail of a broadcast with the policy *retry* is sent again after this time."""

MOST_REPEATS = 3
"""It is sent again at most so often, then people decide: a mail that the relay takes and never answers would arrive every minute."""

LONGEST_TEXT = 2000


@dataclass(slots=True)
class Settled:
    """What became of one claimed mail, and when (`ticks`). `first_claimed_at` is its Date, `domain` that of its recipient, `receiver` the
    id of the limit out of whose line it was claimed."""

    delivery_id: int
    attempt: int
    first_claimed_at: datetime
    outcome: Outcome
    reply: Reply
    ticks: float
    domain: str = ""
    receiver: int | None = None


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """The settings of a broadcast that recording needs and that do not change while it sends, and the limits in force."""

    batch_size: int
    interval_s: int
    uncertain_policy: UncertainPolicy
    limits: Limits = NO_LIMITS

    @classmethod
    def of(cls, broadcast: Broadcast, limits: Limits) -> "RecordingSettings":
        return cls(broadcast.batch_size, broadcast.interval_s, broadcast.uncertain_policy, limits)


def record(
    session: Session,
    lease: Lease,
    settled: Sequence[Settled],
    settings: RecordingSettings,
    reading: Reading,
    *,
    has_delivered: bool = False,
    run_is_open: bool = True,
    chance: Callable[[], float] = random.random,
) -> None:
    """Write the outcomes of mails claimed under the lease, in the order in which they came, the counts and the use of the pace. `chance`
    spreads the retries. `has_delivered`: the relay took mails of this broadcast before. Without `run_is_open` there are no open refusals.

    A refusal that may be the relay's or the recipient's fault is the recipient's if the relay took a mail for somebody else after it;
    otherwise it is parked. Once the broadcast is paused because of the relay, mails that it still takes prove nothing about the others:
    they were further on.

    The lease must have been renewed, or taken over, in this transaction. Raises RowsLost when a row was not the lease's.
    """
    if not settled:
        return
    path, now = hot(session), reading.wall
    # Accepted mails: one statement for each reply code.
    moved = _accept(session, lease, settled, now)
    special = [one for one in settled if one.outcome.state is not DeliveryState.ACCEPTED]
    accepted = len(settled) - len(special)
    changes = Counter({DeliveryState.ACCEPTED: accepted, DeliveryState.CLAIMED: -len(settled)})
    # All others, one by one, after it was decided whose fault they are.
    decides = bool(special or run_is_open) and not refusals.have_paused(session, lease.broadcast_id)
    if special and decides:
        special = _decided(session, lease.broadcast_id, settled, has_delivered)
    states = [_record_special(session, lease, one, settings, now, chance) for one in special]
    moved += sum(1 for state in states if state is not None)
    changes.update(state for state in states if state is not None)
    # Every row was this sender's, or nothing of all this happens.
    if moved != len(settled):
        raise RowsLost(f"{len(settled) - moved} of {len(settled)} rows are not sender {lease.sender_id}'s any more")
    # The counts change in the transaction of their rows.
    path.tally(lease.broadcast_id, lease.sender_id, changes)
    # A mail that was taken closes the open refusals before it; those after it stay open for the next group.
    if accepted and run_is_open and decides:
        refusals.are_recipients(session, lease.broadcast_id, lease.sender_id, now)
    if special:
        refusals.keep(session, lease.broadcast_id, [one for one in _run(settled) if decides or not one.is_parked])
        hard_bounces.heed(session, _refused_for_good(special), now)
    # The minute in the chart and in the ceiling of the day.
    _count_minute(session, lease, accepted, special, now)
    # What the pace and the ceiling of the second remember.
    _use_pace(session, lease, settled, settings, reading)


def _accept(session: Session, lease: Lease, settled: Sequence[Settled], now: datetime) -> int:
    """Write those of the mails that the relay accepted. Returns how many rows were the lease's."""
    texts: dict[int, dict[int, str]] = defaultdict(dict)
    for one in settled:
        if one.outcome.state is DeliveryState.ACCEPTED:
            assert one.reply.code is not None
            texts[one.reply.code][one.delivery_id] = one.reply.text[:LONGEST_TEXT]
            if one.attempt > 1:
                _remember_attempt(session, one, DeliveryState.ACCEPTED, now)
    path = hot(session)
    return sum(path.accept(lease.sender_id, now, code, of_code) for code, of_code in texts.items())


def _count_minute(session: Session, lease: Lease, accepted: int, special: Sequence[Settled], now: datetime) -> None:
    """Add to the counts of this minute: mails accepted, and others that are not pending again."""
    other = sum(1 for one in special if one.outcome.state is not DeliveryState.PENDING)
    if accepted or other:
        minute = now.replace(second=0, microsecond=0)
        hot(session).count_minute(lease.broadcast_id, lease.sender_id, minute, accepted, other)


def _use_pace(
    session: Session, lease: Lease, settled: Sequence[Settled], settings: RecordingSettings, reading: Reading
) -> None:
    """Remember when mails left, as far as a pace or a ceiling asks for it. One that was called back did not leave."""
    is_paced = pacing.is_limited(settings.batch_size, settings.interval_s)
    if not is_paced and not settings.limits.is_shared:
        return
    gone = [one for one in settled if one.reply.cause is not Cause.WITHDRAWN]
    left = [reading.ticks - one.ticks for one in gone]
    if is_paced:
        pace.use(session, lease.broadcast_id, settings.interval_s, reading, left)
    ceiling.use(session, settings.limits, reading, left)
    if settings.limits.receivers:
        to_them = [(one.receiver, reading.ticks - one.ticks) for one in gone if one.receiver]
        lines.use(session, settings.limits.receivers, reading, to_them)


def _refused_for_good(special: Sequence[Settled]) -> list[RefusedForGood]:
    """Those whom the relay refused for good, with its words."""
    return [
        RefusedForGood(one.delivery_id, one.attempt, one.outcome.reason, in_relays_words(one.outcome, one.reply))
        for one in special
        if one.outcome.state is DeliveryState.FAILED and one.reply.code is not None
    ]


def _run(settled: Sequence[Settled]) -> list[Refusal]:
    """The refusals after the last mail that was taken."""
    run: list[Refusal] = []
    for one in settled:
        if one.outcome.state is DeliveryState.ACCEPTED:
            run.clear()
        elif refusal := refusal_of(one.outcome, one.reply, Addressee(one.delivery_id, one.domain, one.attempt)):
            run.append(refusal)
    return run


def _decided(session: Session, broadcast_id: int, settled: Sequence[Settled], has_delivered: bool) -> list[Settled]:
    """The mails that were not taken. A refusal that may be the relay's or the recipient's fault is called the recipient's when a mail was
    taken after it, or when it was an attempt at the end, with hardly anybody else left."""
    accepted = [number for number, one in enumerate(settled) if one.outcome.state is DeliveryState.ACCEPTED]
    last_taken = accepted[-1] if accepted else -1
    domains: set[str] | None = None
    found = []
    for number, one in enumerate(settled):
        if one.outcome.state is DeliveryState.ACCEPTED:
            continue
        if one.outcome.blame is Blame.EITHER:
            is_own = number < last_taken
            if not is_own and one.attempt > 1 and has_delivered:
                if domains is None:
                    domains = {refusal.domain for refusal in refusals.open_refusals(session, broadcast_id)}
                is_own = one.attempt > 2 or not one.outcome.is_final or len(domains | {one.domain}) < SPREAD
            if is_own:
                one = replace(one, outcome=one.outcome.as_recipients())
        found.append(one)
    return found


class RowsLost(Exception):
    """Rows to be recorded were not claimed by this sender: somebody else settled them. Roll the transaction back."""


def _record_special(
    session: Session,
    lease: Lease,
    one: Settled,
    settings: RecordingSettings,
    now: datetime,
    chance: Callable[[], float],
) -> DeliveryState | None:
    """Write any outcome but acceptance. Returns the new state, None when the row was not the lease's."""
    state, reason = one.outcome.state, one.outcome.reason
    due_at: datetime | None = None
    retries = settings.limits.retries
    since, tries = again.counted_anew(session, one.delivery_id, one.first_claimed_at, one.attempt, now)
    pause = retries.wait(tries, chance())
    if _is_given_up(one, since, tries, retries, now):
        state, reason = DeliveryState.FAILED, GAVE_UP
    elif state in (DeliveryState.DEFERRED, DeliveryState.HELD):
        due_at = now + pause
    elif state is DeliveryState.PENDING:
        # A mail that breaks connections again and again must not be tried in a tight loop.
        due_at = now if tries < 2 or one.reply.cause is Cause.WITHDRAWN else now + pause
    elif state is DeliveryState.UNCERTAIN and settings.uncertain_policy is UncertainPolicy.RETRY:
        due_at = now + SOON if _times_uncertain(session, one.delivery_id) < MOST_REPEATS else None
    withdrawn = one.reply.cause is Cause.WITHDRAWN
    moved = (
        update(Delivery)
        .where(
            Delivery.id == one.delivery_id,
            Delivery.sender_id == lease.sender_id,
            Delivery.state == DeliveryState.CLAIMED,
        )
        .values(
            state=state,
            reason=reason,
            due_at=due_at,
            sender_id=None,
            attempts=one.attempt - withdrawn,
            reply_code=one.reply.code,
            reply_text=(one.reply.text or one.reply.error or "")[:LONGEST_TEXT],
            stage=one.reply.stage.value,
            changed_at=now,
        )
    )
    if not guarded.change_one(session, moved):
        return None
    if not withdrawn:
        _remember_attempt(session, one, state, now)
    return state


def _is_given_up(one: Settled, since: datetime, tries: int, retries: Retries, now: datetime) -> bool:
    """Whether a mail that was not taken has been tried for long enough: `tries` times since `since`. When the fault is the relay's and not
    this recipient's, there must have been as many attempts as planned: nobody fails because the relay was away or the broadcast paused."""
    if one.outcome.state is DeliveryState.DEFERRED:
        return retries.is_hopeless(since, now)
    if one.outcome.state not in (DeliveryState.HELD, DeliveryState.PENDING) or one.reply.cause is Cause.WITHDRAWN:
        return False
    return retries.is_hopeless(since, now) and retries.are_used_up(tries)


def _times_uncertain(session: Session, delivery_id: int) -> int:
    """How many attempts of a mail have ended as uncertain before."""
    query = select(func.count()).where(Attempt.delivery_id == delivery_id, Attempt.state == DeliveryState.UNCERTAIN)
    return session.scalar(query) or 0


def _remember_attempt(session: Session, one: Settled, state: DeliveryState, now: datetime) -> None:
    session.execute(
        insert(Attempt).values(
            delivery_id=one.delivery_id,
            number=one.attempt,
            state=state,
            reply_code=one.reply.code,
            reply_text=(one.reply.text or one.reply.error or "")[:LONGEST_TEXT],
            stage=one.reply.stage.value,
            ended_at=now,
        )
    )


def lost_answer(why: str) -> Reply:
    """The reply for a mail whose content had begun to leave when its sender ended: nobody knows whether the relay took it."""
    return Reply(Stage.DOT, None, "", why)
