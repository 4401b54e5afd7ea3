"""Failed rows that an administrator has sent again: the same mail, byte for byte, behind those that were never tried."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.ledger import hard_bounces, order, tally
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.deliveries import Attempt, Delivery

FAILED_AT_ONCE = 1_000
"""Failed rows looked at in one transaction."""

REASON = "failed_again"


def reasons(session: Session, broadcast_id: int, states: Collection[DeliveryState]) -> dict[str, int]:
    """How many deliveries of a broadcast are in these states, by reason ("" for none), the most frequent reason first."""
    reason = func.coalesce(Delivery.reason, "")
    rows = session.execute(
        select(reason, func.count())
        .where(Delivery.broadcast_id == broadcast_id, Delivery.state.in_(states))
        .group_by(reason)
        .order_by(func.count().desc(), reason)
    )
    return dict(rows.all())


def make_pending(
    session: Session,
    broadcast_id: int,
    reason: str | None,
    started_at: datetime,
    now: datetime,
    *,
    after: int = 0,
    most: int = FAILED_AT_ONCE,
    chunk: int = FAILED_AT_ONCE,
) -> tuple[int, int | None]:
    """Make failed rows with this reason (None: with any) pending: at most `most` of the next `chunk` failed rows whose id is above `after`.
    Returns how many, and the id to go on after, None behind the last.

    Ids only rise, so a row that fails once more while others are still moved is not taken a second time. The caller holds the lock of the
    broadcast in this transaction, and has seen that its state allows this.
    """
    failed = (Delivery.broadcast_id == broadcast_id, Delivery.state == DeliveryState.FAILED)
    # A failed row has no time at which it is due, so the rows of a chunk lie side by side in the index.
    walk = select(Delivery.id, Delivery.reason).where(*failed, Delivery.due_at.is_(None), Delivery.id > after)
    rows = session.execute(walk.order_by(Delivery.id).limit(chunk)).all()
    wanted = [id_ for id_, why in rows if reason is None or (why or "") == reason][:most]
    if wanted:
        moved = guarded.change(
            session,
            update(Delivery)
            .where(Delivery.id.in_(wanted), Delivery.state == DeliveryState.FAILED)
            .values(
                state=DeliveryState.PENDING,
                reason=REASON,
                due_at=order.behind(started_at),
                again_at=now,
                changed_at=now,
            ),
        )
        tally.add(session, broadcast_id, tally.CONSOLE, {DeliveryState.FAILED: -moved, DeliveryState.PENDING: moved})
        hard_bounces.take_back(session, wanted, now, "its mail is sent again")
    else:
        moved = 0
    return moved, rows[-1][0] if len(rows) == chunk else None


def counted_anew(
    session: Session, delivery_id: int, first_claimed_at: datetime, attempt: int, now: datetime
) -> tuple[datetime, int]:
    """Since when a mail has been tried, and the number of this attempt, for retries and for giving up: both begin anew with the first
    attempt after somebody had the mail sent again. Its values and its Date stay as they were."""
    if attempt == 1:
        return first_claimed_at, attempt
    again_at = session.scalar(select(Delivery.again_at).where(Delivery.id == delivery_id))
    if again_at is None:
        return first_claimed_at, attempt
    first, count = session.execute(
        select(func.min(Attempt.ended_at), func.count()).where(
            Attempt.delivery_id == delivery_id, Attempt.ended_at > again_at
        )
    ).one()
    return first or now, count + 1
