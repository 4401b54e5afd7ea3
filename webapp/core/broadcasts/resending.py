"""Those who failed, again: their mails sent once more, all or those that failed for one reason."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core import broadcasts, ledger
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import DeliveryState


def failures(session: Session, broadcast_id: int) -> dict[str, int]:
    """How many mails of a broadcast failed for each reason, the most frequent first; "" where none is known."""
    return ledger.reasons(session, broadcast_id, [DeliveryState.FAILED])


def send_again(
    session: Session, broadcast_id: int, reason: str | None, now: datetime, *, seen: int, resends: int
) -> Iterator[int]:
    """Send mails again that failed for `reason`, or all that failed (None). Gives how many each chunk moved: commit after each.

    Each chunk is whole in itself: its rows, their count, and the broadcast's way back to sending. When the caller ends in between, the rest
    has failed as before, and can be sent again as before. At most `seen` mails are moved, the number that was decided about.

    `resends` is `Broadcast.resends` as of the decision, so that pressing twice sends once. Raises NotFound; Conflict when another number
    has failed by now, when somebody else was faster, or when the broadcast is cancelled, now or between two chunks.
    """
    broadcasts.get(session, broadcast_id)
    found = failures(session, broadcast_id)
    number = sum(found.values()) if reason is None else found.get(reason, 0)
    if number != seen or not seen:
        raise Conflict(
            "Meanwhile more or fewer mails have failed, or they are sent again already. Look at them, and decide again."
        )
    yield 0  # whoever writes does not wait for the count
    after: int | None = 0
    known: int | None = resends
    left = seen
    while after is not None and left:
        broadcast = broadcasts.reopen(session, broadcast_id, known, now)
        assert broadcast.started_at is not None
        moved, after = ledger.make_pending(
            session, broadcast_id, reason, broadcast.started_at, now, after=after, most=left
        )
        known, left = None, left - moved
        yield moved
