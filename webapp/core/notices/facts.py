"""The facts that notices are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core import broadcasts, relay
from webapp.core.broadcasts.progress import Counts
from webapp.core.rules import titles
from webapp.core.rules.notices import without_addresses
from webapp.core.sending import workers
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.notices import NoticeWatch

MOST_NAMED = 10
"""So many mass mails are named in a notice about the whole site; beyond that their number says enough."""


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What is known beyond the broadcasts themselves: since when the relay has taken nothing, since when no worker was seen, and which
    broadcasts missed their start, with the instant it was to be. An instant stays the same for as long as the same trouble lasts.

    A relay that refuses is none of these: what it stops pauses, and that is told of each. Nor is a hold: whoever holds everything or puts
    a back-up in place is there, and each page says it until it is released; what passes its start meanwhile is told."""

    relay_waiting_since: datetime | None = None
    no_worker_since: datetime | None = None
    missed_starts: Mapping[int, datetime] = field(default_factory=dict)


def of_the_site(
    session: Session, now: datetime, *, relay_key: str, ask_after: timedelta | None, seen_now: datetime | None = None
) -> SiteFacts:
    """What the other rooms say of the relay with that key, of workers, and of starts missed by more than `ask_after` at `now`. `seen_now`
    is the same instant by the clock by which workers are seen (None: the same clock)."""
    health = relay.read(session, relay_key)
    missed = session.scalars(select(Broadcast).where(broadcasts.is_missed(now, ask_after))).all()
    return SiteFacts(
        health.since if health.is_waiting else None,
        _no_worker_since(session, seen_now or now),
        {one.id: at for one in missed if (at := broadcasts.missed_start(one, now, ask_after)) is not None},
    )


def _no_worker_since(session: Session, now: datetime) -> datetime | None:
    """Where there never was one: since this database began to look for news."""
    missing = workers.missing_since(session, now)
    if missing is None:
        return None
    return missing.since or session.scalars(select(NoticeWatch.since)).one()


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
    return broadcast.name or titles.title("", broadcast.content.subject, f"Mass mail {broadcast.id}")
