"""The facts that notices are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from webapp.core.progress import Counts
from webapp.core.rules.notices import without_addresses
from webapp.core.tables.broadcasts import Broadcast

MOST_NAMED = 10
"""So many mass mails are named in a notice about the whole site; beyond that their number says enough."""


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What is known beyond the broadcasts themselves: since when the relay has taken nothing, since when no worker was seen, and which
    broadcasts missed their start, with the instant it was to be. An instant stays the same for as long as the same trouble lasts."""

    relay_waiting_since: datetime | None = None
    no_worker_since: datetime | None = None
    missed_starts: Mapping[int, datetime] = field(default_factory=dict)


def of_the_site(session: Session, now: datetime) -> SiteFacts:
    """What the other rooms say of relay, workers and missed starts at `now`."""
    return SiteFacts()


def of_broadcast(broadcast: Broadcast, counts: Counts, reason: str | None) -> dict[str, Any]:
    """A broadcast at this instant, as JSON takes it: id, name, state, reason (without addresses) and counts by group."""
    return {
        "id": broadcast.id,
        "name": called(broadcast),
        "state": broadcast.state.value,
        "reason": None if reason is None else without_addresses(reason),
        "counts": {
            "accepted": counts.accepted,
            "failed": counts.failed,
            "uncertain": counts.uncertain,
            "skipped": counts.skipped,
            "waiting": counts.waiting + counts.deferred,
            "cancelled": counts.cancelled,
        },
    }


def of_many(broadcasts: Sequence[Broadcast]) -> dict[str, Any]:
    """Broadcasts that the same trouble keeps waiting: how many, and the first ones by name."""
    those = [{"id": one.id, "name": called(one), "state": one.state.value} for one in broadcasts[:MOST_NAMED]]
    return {"number": len(broadcasts), "broadcasts": those, "reason": None}


def called(broadcast: Broadcast) -> str:
    """Its name, or what stands for it."""
    return broadcast.name or broadcast.content.subject or f"Mass mail {broadcast.id}"
