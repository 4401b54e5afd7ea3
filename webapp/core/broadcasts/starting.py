"""From "Create Broadcast" to its first instant of sending: scheduled, started, and, while nothing has left, undone.

Whoever has just said that a broadcast goes out has a while to take that back (`undo_until`): until then nothing of it is frozen, claimed or
sent, on whichever way it came to its start.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, func, or_, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.branding import brands
from webapp.core.broadcasts import languages
from webapp.core.broadcasts.drafts import get
from webapp.core.broadcasts.lifecycle import move
from webapp.core.broadcasts.purposes import undecided
from webapp.core.content.completeness import Missing, missing
from webapp.core.errors import Conflict, Invalid
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.likeness import text_digest
from webapp.core.tables.broadcasts import Broadcast

State = BroadcastState

NO_TIME = timedelta(0)


def schedule(
    session: Session,
    broadcast_id: int,
    version: int | None,
    now: datetime,
    *,
    undo: timedelta = NO_TIME,
    by: str = "",
) -> Broadcast:
    """ "Create Broadcast": draft -> scheduled, by the user with the address `by`. Nothing begins before `undo` is over. Pressing twice is
    harmless: the second returns what the first did.

    Raises NotFound; Conflict when it was changed since `version`; Invalid (with the field) for what no broadcast can go without.
    """
    broadcast = get(session, broadcast_id)
    if broadcast.state == State.DRAFT:
        _check_complete(session, broadcast, now)
    seen = broadcast.version if version is None else version
    columns = {"scheduled_at": now, "start_confirmed_at": None, "updated_at": now} | _decided(now, undo, by)
    moved = move(session, broadcast, {State.DRAFT}, State.SCHEDULED, [Broadcast.version == seen], **columns)
    if moved:
        brand = brands.in_force(session, brands.sender_of(broadcast)) if broadcast.in_brand else None
        broadcast.brand_id = brand.id if brand else None
        content = broadcast.content
        content.text_digest = text_digest(content.subject, content.html, content.text)
        session.flush()
    if moved or (broadcast.state not in (State.DRAFT, State.CANCELLED) and broadcast.version == seen):
        return broadcast
    if broadcast.state == State.CANCELLED:
        raise Conflict("This mass mail was cancelled.")
    raise Conflict("This mass mail was changed meanwhile. Look at it again before you send it.")


def _decided(now: datetime, undo: timedelta, by: str) -> dict[str, object]:
    return {"undo_until": now + undo if undo else None, "started_by": by}


def _check_complete(session: Session, broadcast: Broadcast, now: datetime) -> None:
    gap = languages.undecided_gap(session, broadcast)
    for lacking in (undecided(broadcast), *missing(broadcast), gap, passed_start(broadcast, now)):
        if lacking is not None:
            raise Invalid(lacking.message, lacking.field)


def passed_start(broadcast: Broadcast, now: datetime) -> Missing | None:
    """That the chosen start lies before the present minute; None where it does not."""
    if broadcast.starts_at is None or broadcast.starts_at + timedelta(minutes=1) > now:
        return None
    return Missing("start_wall", "The chosen start has passed.")


def begins_at(broadcast: Broadcast) -> datetime | None:
    """The earliest instant at which a scheduled broadcast may begin; None for "as soon as a worker looks"."""
    chosen = None if broadcast.start_confirmed_at else broadcast.starts_at
    return max((at for at in (chosen, broadcast.undo_until) if at is not None), default=None)


def can_undo(broadcast: Broadcast, now: datetime) -> bool:
    """Whether somebody has only just said that it goes out, so that nothing of it may have left yet."""
    return broadcast.state == State.SCHEDULED and broadcast.undo_until is not None and broadcast.undo_until > now


def _its_time_has_come(now: datetime) -> ColumnElement[bool]:
    return or_(Broadcast.starts_at.is_(None), Broadcast.starts_at <= now, Broadcast.start_confirmed_at.is_not(None))


def _is_meant_now(broadcast: Broadcast, now: datetime) -> bool:
    return broadcast.starts_at is None or broadcast.starts_at <= now or broadcast.start_confirmed_at is not None


def _cannot_be_undone(now: datetime) -> ColumnElement[bool]:
    return or_(Broadcast.undo_until.is_(None), Broadcast.undo_until <= now)


def is_due(now: datetime) -> ColumnElement[bool]:
    """Whether a broadcast is scheduled and may begin, as a condition; `begins_at` says the same of one."""
    return and_(Broadcast.state == State.SCHEDULED, _its_time_has_come(now), _cannot_be_undone(now))


def start(session: Session, broadcast_id: int, now: datetime, *, ask_after: timedelta | None = None) -> bool:
    """scheduled -> sending, if it is due. True for the one caller that started it; `ledger.freeze_chunk` is next.

    A start that was missed by more than `ask_after` (None: by any time) is left to a person, see `confirm_start`.
    """
    broadcast = get(session, broadcast_id)
    conditions: list[ColumnElement[bool]] = [is_due(now)]
    if ask_after is not None:
        conditions.append(~is_missed(now, ask_after))
    return move(session, broadcast, {State.SCHEDULED}, State.SENDING, conditions, started_at=now, updated_at=now)


_WAITED_FOR = func.coalesce(Broadcast.start_confirmed_at, Broadcast.starts_at, Broadcast.scheduled_at)
"""The instant at which a scheduled broadcast was last meant to start, unless it could be undone for longer."""


def missed_start(broadcast: Broadcast, now: datetime, ask_after: timedelta | None) -> datetime | None:
    """When a broadcast that is still scheduled was to start, if that is more than `ask_after` ago; None where nothing is to be asked."""
    if broadcast.state != State.SCHEDULED or ask_after is None:
        return None
    meant = broadcast.start_confirmed_at or broadcast.starts_at or broadcast.scheduled_at
    if meant is not None and broadcast.undo_until is not None:
        meant = max(meant, broadcast.undo_until)
    return meant if meant is not None and meant < now - ask_after else None


def is_missed(now: datetime, ask_after: timedelta | None) -> ColumnElement[bool]:
    """`missed_start` as a condition on Broadcast."""
    if ask_after is None:
        return false()
    before = now - ask_after
    return and_(Broadcast.state == State.SCHEDULED, before > _WAITED_FOR, _cannot_be_undone(before))


def confirm_start(
    session: Session, broadcast_id: int, now: datetime, *, undo: timedelta = NO_TIME, by: str = ""
) -> Broadcast:
    """Somebody wants a broadcast started whose start has passed: it is as if that were now. It stays scheduled until `undo` is over and a
    worker looks at it. Pressing twice is harmless: while it can be undone a second time changes nothing.

    Raises NotFound; Conflict when it is not scheduled any more, or for a time to come.
    """
    broadcast = get(session, broadcast_id)
    late = [_its_time_has_come(now), _cannot_be_undone(now)]
    if _confirm(session, broadcast, now, late, undo, by) or (
        can_undo(broadcast, now) and _is_meant_now(broadcast, now)
    ):
        return broadcast
    if broadcast.state == State.SCHEDULED:
        raise Conflict("Somebody has chosen another time meanwhile: it starts then.")
    raise Conflict(f"This mass mail is {broadcast.state.label} by now: there is no start to confirm.")


def send_now(
    session: Session, broadcast_id: int, version: int, now: datetime, *, undo: timedelta = NO_TIME, by: str = ""
) -> Broadcast:
    """Somebody wants a scheduled broadcast to start before its time, when `undo` is over; the time chosen for it stays written down.
    Pressing twice is harmless.

    Raises NotFound; Conflict when it was changed since `version`, or is not scheduled any more.
    """
    broadcast = get(session, broadcast_id)
    early = [Broadcast.version == version, Broadcast.start_confirmed_at.is_(None), Broadcast.starts_at > now]
    if _confirm(session, broadcast, now, early, undo, by):
        return broadcast
    if broadcast.version != version or broadcast.state == State.DRAFT:
        raise Conflict("This mass mail was changed meanwhile. Look at it again before you send it.")
    if broadcast.state not in (State.SCHEDULED, State.SENDING):
        raise Conflict(f"This mass mail is {broadcast.state.label} by now: it cannot be started.")
    return broadcast


def _confirm(
    session: Session,
    broadcast: Broadcast,
    now: datetime,
    conditions: list[ColumnElement[bool]],
    undo: timedelta,
    by: str,
) -> bool:
    """Note that a scheduled broadcast is to start now. True when this call did."""
    confirmed = guarded.change_one(
        session,
        update(Broadcast)
        .where(Broadcast.id == broadcast.id, Broadcast.state == State.SCHEDULED, *conditions)
        .values(start_confirmed_at=now, updated_at=now, **_decided(now, undo, by)),
    )
    session.refresh(broadcast)
    return confirmed


def unschedule(session: Session, broadcast_id: int, version: int | None, now: datetime) -> Broadcast:
    """scheduled -> draft: somebody takes it off the calendar to change it. It starts only when it is scheduled anew. Pressing twice is
    harmless.

    `version` is the one that was seen (None: whatever there is); it counts on. Raises NotFound; Conflict when sending has begun, or it was
    changed meanwhile.
    """
    broadcast = get(session, broadcast_id)
    seen = broadcast.version if version is None else version
    if _back_to_draft(session, broadcast, seen, now, []) or _is_draft_since(broadcast, version):
        return broadcast
    if broadcast.state in (State.SCHEDULED, State.DRAFT):
        raise Conflict("This mass mail was changed meanwhile. Look at it again.")
    raise Conflict(f"This mass mail is {broadcast.state.label} by now: it cannot be changed any more.")


def _back_to_draft(
    session: Session, broadcast: Broadcast, seen: int, now: datetime, conditions: list[ColumnElement[bool]]
) -> bool:
    """The version counts on, so that a "Create Broadcast" that was pressed before and arrives later does nothing."""
    columns = {
        "version": seen + 1,
        "scheduled_at": None,
        "start_confirmed_at": None,
        "undo_until": None,
        "started_by": "",
        "brand_id": None,
        "updated_at": now,
    }
    conditions = [Broadcast.version == seen, *conditions]
    return move(session, broadcast, {State.SCHEDULED}, State.DRAFT, conditions, **columns)


def _is_draft_since(broadcast: Broadcast, version: int | None) -> bool:
    """Whether it is the draft that an earlier press made of this version."""
    return broadcast.state == State.DRAFT and (version is None or broadcast.version == version + 1)


def undo(session: Session, broadcast_id: int, version: int | None, now: datetime) -> Broadcast:
    """scheduled -> draft, while nothing has left: whoever said that it goes out takes that back, and everything is kept as it was. Pressing
    twice is harmless.

    `version` is the one that was seen (None: whatever there is); it counts on. Raises NotFound; Conflict when there is nothing to take
    back any more.
    """
    broadcast = get(session, broadcast_id)
    seen = broadcast.version if version is None else version
    in_time = or_(Broadcast.undo_until > now, and_(Broadcast.undo_until.is_not(None), _its_time_has_come(now)))
    if _back_to_draft(session, broadcast, seen, now, [in_time]) or _is_draft_since(broadcast, version):
        return broadcast
    if broadcast.state == State.DRAFT:
        raise Conflict("This mass mail is a draft already. Nothing of it has left.")
    if broadcast.state != State.SCHEDULED:
        raise Conflict(
            f"Too late to undo: this mass mail is {broadcast.state.label} by now. Pause or cancel it on its page."
        )
    if broadcast.version != seen:
        raise Conflict("This mass mail was changed meanwhile. Look at it again.")
    raise Conflict("The time to undo is over. Nothing has left: edit or cancel this mass mail on its page.")
