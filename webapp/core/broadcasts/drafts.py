"""Broadcasts while they may still be changed: made, found, edited, duplicated, deleted."""

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import delete, literal, select, update
from sqlalchemy.orm import Session, joinedload

from webapp.core import guarded
from webapp.core.branding import brands
from webapp.core.content.languages import content_of, seen_now
from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.media import attachments
from webapp.core.rules import schedule as calendar
from webapp.core.rules import titles
from webapp.core.rules.lifecycle import CHANGEABLE
from webapp.core.rules.lifecycle import BroadcastState as State
from webapp.core.rules.preflight.text_part import body_digest
from webapp.core.rules.statuses import MessageType
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast, Content, Pick
from webapp.core.tables.users import User

ON_BROADCAST = frozenset(
    {
        "name",
        "message_type",
        "audience_filter",
        "from_address",
        "reply_to",
        "start_wall",
        "time_zone",
        "batch_size",
        "interval_s",
        "uncertain_policy",
        "purpose",
        "topic_id",
        "important_reason",
        "in_brand",
        "design_version_id",
        "main_language",
        "without_text",
    }
)
ON_CONTENT = frozenset({"subject", "preheader", "html", "text"})
START = frozenset({"start_wall", "time_zone", "start_second"})
SEEN = frozenset({"schedule_seen"})
COUNTED = frozenset({"counts_clicks", "counts_opens"})
"""What is chosen for each broadcast anew: a duplicate does not have it."""
EDITABLE = ON_BROADCAST | ON_CONTENT | START | SEEN | COUNTED
"""What `edit` takes. `start_second` (bool, not stored) chooses the later instant of a wall time that comes twice."""


def create(
    session: Session, message_type: MessageType, user_id: int | None, now: datetime, *, press: str | None = None
) -> Broadcast:
    """A new draft with empty content, from the default sender. `press` stands for one press of a button: the second time with the same one
    gives the draft that the first made, or what has become of it."""
    if press and (made := _made_by(session, press, user_id)):
        return made
    broadcast = Broadcast(
        press=press or None,
        message_type=MessageType(message_type),
        from_address=from_addresses.default(session),
        in_brand=brands.is_any(session),
        secret=secrets.token_hex(16),
        created_by=user_id,
        created_at=now,
        updated_at=now,
        content=Content(),
    )
    session.add(broadcast)
    session.flush()
    return broadcast


def _made_by(session: Session, press: str, user_id: int | None) -> Broadcast | None:
    # Two presses at the same instant wait for each other at their user's row; on SQLite writers wait anyhow.
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    return session.scalar(select(Broadcast).where(Broadcast.press == press))


def get(session: Session, broadcast_id: int) -> Broadcast:
    """The broadcast. Raises NotFound."""
    broadcast = session.get(Broadcast, broadcast_id)
    if broadcast is None:
        raise NotFound("This mass mail does not exist (any more).")
    return broadcast


def some(session: Session, broadcast_ids: Collection[int]) -> Sequence[Broadcast]:
    """Those of the broadcasts that there are, by id."""
    return session.scalars(select(Broadcast).where(Broadcast.id.in_(broadcast_ids)).order_by(Broadcast.id)).all()


def sending(session: Session) -> list[int]:
    """The ids of the broadcasts that are sending."""
    query = select(Broadcast.id).where(Broadcast.state == State.SENDING).order_by(Broadcast.id)
    return list(session.scalars(query))


def named(session: Session, broadcast_id: int) -> Broadcast:
    """The broadcast with its subject in one query; its texts, up to a megabyte, are read when somebody looks at them. Raises NotFound."""
    subject = joinedload(Broadcast.content).load_only(Content.subject)
    broadcast = session.get(Broadcast, broadcast_id, options=[subject])
    return broadcast or get(session, broadcast_id)


def edit(
    session: Session,
    broadcast_id: int,
    version: int | None,
    changes: Mapping[str, Any],
    now: datetime,
    *,
    language: str = "",
) -> Broadcast:
    """Change a draft. What is scheduled stays as it was confirmed, until somebody takes it off the calendar (`unschedule`).

    What is written goes into the text in `language`, "" for the main one. `version` is the one the editor saw (None: whatever there is).
    Raises NotFound; Conflict when it is no draft, or somebody else has saved meanwhile; Invalid for a start that does not exist or has
    passed.
    """
    unknown = changes.keys() - EDITABLE
    if unknown:
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
    broadcast = get(session, broadcast_id)
    columns = {name: changes[name] for name in changes.keys() & (ON_BROADCAST | SEEN | COUNTED)}
    if changes.keys() & START:
        columns |= _start(broadcast, changes, now)
    _check_pace(columns)
    _claim_edit(session, broadcast, version, now)
    for name, value in columns.items():
        setattr(broadcast, name, value)
    if written := changes.keys() & ON_CONTENT:
        content = content_of(broadcast, language)
        if language and content.translated_from is None:
            content.translated_from = seen_now(broadcast)
        for name in written:
            setattr(content, name, changes[name])
        if "text" in written:
            content.text_for = None if content.text is None else body_digest(content.html)
    session.flush()
    return broadcast


def _start(broadcast: Broadcast, changes: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    wall = changes.get("start_wall", broadcast.start_wall) or None
    zone = changes.get("time_zone", broadcast.time_zone)
    if wall is None:
        return {"start_wall": None, "time_zone": zone, "starts_at": None}
    chosen = calendar.start(wall, zone, now, second=bool(changes.get("start_second")))
    if chosen.instant is None:
        raise Invalid(chosen.problem or "This start cannot be used.", chosen.field)
    return {"start_wall": wall, "time_zone": zone, "starts_at": chosen.instant}


def _check_pace(columns: Mapping[str, Any]) -> None:
    for field in ("batch_size", "interval_s"):
        if columns.get(field, 0) < 0:
            raise Invalid("Use 0 or a positive number.", field)


def _claim_edit(session: Session, broadcast: Broadcast, version: int | None, now: datetime) -> None:
    """Take the next version, or raise Conflict: the database decides between two editors."""
    seen = broadcast.version if version is None else version
    taken = guarded.change_one(
        session,
        update(Broadcast)
        .where(Broadcast.id == broadcast.id, Broadcast.version == seen, Broadcast.state.in_(CHANGEABLE))
        .values(version=seen + 1, updated_at=now),
    )
    session.refresh(broadcast)
    if taken:
        return
    if broadcast.state == State.SCHEDULED:
        raise Conflict("This mass mail is scheduled. To change it, press Edit on its page: that stops the schedule.")
    if broadcast.state not in CHANGEABLE:
        raise Conflict("This mass mail cannot be changed any more: sending has begun.")
    raise Conflict("Somebody else has changed this mass mail meanwhile. Reload the page to see their version.")


def duplicate(
    session: Session, broadcast_id: int, user_id: int | None, now: datetime, *, press: str | None = None
) -> Broadcast:
    """A new draft with the same audience, texts, pace and picks, and a name of its own; its start is "now", as the old one's has passed.
    `press` as in `create`."""
    original = get(session, broadcast_id)
    if press and (made := _made_by(session, press, user_id)):
        return made
    copy = create(session, original.message_type, user_id, now, press=press)
    copy.name = _name_of_copy(session, original)
    copy.copied_from = original.id
    for name in ON_BROADCAST - START - {"name"}:
        setattr(copy, name, getattr(original, name))
    copy.time_zone = original.time_zone
    for name in ON_CONTENT:
        setattr(copy.content, name, getattr(original.content, name))
    copy.content.text_for = original.content.text_for
    session.flush()
    attachments.copy(session, original.content.id, copy.content.id)
    copy.other_languages = original.other_languages
    for language in original.other_languages.split():
        text = content_of(original, language)
        written = {name: getattr(text, name) for name in (*ON_CONTENT, "translated_from", "text_for")}
        written_text = Content(broadcast_id=copy.id, language=language, **written)
        session.add(written_text)
        session.flush()
        attachments.copy(session, text.id, written_text.id)
    session.expire(copy, ["contents"])
    picks = select(literal(copy.id), Pick.client_id, Pick.kind).where(Pick.broadcast_id == original.id)
    session.execute(Pick.__table__.insert().from_select(["broadcast_id", "client_id", "kind"], picks))
    return copy


_OF_COPY = re.compile(r" \(copy(?: \d{1,6})?\)$")
LONGEST_NAME = 200


def _name_of_copy(session: Session, original: Broadcast) -> str:
    """ "News (copy)", or the first of "News (copy 2)" and so on that nobody has."""
    called = titles.title(original.name, original.content.subject)
    stem = _OF_COPY.sub("", called)[: LONGEST_NAME - len(" (copy 999999)")]
    begins = Broadcast.name.startswith(f"{stem} (copy", autoescape=True)
    taken = set(session.scalars(select(Broadcast.name).where(begins)))
    names = (f"{stem} (copy{f' {number}' if number > 1 else ''})" for number in count(1))
    return next(name for name in names if name not in taken)


def count_nothing(session: Session) -> None:
    """Have no broadcast count clicks and opens that has not started."""
    chosen = Broadcast.counts_clicks | Broadcast.counts_opens
    session.execute(
        update(Broadcast)
        .where(Broadcast.started_at.is_(None), chosen)
        .values(counts_clicks=False, counts_opens=False, version=Broadcast.version + 1)
    )


def delete_draft(session: Session, broadcast_id: int) -> None:
    """Forget a draft. Raises NotFound; Conflict for anything but a draft, whose ledger must stay."""
    broadcast = get(session, broadcast_id)
    if broadcast.state != State.DRAFT:
        raise Conflict("Only a draft can be deleted. Cancel this mass mail instead.")
    session.execute(delete(Content).where(Content.broadcast_id == broadcast_id))
    gone = delete(Broadcast).where(Broadcast.id == broadcast_id, Broadcast.state == State.DRAFT)
    if not guarded.change_one(session, gone):
        raise Conflict("This mass mail is not a draft any more.")
    session.expunge(broadcast)
