"""Refusals that are not decided yet. They are kept from one sending process to the next until the relay takes a mail for somebody else,
which makes them the recipients' fault, or the evidence says that they were the relay's. The rule itself is in `rules/evidence.py`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.ledger import hard_bounces, tally
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.outcome import Reply, Stage
from webapp.core.rules.refusal import Refusal, equal_words
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.relay import OpenRefusal

LATELY, MOST_REFUSALS = timedelta(minutes=10), 1_000
"""When a refusal turns out to be meant for everybody, those of the last LATELY are looked at again, at most MOST_REFUSALS of them."""


def open_refusals(session: Session, broadcast_id: int) -> list[Refusal]:
    """The refusals since the relay last took a mail of the broadcast, in their order."""
    query = select(OpenRefusal).where(OpenRefusal.broadcast_id == broadcast_id).order_by(OpenRefusal.id)
    return [
        Refusal(one.delivery_id, one.domain, one.key, one.words, one.attempt, one.is_parked, one.is_final)
        for one in session.scalars(query)
    ]


def keep(session: Session, broadcast_id: int, refusals: Sequence[Refusal]) -> None:
    """Remember refusals; one of the same delivery takes the place of the one before."""
    if not refusals:
        return
    ids = [one.delivery_id for one in refusals]
    session.execute(delete(OpenRefusal).where(OpenRefusal.delivery_id.in_(ids)))
    session.execute(insert(OpenRefusal), [one._asdict() | {"broadcast_id": broadcast_id} for one in refusals])


def are_recipients(session: Session, broadcast_id: int, sender_id: int, now: datetime) -> None:
    """The relay took a mail for somebody else: parked refusals are the recipients' own, deferred or failed by the digit of the reply."""
    run = open_refusals(session, broadcast_id)
    if not run:
        return
    parked = [one for one in run if one.is_parked]
    failed = [one.delivery_id for one in parked if one.is_final]
    deferred = [one.delivery_id for one in parked if not one.is_final]
    moved = {
        DeliveryState.FAILED: _move(session, failed, DeliveryState.HELD, DeliveryState.FAILED, now, due_at=None),
        DeliveryState.DEFERRED: _move(session, deferred, DeliveryState.HELD, DeliveryState.DEFERRED, now),
    }
    moved[DeliveryState.HELD] = -sum(moved.values())
    tally.add(session, broadcast_id, sender_id, moved)
    _forget(session, broadcast_id)


def have_paused(session: Session, broadcast_id: int) -> bool:
    """Whether the broadcast is paused because of what the relay refused."""
    query = select(Broadcast.probing).where(Broadcast.id == broadcast_id, Broadcast.state == BroadcastState.PAUSED)
    return bool(session.scalar(query))


def were_the_relays(
    session: Session, broadcast_id: int, sender_id: int, now: datetime, due_at: datetime, *, key: str | None = None
) -> int:
    """The evidence says that the relay refuses everybody: nobody has failed for that. Rows that became failed meanwhile are held like the
    others, and all are due again at `due_at`. With a `key` that holds for rows, too, that were lately refused in equal words before the
    relay took mails that were further on. Returns how many rows were given back."""
    run = open_refusals(session, broadcast_id)
    ids = [one.delivery_id for one in run]
    if key is not None:
        ids += _refused_so(session, broadcast_id, key, now)
    given_back = _move(session, ids, DeliveryState.FAILED, DeliveryState.HELD, now, due_at=due_at)
    if given_back:
        tally.add(session, broadcast_id, sender_id, {DeliveryState.FAILED: -given_back, DeliveryState.HELD: given_back})
        hard_bounces.take_back(session, ids, now, "the relay refused everybody, not this address")
    _move(session, ids, DeliveryState.HELD, DeliveryState.HELD, now, due_at=due_at)
    _forget(session, broadcast_id)
    return given_back


def _refused_so(session: Session, broadcast_id: int, key: str, now: datetime) -> list[int]:
    """The rows that were lately refused for good in words with this key."""
    rows = session.execute(
        select(Delivery.id, Delivery.stage, Delivery.reply_code, Delivery.reply_text)
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.state == DeliveryState.FAILED,
            Delivery.changed_at > now - LATELY,
        )
        .limit(MOST_REFUSALS)
    )
    return [
        id_ for id_, stage, code, text in rows if stage and equal_words(Reply(Stage(stage), code, text or "")) == key
    ]


def _move(
    session: Session,
    ids: Sequence[int],
    source: DeliveryState,
    target: DeliveryState,
    now: datetime,
    **values: datetime | None,
) -> int:
    if not ids:
        return 0
    moved = (
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state == source)
        .values(state=target, changed_at=now, **values)
    )
    return guarded.change(session, moved)


def _forget(session: Session, broadcast_id: int) -> None:
    session.execute(delete(OpenRefusal).where(OpenRefusal.broadcast_id == broadcast_id))
