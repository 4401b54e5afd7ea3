"""What a broadcast is for: marketing, which may be declined, or important, which must be told. Somebody chooses it, there is no default."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from webapp.core.broadcasts.drafts import edit
from webapp.core.consent import settings
from webapp.core.consent.topics import topics
from webapp.core.content.completeness import Missing
from webapp.core.errors import Invalid
from webapp.core.rules.consent import LONGEST_REASON, Purpose
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast


def checked(
    session: Session, purpose: str, topic_id: int | None, reason: str, *, kept: int | None = None
) -> dict[str, Any]:
    """The choice as `edit` takes it. Marketing has a topic that may be chosen (or the broadcast's own, `kept`), important a reason; what
    belongs to the other is dropped. Raises Invalid with the field `purpose`, `topic_id` or `important_reason`."""
    if purpose not in set(Purpose):
        raise Invalid("Say whether it may be declined: marketing or important.", "purpose")
    if purpose == Purpose.MARKETING:
        if topic_id not in {topic.id for topic in topics(session, but_also=kept)}:
            raise Invalid("Choose the topic, so that whoever does not want it can decline it.", "topic_id")
        return {"purpose": Purpose.MARKETING, "topic_id": topic_id, "important_reason": ""}
    said = " ".join(reason.split())
    if not said:
        raise Invalid("Say why everybody must be told. It is kept with the mass mail.", "important_reason")
    if len(said) > LONGEST_REASON:
        raise Invalid(f"Use at most {LONGEST_REASON} characters.", "important_reason")
    return {"purpose": Purpose.IMPORTANT, "topic_id": None, "important_reason": said}


def counted(session: Session, *, clicks: bool, opens: bool) -> dict[str, Any]:
    """What is to be counted of a broadcast's mails, as `edit` takes it: nothing where the business does not count."""
    may_count = settings.read(session).may_count
    return {"counts_clicks": clicks and may_count, "counts_opens": opens and may_count}


def choose(session: Session, broadcast: Broadcast, choice: Mapping[str, Any], now: datetime) -> Broadcast:
    """Give a draft the purpose that `checked` has found good, and what `counted` says. Marketing then comes from the sender of
    marketing, where the usual one was set. Raises Conflict for anything but a draft."""
    changes = dict(choice)
    usual = {from_addresses.default(session, purpose) for purpose in (None, *Purpose)}
    if broadcast.from_address in usual:
        changes["from_address"] = from_addresses.default(session, changes["purpose"])
    return edit(session, broadcast.id, None, changes, now)


def undecided(broadcast: Broadcast) -> Missing | None:
    """That nobody has said yet what it is for; None where somebody has."""
    if broadcast.purpose is not None:
        return None
    return Missing("purpose", "Nobody has said yet whether it is marketing or important.")
