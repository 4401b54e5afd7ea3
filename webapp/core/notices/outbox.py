"""What of the notices is to leave: each mail and each call is handed out to one at a time, tried again after its pauses, or given up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.cadence import NOTICE_TAKEN
from webapp.core.errors import Conflict
from webapp.core.notices import webhook
from webapp.core.rules.notices import Channel, DispatchState, NoticeKind, next_try
from webapp.core.tables.notices import HouseWebhook, Notice, NoticeDispatch
from webapp.core.tables.users import User

LOOKED_AT = 50
"""So many are looked at for one that nobody else has just taken."""

MOST_OF_AN_ANSWER = 300
"""Letters of an answer that are kept."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One attempt: `to` and `time_zone` for a mail; `url` and `secrets` for a call. `others` is what else is to leave for the same reader,
    which goes in the same mail: fifty mass mails that pause at once are one."""

    dispatch_id: int
    attempt: int
    channel: Channel
    notice_id: int
    kind: NoticeKind
    facts: Mapping[str, Any]
    happened_at: datetime
    written_at: datetime
    user_id: int | None = None
    to: str = ""
    time_zone: str = "UTC"
    url: str = ""
    secrets: tuple[str, ...] = ()
    others: tuple["Errand", ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt, in words. `is_final`: trying again would not help. `is_for_all`: nobody's mail would have gone."""

    is_done: bool
    words: str
    is_final: bool = False
    is_for_all: bool = False


def is_waited_for(session: Session, now: datetime) -> bool:
    """Whether something is to leave now."""
    return session.scalar(_due(now).with_only_columns(NoticeDispatch.id).limit(1)) is not None


def take(session: Session, now: datetime) -> Errand | None:
    """The next attempt, for the caller alone from its commit on, for NOTICE_TAKEN; None when nothing is due. What nobody is to get any more
    is dropped on the way."""
    due = _due(now).order_by(NoticeDispatch.due_at, NoticeDispatch.id).limit(LOOKED_AT)
    for dispatch, notice in session.execute(due.execution_options(populate_existing=True)).all():
        errand = _taken(session, dispatch, notice, now)
        if errand is None:
            continue
        if errand.user_id is None:
            return errand
        of_reader = due.where(NoticeDispatch.user_id == errand.user_id)
        rest = session.execute(of_reader.execution_options(populate_existing=True)).all()
        others = [_taken(session, other, about, now) for other, about in rest]
        return replace(errand, others=tuple(other for other in others if other is not None))
    return None


def _taken(session: Session, dispatch: NoticeDispatch, notice: Notice, now: datetime) -> Errand | None:
    """The attempt, if it is this caller's to make, and somebody is to get it."""
    mine = (
        update(NoticeDispatch)
        .where(NoticeDispatch.id == dispatch.id, NoticeDispatch.attempts == dispatch.attempts, _is_free(now))
        .values(attempts=dispatch.attempts + 1, taken_until=now + NOTICE_TAKEN, tried_at=now)
    )
    if not guarded.change_one(session, mine):
        return None
    session.refresh(dispatch)
    errand = _errand(session, dispatch, notice, now)
    if errand is None:
        dispatch.state, dispatch.answer = DispatchState.DROPPED, "Nobody is to get it any more."
        session.flush()
    return errand


def settle(session: Session, errand: Errand, answer: Answer, now: datetime) -> None:
    """Record what came of an attempt. One that took too long, so that another was made meanwhile, changes nothing, unless it is done."""
    for other in errand.others:
        settle(session, other, answer, now)
    pause = next_try(errand.channel, errand.attempt, now - errand.written_at)
    state = DispatchState.WAITING
    if answer.is_done:
        state = DispatchState.DONE
    elif answer.is_final or pause is None:
        state = DispatchState.GIVEN_UP
    due_at = now + (pause or timedelta(0))
    this = [NoticeDispatch.id == errand.dispatch_id, NoticeDispatch.state == DispatchState.WAITING]
    if not answer.is_done:
        this.append(NoticeDispatch.attempts == errand.attempt)
    session.execute(
        update(NoticeDispatch)
        .where(*this)
        .values(state=state, due_at=due_at, taken_until=None, answer=answer.words[:MOST_OF_AN_ANSWER])
        .execution_options(synchronize_session=False)
    )
    if answer.is_for_all and not answer.is_done:
        # One mail at a time finds out whether the relay is back; the others wait with it.
        others = (NoticeDispatch.channel == errand.channel, NoticeDispatch.state == DispatchState.WAITING)
        session.execute(
            update(NoticeDispatch)
            .where(*others, NoticeDispatch.due_at < due_at, _is_free(now))
            .values(due_at=due_at, answer=answer.words[:MOST_OF_AN_ANSWER])
            .execution_options(synchronize_session=False)
        )


def troubles(session: Session, most: int = 20) -> Sequence[tuple[NoticeDispatch, Notice, User | None]]:
    """What did not arrive: given up, or not taken so far; the newest first."""
    query = (
        select(NoticeDispatch, Notice, User)
        .join(Notice, Notice.id == NoticeDispatch.notice_id)
        .outerjoin(User, User.id == NoticeDispatch.user_id)
        .where(
            or_(
                NoticeDispatch.state == DispatchState.GIVEN_UP,
                (NoticeDispatch.state == DispatchState.WAITING) & NoticeDispatch.answer.is_not(None),
            )
        )
    )
    rows = session.execute(query.order_by(NoticeDispatch.id.desc()).limit(most))
    return [(dispatch, notice, user) for dispatch, notice, user in rows]


def try_again(session: Session, dispatch_id: int, now: datetime) -> None:
    """Make attempts anew at what was given up. Raises Conflict when it was not, or is not any more."""
    again = (
        update(NoticeDispatch)
        .where(NoticeDispatch.id == dispatch_id, NoticeDispatch.state == DispatchState.GIVEN_UP)
        .values(state=DispatchState.WAITING, attempts=0, due_at=now, taken_until=None)
    )
    if not guarded.change_one(session, again):
        raise Conflict("This is not given up (any more).")


def _due(now: datetime) -> Select[NoticeDispatch, Notice]:
    return (
        select(NoticeDispatch, Notice)
        .join(Notice, Notice.id == NoticeDispatch.notice_id)
        .where(NoticeDispatch.state == DispatchState.WAITING, NoticeDispatch.due_at <= now, _is_free(now))
    )


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(NoticeDispatch.taken_until.is_(None), NoticeDispatch.taken_until <= now)


def _errand(session: Session, dispatch: NoticeDispatch, notice: Notice, now: datetime) -> Errand | None:
    common: dict[str, Any] = {
        "dispatch_id": dispatch.id,
        "attempt": dispatch.attempts,
        "channel": dispatch.channel,
        "notice_id": notice.id,
        "kind": notice.kind,
        "facts": notice.facts,
        "happened_at": notice.happened_at,
        "written_at": notice.written_at,
    }
    if dispatch.user_id is None:
        hook = session.get(HouseWebhook, webhook.THE_ROW, populate_existing=True)
        return None if hook is None else Errand(**common, url=hook.url, secrets=webhook.secrets_of(hook, now))
    user = session.get(User, dispatch.user_id, populate_existing=True)
    if user is None or not user.is_active:
        return None
    return Errand(**common, user_id=user.id, to=user.email, time_zone=user.time_zone)
