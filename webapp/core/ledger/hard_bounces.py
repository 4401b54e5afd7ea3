"""Refusals for good that say that a mailbox is not there: its address is suppressed, in the transaction that records the refusal, at the
first or at the second of them as the settings say; and mailed again where the refusal turns out to be no fact."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.core.consent import settings, suppressions
from webapp.core.rules.consent import USUAL_SCOPE, SuppressionKind
from webapp.core.rules.final_refusals import USUAL, WITHIN, RefusalRule
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import Reply, Stage, judge
from webapp.core.rules.suppression_lists import SuppressionEntry
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Attempt, Delivery

SOURCE = "smtp"


class RefusedForGood(NamedTuple):
    """A delivery that failed: at which attempt (from 1), with which reason (of `rules/outcome.py`), and the relay's words."""

    delivery_id: int
    attempt: int
    reason: str
    words: str


def heed(session: Session, refused: Sequence[RefusedForGood], now: datetime) -> int:
    """Suppress the addresses of those whose refusal counts. Returns how many were not suppressed before. Nothing is asked of the database
    where no reason is one that may count."""
    counted = [one for one in refused if one.reason in USUAL]
    if not counted:
        return 0
    rules = settings.read(session).rules
    addresses = _addresses(session, [one.delivery_id for one in counted])
    first = [one for one in counted if rules[one.reason] is RefusalRule.TWICE and one.delivery_id in addresses]
    seen_before = _refused_before(session, first, addresses, now)
    entries, deliveries = [], {}
    for one in counted:
        address_key = addresses.get(one.delivery_id)
        is_enough = rules[one.reason] is RefusalRule.ONCE or one.delivery_id in seen_before
        if address_key and is_enough and rules[one.reason] is not RefusalRule.NEVER:
            kind = SuppressionKind.BOUNCED
            entries.append(SuppressionEntry(address_key, kind, USUAL_SCOPE[kind], source=SOURCE, evidence=one.words))
            deliveries[address_key] = one.delivery_id
    return suppressions.add(session, entries, now, deliveries=deliveries).added if entries else 0


def take_back(session: Session, delivery_ids: Collection[int], now: datetime, reason: str) -> int:
    """These refusals are no facts, or somebody has the mails sent again: what they suppressed is lifted. Returns how many."""
    addresses = _addresses(session, delivery_ids)
    return suppressions.take_back(session, addresses, SuppressionKind.BOUNCED, now, source=SOURCE, reason=reason)


def _addresses(session: Session, delivery_ids: Collection[int]) -> dict[int, str]:
    query = select(Delivery.id, Delivery.address_key).where(Delivery.id.in_(delivery_ids))
    return {id_: address_key for id_, address_key in session.execute(query) if address_key}


def _refused_before(
    session: Session, refused: Sequence[RefusedForGood], addresses: dict[int, str], now: datetime
) -> set[int]:
    """The deliveries whose address was refused so before: in another broadcast, or at an earlier attempt of the same mail."""
    if not refused:
        return set()
    since = now - WITHIN
    # The index finds an address in one broadcast: those that may have mailed anybody in this time are few.
    lately = select(Broadcast.id).where(
        Broadcast.started_at.is_not(None), or_(Broadcast.finished_at.is_(None), Broadcast.finished_at >= since)
    )
    others = select(Delivery.id, Delivery.address_key).where(
        Delivery.broadcast_id.in_(session.scalars(lately).all()),
        Delivery.address_key.in_({addresses[one.delivery_id] for one in refused}),
        Delivery.state == DeliveryState.FAILED,
        Delivery.reason.in_(USUAL),
        Delivery.changed_at >= since,
    )
    elsewhere = [(id_, address_key) for id_, address_key in session.execute(others)]
    found = {
        one.delivery_id
        for one in refused
        if any(key == addresses[one.delivery_id] and id_ != one.delivery_id for id_, key in elsewhere)
    }
    repeated = {one.delivery_id: one.attempt for one in refused if one.attempt > 1}
    attempts = select(Attempt).where(
        Attempt.delivery_id.in_(repeated), Attempt.state == DeliveryState.FAILED, Attempt.ended_at >= since
    )
    for attempt in session.scalars(attempts) if repeated else ():
        said = Reply(Stage(attempt.stage or Stage.DOT), attempt.reply_code, attempt.reply_text or "")
        if attempt.number < repeated[attempt.delivery_id] and judge(said).reason in USUAL:
            found.add(attempt.delivery_id)
    return found
