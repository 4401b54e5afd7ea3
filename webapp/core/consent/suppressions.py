"""Addresses that must not be mailed. What is suppressed here is skipped at the freeze, and at each claim for what was frozen before."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.tables.suppressions import Suppression

LONGEST_REASON = 200


def suppress(session: Session, address_key: str, reason: str, now: datetime) -> bool:
    """Mail this address no more. False when it was suppressed already; then its first reason stays."""
    if session.get(Suppression, address_key) is not None:
        return False
    session.add(Suppression(address_key=address_key, reason=reason[:LONGEST_REASON], created_at=now))
    session.flush()
    return True


def lift(session: Session, address_key: str) -> bool:
    """Let this address be mailed again. Rows that became `suppressed` meanwhile stay so. False when it was not suppressed."""
    gone = delete(Suppression).where(Suppression.address_key == address_key)
    return guarded.change_one(session, gone, synchronize="fetch")


def among(session: Session, address_keys: Collection[str]) -> dict[str, str]:
    """Which of these addresses are suppressed, each with its reason."""
    if not address_keys:
        return {}
    rows = select(Suppression.address_key, Suppression.reason).where(Suppression.address_key.in_(address_keys))
    return {row[0]: row[1] for row in session.execute(rows)}


def listing(session: Session, *, search: str = "", offset: int = 0, limit: int = 50) -> tuple[int, list[Suppression]]:
    """How many suppressions match the words, and a page of them, the newest first."""
    query = select(Suppression)
    for word in search.lower().split():
        query = query.where(
            or_(
                Suppression.address_key.contains(word, autoescape=True),
                func.lower(Suppression.reason).contains(word, autoescape=True),
            )
        )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(Suppression.created_at.desc(), Suppression.address_key).offset(offset).limit(limit)
    return total, list(session.scalars(page))
