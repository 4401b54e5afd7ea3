"""One way to save a step of a draft. Who saves a step says what they started from, and goes over nobody's change of that step; what others
changed in another step meanwhile is no conflict."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.audience import AudienceFilter, audience_of
from webapp.core.broadcasts import presence
from webapp.core.broadcasts.drafts import ON_CONTENT, SEEN, START, edit, get
from webapp.core.content.languages import content_of
from webapp.core.errors import Conflict
from webapp.core.rules import digests
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.drafts import StepSave


class Step(StrEnum):
    """The steps of a draft that are filled in."""

    AUDIENCE = "audience"
    CONTENT = "content"
    SCHEDULE = "schedule"


OF_STEP = {
    Step.AUDIENCE: frozenset({"message_type", "audience_filter"}),
    Step.CONTENT: frozenset({"from_address", "reply_to"}) | ON_CONTENT,
    Step.SCHEDULE: frozenset({"batch_size", "interval_s", "uncertain_policy"}) | START | SEEN,
}
"""What each step changes, by the names that `edit` knows."""


class Editor(NamedTuple):
    """The user who saves."""

    id: int
    email: str
    name: str


Changes = Callable[[Broadcast], Mapping[str, Any]]
"""What somebody's choices change in a broadcast as it is stored, as `edit` takes it; nothing where they are what is stored."""


def save(
    session: Session,
    broadcast_id: int,
    step: Step,
    changes: Changes,
    now: datetime,
    *,
    known: Collection[str],
    lost: Changes | None = None,
    by: Editor | None = None,
    language: str = "",
) -> Broadcast:
    """Save what `changes` finds different in a step, and remember that `by` did.

    `known` are the digests of the step that the editor has seen. `lost` is what an earlier request wanted whose answer never came: if that
    is what is stored, it is the editor's own doing. `language` is that of the text that is written, "" for the main one.

    Raises NotFound; Invalid as `edit` does; Conflict, and is to be rolled back, when somebody else has changed this step, or the broadcast
    is no draft any more.
    """
    broadcast = get(session, broadcast_id)
    if not changes(broadcast):
        return broadcast
    _lock(session, broadcast)
    found = changes(broadcast)
    foreign = found.keys() - OF_STEP[step]
    if foreign:
        raise ValueError(f"not of the step {step}: {', '.join(sorted(foreign))}")
    if found.keys() - SEEN and digest(broadcast, step, language) not in known and not _is_stored(broadcast, lost):
        raise Conflict(f"Somebody else has changed the {step.value} of this mass mail meanwhile.")
    if not found:
        return broadcast
    saved = edit(session, broadcast_id, broadcast.version, found, now, language=language)
    if by is not None and found.keys() - SEEN:
        _remember(session, saved, step, language, by, now)
    return saved


def last_save(session: Session, broadcast: Broadcast, step: Step, language: str = "") -> StepSave | None:
    """Who made the step what it is now, of the message its text in this language; None where that is not known."""
    row = session.get(StepSave, (broadcast.id, step.value, language), populate_existing=True)
    return row if row and row.digest == digest(broadcast, step, language) else None


def _remember(session: Session, broadcast: Broadcast, step: Step, language: str, by: Editor, now: datetime) -> None:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    which = {"broadcast_id": broadcast.id, "step": step.value, "language": language}
    said = {
        "user_email": by.email,
        "user_name": by.name,
        "saved_at": now,
        "digest": digest(broadcast, step, language),
    }
    new = dialect.insert(StepSave).values(**which, **said)
    session.execute(new.on_conflict_do_update(index_elements=[StepSave.__table__.c[one] for one in which], set_=said))
    presence.seen(session, broadcast.id, by.id, now)


def digest(broadcast: Broadcast, step: Step, language: str = "") -> str:
    """Equal for a step that says the same; of the content in this language. A page carries that of what it started from."""
    match step:
        case Step.AUDIENCE:
            return digest_of_filter(audience_of(broadcast).filter)
        case Step.CONTENT:
            content = content_of(broadcast, language)
            sender = [broadcast.from_address, broadcast.reply_to]
            return digests.digest([*sender, content.subject, content.preheader, content.html, content.text])
        case Step.SCHEDULE:
            # Without a time the zone says nothing.
            start = (
                [broadcast.start_wall, broadcast.time_zone, str(broadcast.starts_at)] if broadcast.start_wall else []
            )
            pace = [broadcast.batch_size, broadcast.interval_s]
            return digests.digest([start, pace, broadcast.uncertain_policy])


def digest_of_filter(chosen: AudienceFilter) -> str:
    """The digest of an audience with this filter."""
    values = {name: sorted(values) for name, values in chosen.to_dict().items()}
    return digests.digest([chosen.message_type, values])


def _lock(session: Session, broadcast: Broadcast) -> None:
    """Let nobody else save until this transaction ends, and see what they saved before."""
    for content in (broadcast.content, *(broadcast.contents if broadcast.other_languages else ())):
        session.expire(content)
    session.refresh(broadcast, with_for_update=True)
    session.expire(broadcast, ["contents"])


def _is_stored(broadcast: Broadcast, lost: Changes | None) -> bool:
    return lost is not None and not lost(broadcast).keys() - SEEN
