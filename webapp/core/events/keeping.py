"""How long what was received is kept, and how far mailboxes were read."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.rules.relay_event import RAW_KEPT
from webapp.core.tables.events import DeliveryEvent, MailboxPosition


def forget_raw(session: Session, now: datetime, most: int) -> int:
    """Remove what was received more than `RAW_KEPT` ago, of so many events at most; what they say stays. Returns of how many."""
    old = (
        select(DeliveryEvent.id)
        .where(DeliveryEvent.received_at < now - RAW_KEPT, DeliveryEvent.raw.is_not(None))
        .order_by(DeliveryEvent.received_at)
        .limit(most)
    )
    return guarded.change(session, update(DeliveryEvent).where(DeliveryEvent.id.in_(old)).values(raw=None))


def position(session: Session, mailbox: str, uid_validity: int) -> int:
    """The highest UID of a mailbox that was read; 0 for one that is new, or was made anew."""
    row = session.get(MailboxPosition, mailbox)
    return row.last_uid if row is not None and row.uid_validity == uid_validity else 0


def reached(session: Session, mailbox: str, uid_validity: int, uid: int, now: datetime) -> None:
    """Remember how far a mailbox was read, in the transaction that records what was read."""
    session.merge(MailboxPosition(mailbox=mailbox, uid_validity=uid_validity, last_uid=uid, read_at=now))
