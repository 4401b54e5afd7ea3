"""Look for news: each fact that somebody should hear of becomes one notice, whoever looks, however often, also two at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from webapp.core import broadcasts
from webapp.core.broadcasts import progress
from webapp.core.notices import facts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.notices import (
    NO_WORKER,
    QUIET,
    RELAY_WAITS,
    Channel,
    NoticeKind,
    Scope,
    paused_itself,
    same_reason,
    without_addresses,
)
from webapp.core.tables.base import Base
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.notices import HouseWebhook, Notice, NoticeChoice, NoticeDispatch, NoticeReceipt, NoticeWatch
from webapp.core.tables.users import User

NEWS_FOR = timedelta(days=7)
"""That a broadcast finished longer ago, while nobody looked, is no news."""

State = BroadcastState
_NAMED = joinedload(Broadcast.content).load_only(Content.subject)


def look(
    session: Session,
    now: datetime,
    *,
    relay_waiting_since: datetime | None = None,
    no_worker_since: datetime | None = None,
    missed_starts: Mapping[int, datetime] | None = None,
) -> int:
    """Write what is news at `now`, with what is to leave by mail and webhook. Returns how many notices were written.

    For the arguments see `facts.SiteFacts`. A broadcast whose notice of the same kind and reason is younger than QUIET is told of later,
    if it is still so; a trouble of the whole site is one notice, of which whoever it reaches later hears, too.
    """
    # The row's lock has those who look at once do it one after the other; the UNIQUE of the notices is what holds in any case.
    since = session.scalar(update(NoticeWatch).values(looked_at=now).returning(NoticeWatch.since))
    assert since is not None, "the migration makes the row"
    written = _look_at_broadcasts(session, since, now, missed_starts or {})
    written += _look_at_site(session, NoticeKind.WAITS_FOR_RELAY, relay_waiting_since, RELAY_WAITS, now)
    written += _look_at_site(session, NoticeKind.NO_WORKER, no_worker_since, NO_WORKER, now)
    return written


def looked_at(session: Session) -> datetime:
    """When somebody last looked."""
    return session.scalars(select(NoticeWatch.looked_at)).one()


def _look_at_broadcasts(session: Session, since: datetime, now: datetime, missed: Mapping[int, datetime]) -> int:
    told = exists().where(Notice.broadcast_id == Broadcast.id, Notice.kind == NoticeKind.FINISHED)
    news: list[ColumnElement[bool]] = [
        and_(Broadcast.state == State.PAUSED, Broadcast.paused_at > since),
        and_(Broadcast.state == State.NEEDS_ATTENTION, Broadcast.updated_at > since),
        and_(Broadcast.state == State.FINISHED, Broadcast.finished_at > max(since, now - NEWS_FOR), ~told),
        Broadcast.id.in_(list(missed)),
    ]
    found = session.scalars(select(Broadcast).where(or_(*news)).order_by(Broadcast.id).options(_NAMED)).all()
    counts = progress.counts_of(session, [broadcast.id for broadcast in found])
    written = 0
    for broadcast in found:
        kind, at = _what_happened(broadcast, missed)
        if kind is None or at is None:
            continue
        reason = broadcast.pause_reason if kind is NoticeKind.PAUSED_ITSELF else None
        occasion = f"{broadcast.id} {at.isoformat()}"
        if _is_known(session, broadcast.id, kind, occasion, reason, now):
            continue
        about = facts.of_broadcast(broadcast, counts[broadcast.id], reason)
        notice_id = _write(session, kind, occasion, broadcast.id, about, at, now)
        if notice_id is not None:
            _tell(session, notice_id, {broadcast.created_by}, now)
            written += 1
    return written


def _what_happened(broadcast: Broadcast, missed: Mapping[int, datetime]) -> tuple[NoticeKind | None, datetime | None]:
    match broadcast.state:
        case State.DRAFT | State.SCHEDULED | State.PAUSED if broadcast.id in missed:
            return NoticeKind.MISSED_START, missed[broadcast.id]
        case State.PAUSED if paused_itself(broadcast.pause_reason):
            return NoticeKind.PAUSED_ITSELF, broadcast.paused_at
        case State.NEEDS_ATTENTION:
            return NoticeKind.NEEDS_DECISION, broadcast.updated_at
        case State.FINISHED:
            return NoticeKind.FINISHED, broadcast.finished_at
        case _:
            return None, None


def _is_known(
    session: Session, broadcast_id: int, kind: NoticeKind, occasion: str, reason: str | None, now: datetime
) -> bool:
    """Whether this was told, or something so alike a moment ago that it has to wait."""
    of_this = select(Notice).where(Notice.broadcast_id == broadcast_id, Notice.kind == kind)
    last = session.scalar(of_this.order_by(Notice.id.desc()).limit(1))
    if last is None:
        return False
    is_alike = same_reason(last.facts["reason"] or "", without_addresses(reason or ""))
    return last.occasion == occasion or (is_alike and last.written_at > now - QUIET)


def _look_at_site(
    session: Session, kind: NoticeKind, since: datetime | None, patience: timedelta, now: datetime
) -> int:
    if since is None or now - since < patience:
        return 0
    is_sending = Broadcast.state == State.SENDING
    waits = is_sending if kind is NoticeKind.WAITS_FOR_RELAY else or_(is_sending, broadcasts.is_due(now))
    waiting = session.scalars(select(Broadcast).where(waits).order_by(Broadcast.id).options(_NAMED)).all()
    if not waiting:
        return 0
    occasion = f"site {since.isoformat()}"
    last = session.scalar(select(Notice).where(Notice.kind == kind).order_by(Notice.id.desc()).limit(1))
    authors = {broadcast.created_by for broadcast in waiting}
    if last is not None and last.occasion == occasion:
        _tell(session, last.id, authors, now, first=False)
        return 0
    if last is not None and last.written_at > now - QUIET:
        return 0
    notice_id = _write(session, kind, occasion, None, facts.of_many(waiting), since, now)
    if notice_id is None:
        return 0
    _tell(session, notice_id, authors, now)
    return 1


def _write(
    session: Session,
    kind: NoticeKind,
    occasion: str,
    broadcast_id: int | None,
    about: dict[str, Any],
    at: datetime,
    now: datetime,
) -> int | None:
    """The new notice's id; None when another has written it meanwhile."""
    return _insert_new(
        session,
        Notice,
        Notice.id,
        kind=kind,
        occasion=occasion,
        broadcast_id=broadcast_id,
        facts=about,
        happened_at=at,
        written_at=now,
    )


def _tell(
    session: Session, notice_id: int, authors: Iterable[int | None], now: datetime, *, first: bool = True
) -> None:
    """Put a notice into the lists of those who hear of these authors' broadcasts, and what is to leave into the outbox; once for each."""
    known = [author for author in authors if author is not None]
    readers = _readers(session, or_(User.id.in_(known), NoticeChoice.scope == Scope.ALL))
    # A broadcast whose author is locked or unknown, and of which nobody else hears, is in everybody's list rather than in nobody's.
    if not readers and first:
        readers = [(user_id, False) for user_id, _by_mail in _readers(session)]
    for user_id, by_mail in readers:
        receipt = {"notice_id": notice_id, "user_id": user_id}
        is_new = _insert_new(session, NoticeReceipt, NoticeReceipt.user_id, **receipt) is not None
        if is_new and by_mail:
            session.add(NoticeDispatch(channel=Channel.MAIL, due_at=now, **receipt))
    if first and session.scalar(select(func.count()).select_from(HouseWebhook)):
        session.add(NoticeDispatch(notice_id=notice_id, channel=Channel.WEBHOOK, due_at=now))
    session.flush()


def _readers(session: Session, *conditions: ColumnElement[bool]) -> Sequence[tuple[int, bool]]:
    """Users who may sign in, each with whether they want mail."""
    by_mail = func.coalesce(NoticeChoice.by_mail, True)
    query = select(User.id, by_mail).outerjoin(NoticeChoice, NoticeChoice.user_id == User.id)
    return [(user_id, bool(mail)) for user_id, mail in session.execute(query.where(User.is_active, *conditions))]


def _insert_new(session: Session, table: type[Base], returned: Any, **values: Any) -> int | None:
    """Add a row unless there is one with the same key. Returns a column of the new row, or None."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    made: int | None = session.scalar(
        dialect.insert(table).values(**values).on_conflict_do_nothing().returning(returned)
    )
    return made
