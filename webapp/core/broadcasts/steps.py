"""One way to save a step of a draft. Who saves a step says what they started from, and goes over nobody's change of that step; what others
changed in another step meanwhile is no conflict."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from webapp.core.audience import AudienceFilter, audience_of
from webapp.core.broadcasts.drafts import ON_CONTENT, SEEN, START, edit, get
from webapp.core.content.languages import content_of
from webapp.core.errors import Conflict
from webapp.core.rules import digests
from webapp.core.tables.broadcasts import Broadcast


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
    language: str = "",
) -> Broadcast:
    """Save what `changes` finds different in a step.

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
    return edit(session, broadcast_id, broadcast.version, found, now, language=language) if found else broadcast


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
