"""Give back what was claimed and not begun."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.ledger import tally
from webapp.core.ledger.leases import Lease
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.deliveries import Delivery


def release_all(session: Session, lease: Lease, now: datetime, *, but: Collection[int] = ()) -> None:
    """Give back every claimed mail of the lease that was not begun, also one that the sender never heard of; those of `but` stay."""
    claimed = select(Delivery.id).where(
        Delivery.broadcast_id == lease.broadcast_id,
        Delivery.state == DeliveryState.CLAIMED,
        Delivery.sender_id == lease.sender_id,
    )
    release(session, lease, [key for key in session.scalars(claimed) if key not in but], now)


def release(session: Session, lease: Lease, delivery_ids: Sequence[int], now: datetime) -> None:
    """Give back claimed mails that were not begun, as if they had never been claimed; only their values stay fixed."""
    if not delivery_ids:
        return
    released = guarded.change(
        session,
        update(Delivery)
        .where(
            Delivery.id.in_(delivery_ids),
            Delivery.sender_id == lease.sender_id,
            Delivery.state == DeliveryState.CLAIMED,
        )
        .values(state=DeliveryState.PENDING, sender_id=None, attempts=Delivery.attempts - 1, changed_at=now),
    )
    changes = {DeliveryState.CLAIMED: -released, DeliveryState.PENDING: released}
    tally.add(session, lease.broadcast_id, lease.sender_id, changes)
