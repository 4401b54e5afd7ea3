"""What marketing can be about, and who declined which topic."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.tables.consent import Topic, TopicOptOut


def topics(session: Session, *, but_also: int | None = None) -> Sequence[Topic]:
    """The topics that may be chosen, in their order; and `but_also`, which may be retired."""
    query = select(Topic).where(Topic.retired_at.is_(None) | (Topic.id == but_also))
    return session.scalars(query.order_by(Topic.position, Topic.id)).all()


def opt_out(
    session: Session, address_key: str, topic_id: int, now: datetime, *, delivery_id: int | None = None
) -> bool:
    """Send this address no marketing about the topic, from the next mail on. False when it had declined it already."""
    if session.get(TopicOptOut, (address_key, topic_id)) is not None:
        return False
    session.add(TopicOptOut(address_key=address_key, topic_id=topic_id, delivery_id=delivery_id, created_at=now))
    session.flush()
    return True


def opt_in(session: Session, address_key: str, topic_id: int) -> bool:
    """Take a topic's opt-out back. False when there is none."""
    gone = delete(TopicOptOut).where(TopicOptOut.address_key == address_key, TopicOptOut.topic_id == topic_id)
    return guarded.change(session, gone) > 0
