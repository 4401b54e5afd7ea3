"""A new draft to exactly those whom one thing became of in a broadcast: who failed, were skipped, were accepted, were cancelled."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core import audience, broadcasts, ledger
from webapp.core.errors import Conflict
from webapp.core.rules import titles
from webapp.core.rules.earlier import EarlierOutcome, Fate
from webapp.core.rules.lifecycle import NOT_BEGUN
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast, PickKind
from webapp.core.tables.deliveries import Delivery, delivery_id

HOLDINGS = ("products", "addons")
"""What a follow-up with the same text asks for as its source did, so that the tags take the same service's data."""

COPIED = (
    "from_address",
    "reply_to",
    "batch_size",
    "interval_s",
    "uncertain_policy",
    "purpose",
    "topic_id",
    "important_reason",
)


def offered(broadcast: Broadcast) -> bool:
    """Whether anything has become of anybody yet."""
    return broadcast.state not in NOT_BEGUN


def by_reason(session: Session, broadcast_id: int, fate: Fate) -> dict[str, int]:
    """How many of them there are for each reason, the most frequent first."""
    return ledger.reasons(session, broadcast_id, fate.states)


def create(
    session: Session,
    source_id: int,
    fate: Fate,
    user_id: int | None,
    now: datetime,
    *,
    same_text: bool,
    press: str | None = None,
) -> Broadcast:
    """The draft, from the same sender, at the same pace, with no start. Its audience is a criterion, not a list: whoever is changed in the
    ledger of the source until it starts is in it or not as the ledger has it then.

    Without the text it is *General*: the clients alone count. With it, it is of the source's type, for whatever the tags need, and asks for
    the same products or addons in any status; those of the source who were added by hand, and may hold none, are added again.
    `press` as in `broadcasts.create`. Raises NotFound; Conflict when nobody is in it.
    """
    source = broadcasts.get(session, source_id)
    counts = ledger.counts(session, source_id)
    if not offered(source) or not any(counts.get(state) for state in fate.states):
        raise Conflict(f"This mass mail has no clients {fate.who} (any more).")
    message_type = source.message_type if same_text else MessageType.GENERAL
    draft = broadcasts.create(session, message_type, user_id, now, press=press)
    if draft.version > 1:  # made by an earlier press
        return draft
    chosen: dict[str, Any] = {"earlier_outcomes": [EarlierOutcome.of(source_id, fate)]}
    changes = {name: getattr(source, name) for name in COPIED}
    title = titles.title(source.name, source.content.subject)
    changes |= {"name": f"{title[:180]} ({fate.value})", "time_zone": source.time_zone}
    if same_text:
        before = source.audience_filter or {}
        chosen |= {name: before[name] for name in HOLDINGS if name in before}
        changes |= {name: getattr(source.content, name) for name in broadcasts.ON_CONTENT}
    filter_ = audience.AudienceFilter.from_dict(message_type, chosen)
    broadcasts.edit(session, draft.id, None, changes | {"audience_filter": filter_.to_dict()}, now)
    if message_type is not MessageType.GENERAL:
        _add_by_hand(session, source_id, draft.id, fate)
    return draft


def _add_by_hand(session: Session, source_id: int, draft_id: int, fate: Fate) -> None:
    picks = audience.picks_of(session, source_id)
    added = [client_id for client_id, kind in picks.items() if kind is PickKind.ADDED]
    ids = [delivery_id(source_id, client_id) for client_id in added]
    for start in range(0, len(ids), 1000):
        query = select(Delivery.client_id).where(
            Delivery.id.in_(ids[start : start + 1000]), Delivery.state.in_(fate.states)
        )
        for client_id in session.scalars(query).all():
            audience.pick(session, draft_id, client_id, PickKind.ADDED)
