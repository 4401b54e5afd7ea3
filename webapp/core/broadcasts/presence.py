"""Who has a page of a draft open: so that two people on one draft know of each other before one of them saves."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.tables.drafts import DraftVisit
from webapp.core.tables.users import User

HERE = timedelta(seconds=60)
"""Whoever was seen in this time is there."""
EVERY = timedelta(seconds=15)
"""No visit is written down more often."""


def is_due(session: Session, broadcast_id: int, user_id: int, now: datetime) -> bool:
    """Whether it is time to write down that this user is there."""
    seen_at = session.scalar(
        select(DraftVisit.seen_at).where(DraftVisit.broadcast_id == broadcast_id, DraftVisit.user_id == user_id)
    )
    return seen_at is None or seen_at <= now - EVERY


def seen(session: Session, broadcast_id: int, user_id: int, now: datetime) -> None:
    """Write down that this user has a page of the draft open."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    new = dialect.insert(DraftVisit).values(broadcast_id=broadcast_id, user_id=user_id, seen_at=now)
    key = [DraftVisit.broadcast_id, DraftVisit.user_id]
    session.execute(new.on_conflict_do_update(index_elements=key, set_={"seen_at": now}))


def others(session: Session, broadcast_id: int, user_id: int, now: datetime) -> Sequence[str]:
    """The names of the other users who have it open, in the order of the alphabet."""
    rows = session.execute(
        select(User.name, User.email)
        .join(DraftVisit, DraftVisit.user_id == User.id)
        .where(DraftVisit.broadcast_id == broadcast_id, User.id != user_id, DraftVisit.seen_at > now - HERE)
    )
    return sorted(name or email for name, email in rows)
