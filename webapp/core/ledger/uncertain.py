"""Uncertain rows: nobody knows whether the relay took the mail. An administrator decides about them in bulk."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.errors import Conflict
from webapp.core.ledger import tally
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery

Decision = Literal["accepted", "failed", "retry", "reported"]

_TARGETS: dict[Decision, tuple[DeliveryState, str | None]] = {
    "accepted": (DeliveryState.ACCEPTED, "counted_accepted"),
    "failed": (DeliveryState.FAILED, "counted_failed"),
    "retry": (DeliveryState.PENDING, "sent_again"),
    "reported": (DeliveryState.ACCEPTED, "reported_taken"),
}
IDS_A_STATEMENT = 5_000
"""Ids of rows named in one statement."""


def resolve_uncertain(
    session: Session,
    broadcast_id: int,
    ids: Collection[int] | None,
    decision: Decision,
    now: datetime,
    *,
    seen: int | None = None,
) -> int:
    """Decide about uncertain rows: these, or all of the broadcast (None). Returns how many.

    "retry" sends the same mail again, byte for byte, so that a relay or mailbox can recognise the repeat. "reported" is no person's
    word, but what a later report of the mail shows. Call
    `broadcasts.finish_if_done` afterwards: it finishes the broadcast, or lets it go back to sending.

    `seen` is how many there were when the administrator decided. Raises Conflict when there are others by now, or when a mail of a
    cancelled broadcast should be sent again; then roll back.
    """
    state, reason = _TARGETS[decision]
    if state is DeliveryState.PENDING and _is_cancelled(session, broadcast_id):
        raise Conflict(
            "This mass mail is cancelled: nothing of it is sent any more. Count it as accepted or as failed."
        )
    moved = 0
    for chunk in _chunks(session, broadcast_id, ids):
        moved += guarded.change(
            session,
            update(Delivery)
            .where(
                Delivery.id.in_(chunk),
                Delivery.broadcast_id == broadcast_id,
                Delivery.state == DeliveryState.UNCERTAIN,
            )
            .values(state=state, reason=reason, due_at=now if state is DeliveryState.PENDING else None, changed_at=now),
        )
    if seen is not None and moved != seen:
        raise Conflict("Meanwhile there are more or fewer mails to decide about. Look at them, and decide again.")
    if moved:
        tally.add(session, broadcast_id, tally.CONSOLE, {DeliveryState.UNCERTAIN: -moved, state: moved})
    return moved


def _is_cancelled(session: Session, broadcast_id: int) -> bool:
    """Whether the broadcast is cancelled; if not, nobody can cancel it before the end of the transaction."""
    query = select(Broadcast.state).where(Broadcast.id == broadcast_id).with_for_update(key_share=True)
    return session.scalar(query) is BroadcastState.CANCELLED


def _chunks(session: Session, broadcast_id: int, ids: Collection[int] | None) -> list[list[int]]:
    if ids is None:
        query = select(Delivery.id).where(
            Delivery.broadcast_id == broadcast_id, Delivery.state == DeliveryState.UNCERTAIN
        )
        ids = session.scalars(query).all()
    ordered = sorted(ids)
    return [ordered[start : start + IDS_A_STATEMENT] for start in range(0, len(ordered), IDS_A_STATEMENT)]
