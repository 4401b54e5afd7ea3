"""Limits by the recipient's domain, as administrators set them."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.errors import Conflict
from webapp.core.rules import digests
from webapp.core.rules.receivers import ReceiverLimit, check
from webapp.core.settings import limits
from webapp.core.tables.limits import DomainLimit

CHANGED = "Somebody else has changed this limit since you looked at it."


def digest(limit: ReceiverLimit) -> str:
    """Equal for equal limits. With it a page tells which one it was filled with."""
    return digests.digest([list(limit.domains), limit.mails, limit.interval_s, limit.connections])


def add(session: Session, limit: ReceiverLimit) -> ReceiverLimit:
    """Set a limit for domains that have none; sending processes heed it within seconds. Raises Invalid with the field to mend."""
    check(limit, limits.receivers(session))
    limits.ensure(session)
    row = DomainLimit(
        domains=list(limit.domains), mails=limit.mails, interval_s=limit.interval_s, connections=limit.connections
    )
    session.add(row)
    session.flush()
    return ReceiverLimit(limit.domains, limit.mails, limit.interval_s, limit.connections, row.id)


def change(session: Session, limit_id: int, limit: ReceiverLimit, *, seen: str) -> ReceiverLimit:
    """Set what stands in `limit` in place of the limit with this id, which had the digest `seen`. For other domains it becomes
    another limit.

    Raises Invalid with the field to mend; Conflict when it is gone, or another by now.
    """
    before = _seen(session, limit_id, seen)
    if frozenset(before.domains) != frozenset(limit.domains):
        check(limit, [one for one in limits.receivers(session) if one.id != limit_id])
        remove(session, limit_id, seen=seen)
        return add(session, limit)
    check(limit, [one for one in limits.receivers(session) if one.id != limit_id])
    guarded.change_one(
        session,
        update(DomainLimit)
        .where(DomainLimit.id == limit_id)
        .values(
            domains=list(limit.domains), mails=limit.mails, interval_s=limit.interval_s, connections=limit.connections
        ),
    )
    return ReceiverLimit(limit.domains, limit.mails, limit.interval_s, limit.connections, limit_id)


def remove(session: Session, limit_id: int, *, seen: str) -> ReceiverLimit:
    """Take a limit away, and tell what it was. Raises Conflict as `change` does."""
    before = _seen(session, limit_id, seen)
    session.execute(delete(DomainLimit).where(DomainLimit.id == limit_id))
    return before


def _seen(session: Session, limit_id: int, seen: str) -> ReceiverLimit:
    session.scalar(select(DomainLimit.id).where(DomainLimit.id == limit_id).with_for_update())
    known = next((one for one in limits.receivers(session) if one.id == limit_id), None)
    if known is None or digest(known) != seen:
        raise Conflict(CHANGED)
    return known
