"""Whether those who would get a draft have got its text already, or are about to: from what it is a copy of, or what says the same."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager

from webapp.core import audience, broadcasts
from webapp.core.audience import AudienceCount, Term
from webapp.core.audience.earlier import members_of
from webapp.core.client_set import NOBODY, ClientSet
from webapp.core.errors import Conflict
from webapp.core.rules import titles
from webapp.core.rules.earlier import GOT, REACHED, TO_COME
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.likeness import text_digest
from webapp.core.tables.broadcasts import Broadcast, Content, PickKind

MOST_EARLIER = 5
"""Earlier mass mails that are looked at, the latest first."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A broadcast of which `got` of those who would get the draft have its mail already, the last about `at`, and `to_come` are about to.
    `same_text`: it says the same; otherwise the draft is a copy of it that was changed since. One that `is_scheduled` has no recipients
    yet: `to_come` are those it would go to now."""

    broadcast_id: int
    title: str
    got: int
    to_come: int
    at: datetime | None
    same_text: bool
    is_scheduled: bool


def find(session: Session, draft: Broadcast, count: AudienceCount) -> list[Overlap]:
    """The earlier mass mails that this draft repeats, the latest first. Quick at any size: the text is found by its digest, and who got it
    is a set in memory."""
    if not count.will_receive:
        return []
    content = draft.content
    digest = text_digest(content.subject, content.html, content.text)
    begun = func.coalesce(Broadcast.started_at, Broadcast.scheduled_at)
    query = (
        select(Broadcast)
        .join(Broadcast.content)
        .options(contains_eager(Broadcast.content).load_only(Content.subject, Content.text_digest))
        .where(or_(Content.text_digest == digest, Broadcast.id == draft.copied_from))
        .where(Broadcast.id != draft.id, Broadcast.state != BroadcastState.DRAFT)
        .order_by(begun.desc(), Broadcast.id.desc())
        .limit(MOST_EARLIER)
    )
    receivers = _receivers(session, draft)
    found = [_overlap(session, one, digest, receivers) for one in session.scalars(query)]
    return [one for one in found if one.got or one.to_come]


def _receivers(session: Session, broadcast: Broadcast) -> ClientSet:
    return audience.select_terms(session, audience.audience_of(broadcast)).terms[Term.WILL_RECEIVE]


def _overlap(session: Session, one: Broadcast, digest: str, receivers: ClientSet) -> Overlap:
    is_scheduled = one.state is BroadcastState.SCHEDULED
    got = NOBODY if is_scheduled else members_of(session, one.id, GOT)
    to_come = _receivers(session, one) if is_scheduled else members_of(session, one.id, TO_COME)
    return Overlap(
        one.id,
        titles.title(one.name, one.content.subject),
        receivers.overlap(got),
        receivers.overlap(to_come),
        one.starts_at if is_scheduled else one.finished_at or one.paused_at or one.started_at,
        one.content.text_digest == digest,
        is_scheduled,
    )


def leave_out(session: Session, draft_id: int, version: int | None, source_id: int, now: datetime) -> Broadcast:
    """Leave all out of a draft whom the other broadcast reached: by its filter, so that it holds for whoever gets it until this one
    starts, and by hand for those who were added by hand. Pressing twice is harmless. Raises NotFound, and Conflict when it was changed
    meanwhile."""
    draft, source = broadcasts.get(session, draft_id), broadcasts.get(session, source_id)
    chosen = audience.audience_of(draft).filter
    if source.id in chosen.not_reached_by:
        return draft
    if source.id == draft.id or source.state in (BroadcastState.DRAFT, BroadcastState.SCHEDULED):
        raise Conflict("Of this mass mail nobody has got anything yet, so there is nobody to leave out.")
    changed = (draft.audience_filter or {}) | {"not_reached_by": [*chosen.not_reached_by, source.id]}
    draft = broadcasts.edit(session, draft_id, version, {"audience_filter": changed}, now)
    picks = audience.picks_of(session, draft_id)
    added = [client_id for client_id, kind in picks.items() if kind is PickKind.ADDED]
    reached = members_of(session, source.id, REACHED) if added else NOBODY
    for client_id in added:
        if client_id in reached:
            audience.pick(session, draft_id, client_id, PickKind.LEFT_OUT)
    return draft
