"""Notices as somebody finds them in the console."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.rules.notices import NoticeKind, sentence, title
from webapp.core.tables.notices import Notice, NoticeReceipt


@dataclass(frozen=True, slots=True)
class ListedNotice:
    """A notice in somebody's list."""

    id: int
    kind: NoticeKind
    title: str
    text: str
    broadcast_id: int | None
    happened_at: datetime
    is_new: bool


@dataclass(frozen=True, slots=True)
class Bell:
    """How many notices are new to somebody; `newest` is the title of the last, `newest_id` its id, 0 without any."""

    new: int
    newest_id: int = 0
    newest: str = ""


def bell(session: Session, user_id: int) -> Bell:
    new = (NoticeReceipt.user_id == user_id, NoticeReceipt.read_at.is_(None))
    number, newest_id = session.execute(select(func.count(), func.max(NoticeReceipt.notice_id)).where(*new)).one()
    notice = session.get(Notice, newest_id) if newest_id else None
    return Bell(number, notice.id, title(notice.kind, notice.facts)) if notice else Bell(0)


def listing(session: Session, user_id: int, *, before: int | None = None, most: int = 50) -> Sequence[ListedNotice]:
    """The newest `most` notices of a user, or those older than the notice `before`."""
    query = (
        select(Notice, NoticeReceipt.read_at)
        .join(NoticeReceipt, NoticeReceipt.notice_id == Notice.id)
        .where(NoticeReceipt.user_id == user_id)
    )
    if before is not None:
        query = query.where(Notice.id < before)
    rows = session.execute(query.order_by(Notice.id.desc()).limit(most))
    return [_entry(notice, read_at) for notice, read_at in rows]


def mark_read(session: Session, user_id: int, now: datetime, *, up_to: int, only: int | None = None) -> int:
    """Have a user's notices up to the one with the id `up_to`, or `only` one, count as read. Returns how many were new."""
    query = update(NoticeReceipt).where(
        NoticeReceipt.user_id == user_id, NoticeReceipt.read_at.is_(None), NoticeReceipt.notice_id <= up_to
    )
    if only is not None:
        query = query.where(NoticeReceipt.notice_id == only)
    return guarded.change(session, query.values(read_at=now))


def _entry(notice: Notice, read_at: datetime | None) -> ListedNotice:
    words = title(notice.kind, notice.facts), sentence(notice.kind, notice.facts)
    return ListedNotice(notice.id, notice.kind, *words, notice.broadcast_id, notice.happened_at, read_at is None)
