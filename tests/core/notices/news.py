"""Broadcasts to which something happens, and the notices that come of it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.notices import looking
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.notices import Notice, NoticeDispatch, NoticeReceipt, NoticeWatch

NOW = factories.NOW
RELAY_DOWN = "The relay says: 451 4.3.0 try again later"


def later(**time: float) -> datetime:
    return NOW + timedelta(**time)


def begin(session: Session, since: datetime = NOW - timedelta(days=30)) -> None:
    """News are what happened after `since`."""
    session.execute(update(NoticeWatch).values(since=since, looked_at=since))


def paused(session: Session, reason: str | None = RELAY_DOWN, at: datetime = NOW, **columns: Any) -> Broadcast:
    return broadcast(session, BroadcastState.PAUSED, pause_reason=reason, paused_at=at, **columns)


def broadcast(session: Session, state: BroadcastState, **columns: Any) -> Broadcast:
    """A broadcast in that state; finished at NOW if it is finished."""
    if state is BroadcastState.FINISHED:
        columns = {"finished_at": NOW} | columns
    return factories.broadcast(session, state=state, **columns)


def look(session: Session, now: datetime = NOW, **facts: Any) -> list[str]:
    """Look, and the kinds of the notices written."""
    before = set(session.scalars(select(Notice.id)))
    number = looking.look(session, now, **facts)
    written = [n.kind.value for n in session.scalars(select(Notice).order_by(Notice.id)) if n.id not in before]
    assert number == len(written)
    return written


def hearers(session: Session, kind: str | None = None) -> list[int]:
    query = select(NoticeReceipt.user_id).join(Notice, Notice.id == NoticeReceipt.notice_id)
    if kind:
        query = query.where(Notice.kind == kind)
    return sorted(session.scalars(query))


def mailed(session: Session) -> list[int]:
    return sorted(session.scalars(select(NoticeDispatch.user_id).where(NoticeDispatch.user_id.is_not(None))))
