"""Remove the personal values of mails that ended; the rows stay, with address, times and outcome."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.core.tables.deliveries import Delivery, delivery_id


def remove_values(session: Session, broadcast_id: int, after: int, most: int) -> int | None:
    """Remove the values of up to `most` deliveries of an ended broadcast whose id is above `after`. Returns the id of the last one, None
    when there are no more."""
    start = max(after, delivery_id(broadcast_id, 0))
    mine = (Delivery.id > start, Delivery.id < delivery_id(broadcast_id + 1, 0))
    ids = session.scalars(select(Delivery.id).where(*mine).order_by(Delivery.id).limit(most)).all()
    if not ids:
        return None
    session.execute(
        update(Delivery)
        .where(Delivery.id > start, Delivery.id <= ids[-1], Delivery.merge_values.is_not(None))
        .values(merge_values=None)
        .execution_options(synchronize_session=False)
    )
    return ids[-1]
