"""Links from a pattern, which are tags: `{{ portal_url }}`. Made, changed, removed, and found in messages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.rules import tags
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.message.pattern_links import PatternLink, checked
from webapp.core.rules.tags.names import LINK_NAMES
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.tag_links import TagLink

NOT_STARTED = (BroadcastState.DRAFT, BroadcastState.SCHEDULED)
"""Broadcasts of which no mail has left: they take a pattern as it is now."""


@dataclass(frozen=True, slots=True)
class ListedTagLink:
    """A link, and the broadcasts without a mail so far whose message has it."""

    link: TagLink
    used_by: tuple[Broadcast, ...]


def listing(session: Session) -> list[ListedTagLink]:
    """The links that there are, by name."""
    found = session.scalars(select(TagLink).where(TagLink.ended_at.is_(None)).order_by(TagLink.name)).all()
    return [ListedTagLink(link, _using(session, link.name)) for link in found]


def known(session: Session, at: datetime | None = None) -> dict[str, PatternLink]:
    """The links by name: those of now, or those of the instant `at`."""
    query = select(TagLink).order_by(TagLink.name)
    if at is None:
        query = query.where(TagLink.ended_at.is_(None))
    else:
        query = query.where(TagLink.made_at <= at, or_(TagLink.ended_at.is_(None), TagLink.ended_at > at))
    return {link.name: PatternLink(link.name, link.label, link.pattern) for link in session.scalars(query)}


def known_of(session: Session, broadcast: Broadcast, written: Mapping[str, str]) -> dict[str, PatternLink]:
    """The links that a broadcast's message may use: those of its start, or those of now while it has not started. `written` are its sources
    by field; nobody is asked where none of them has a name that could be one."""
    names = (name for field, source in written.items() for name in tags.used(source, field=field))
    if not any(name.endswith("_url") and name not in LINK_NAMES for name in names):
        return {}
    return known(session, broadcast.started_at)


def add(session: Session, name: str, label: str, pattern: str, now: datetime) -> TagLink:
    """A new link. Raises Invalid, naming the field."""
    wanted = checked(name, label, pattern)
    if session.scalar(select(TagLink.id).where(TagLink.name == wanted.name, TagLink.ended_at.is_(None))):
        raise Invalid(f"There is a link {wanted.name} already.", "name")
    return _made(session, wanted, now)


def change(session: Session, link_id: int, label: str, pattern: str, now: datetime) -> TagLink:
    """Another pattern or other words from now on; broadcasts that have started keep the old ones. Raises Invalid, NotFound."""
    link = _get(session, link_id)
    wanted = checked(link.name, label, pattern)
    if (wanted.label, wanted.pattern) == (link.label, link.pattern):
        return link
    _end(session, link, now)
    return _made(session, wanted, now)


def remove(session: Session, link_id: int, now: datetime) -> None:
    """Have it no more in new messages; drafts that use it say so, and broadcasts that have started keep it. Raises NotFound, and Conflict
    while a scheduled broadcast uses it, which could not start."""
    link = _get(session, link_id)
    waiting = [one for one in _using(session, link.name) if one.state is BroadcastState.SCHEDULED]
    if waiting:
        called = waiting[0].name or waiting[0].content.subject
        raise Conflict(
            f"“{called}” is scheduled and uses {link.name}. Take it out of that message before you remove the link."
        )
    _end(session, link, now)


def _using(session: Session, name: str) -> tuple[Broadcast, ...]:
    fields = (Content.subject, Content.preheader, Content.html, Content.text)
    query = (
        select(Content)
        .join(Content.broadcast)
        .where(or_(*(field.contains(name, autoescape=True) for field in fields)), Broadcast.state.in_(NOT_STARTED))
        .order_by(Broadcast.id.desc())
        .options(joinedload(Content.broadcast))
    )
    found: dict[int, Broadcast] = {}
    for content in session.scalars(query):
        if name in _names(content.subject, content.preheader, content.html, content.text or ""):
            found[content.broadcast_id] = content.broadcast
    return tuple(found.values())


def _names(*sources: str) -> Iterable[str]:
    return {name for source in sources for name in tags.used(source)}


def _made(session: Session, wanted: PatternLink, now: datetime) -> TagLink:
    link = TagLink(name=wanted.name, label=wanted.label, pattern=wanted.pattern, made_at=now)
    session.add(link)
    session.flush()
    return link


def _end(session: Session, link: TagLink, now: datetime) -> None:
    link.ended_at = max(now, link.made_at)
    session.flush()


def _get(session: Session, link_id: int) -> TagLink:
    link = session.get(TagLink, link_id)
    if link is None or link.ended_at is not None:
        raise NotFound("This link does not exist any more.")
    return link
