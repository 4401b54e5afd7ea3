"""What marketing can be about, and who declined which topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.core import guarded
from webapp.core.consent import settings
from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import Topic, TopicOptOut

LONGEST_NAME, LONGEST_DESCRIPTION = 100, 300


@dataclass(frozen=True)
class ListedTopic:
    """A topic with how many broadcasts have it, and how many addresses declined it."""

    topic: Topic
    broadcasts: int
    declined: int


def topics(session: Session, *, but_also: int | None = None) -> Sequence[Topic]:
    """The topics that may be chosen, in their order; and `but_also`, which may be retired."""
    query = select(Topic).where(Topic.retired_at.is_(None) | (Topic.id == but_also))
    return session.scalars(query.order_by(Topic.position, Topic.id)).all()


def listing(session: Session) -> list[ListedTopic]:
    """All topics in their order, the retired ones last."""
    used = _counts(session, Broadcast.topic_id)
    declined = _counts(session, TopicOptOut.topic_id)
    order = (Topic.retired_at.is_not(None), Topic.position, Topic.id)
    rows = session.scalars(select(Topic).order_by(*order).execution_options(populate_existing=True))
    return [ListedTopic(row, used.get(row.id, 0), declined.get(row.id, 0)) for row in rows]


def add(session: Session, name: str, description: str) -> Topic:
    """A new topic behind the others. Raises Invalid."""
    name, description = _checked(session, name, description)
    last = session.scalar(select(func.max(Topic.position))) or 0
    topic = Topic(name=name, description=description, position=last + 1)
    session.add(topic)
    session.flush()
    return topic


def change(session: Session, topic_id: int, name: str, description: str) -> None:
    """Call a topic otherwise, also where it is shown to clients. Raises Invalid, NotFound."""
    topic = _get(session, topic_id)
    topic.name, topic.description = _checked(session, name, description, but=topic_id)
    session.flush()


def retire(session: Session, topic_id: int, now: datetime) -> None:
    """Offer a topic to no new broadcast, and to clients no more; broadcasts that have it keep it. Raises NotFound, and Conflict for the
    last one: marketing needs one."""
    topic = _get(session, topic_id)
    if topic.retired_at is None and [one.id for one in topics(session)] == [topic_id]:
        raise Conflict("Marketing needs a topic: add another one before you retire the last.")
    topic.retired_at = topic.retired_at or now
    session.flush()


def bring_back(session: Session, topic_id: int) -> None:
    """Offer a retired topic again; who declined it has still declined it. Raises NotFound."""
    _get(session, topic_id).retired_at = None
    session.flush()


def opt_out(
    session: Session, address_key: str, topic_id: int, now: datetime, *, delivery_id: int | None = None
) -> bool:
    """Send this address no marketing about the topic, from the next mail on. False when it had declined it already."""
    consent = settings.read(session)
    if topic_id in declined_by(session, address_key):
        return False
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    kept = consent.kept_as(address_key)
    row = {
        "address_key": kept,
        "topic_id": topic_id,
        "delivery_id": delivery_id,
        "created_at": now,
        "is_hashed": consent.keep_hashed,
    }
    made = dialect.insert(TopicOptOut).values(row).on_conflict_do_nothing()
    return guarded.counted(session.execute(made)) > 0


def opt_in(session: Session, address_key: str, topic_id: int) -> bool:
    """Take a topic's opt-out back. False when there is none."""
    forms = settings.read(session).forms(address_key)
    gone = delete(TopicOptOut).where(TopicOptOut.address_key.in_(forms), TopicOptOut.topic_id == topic_id)
    return guarded.change(session, gone) > 0


def declined_by(session: Session, address_key: str) -> dict[int, datetime]:
    """The topics that the owner of an address declined, each since when."""
    forms = settings.read(session).forms(address_key)
    query = select(TopicOptOut.topic_id, TopicOptOut.created_at).where(TopicOptOut.address_key.in_(forms))
    return dict(session.execute(query).all())


def _counts(session: Session, column: InstrumentedAttribute[Any]) -> dict[int, int]:
    query = select(column, func.count()).where(column.is_not(None)).group_by(column)
    return dict(session.execute(query).all())


def _get(session: Session, topic_id: int) -> Topic:
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise NotFound("This topic does not exist.")
    return topic


def _checked(session: Session, name: str, description: str, but: int | None = None) -> tuple[str, str]:
    name, description = " ".join(name.split()), " ".join(description.split())
    if not name:
        raise Invalid("A topic needs a name.", "name")
    for field, text, most in (("name", name, LONGEST_NAME), ("description", description, LONGEST_DESCRIPTION)):
        if len(text) > most:
            raise Invalid(f"This is longer than {most} characters.", field)
    query = select(Topic.id).where(func.lower(Topic.name) == name.lower(), Topic.id != (but or 0))
    if session.scalar(query) is not None:
        raise Invalid("There is a topic of this name already; it may be a retired one.", "name")
    return name, description
