"""How an open page of a mass mail keeps up with what workers and other people do: how often its parts ask, and what has changed since.

While mails move, every two seconds. While it is scheduled, paused, or waits for a decision, others act, too, so that it asks every eight;
when it is over, no more. An answer that would be what is there already is no answer (204), so that a form somebody is filling in stays.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b

from flask import current_app, g

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts import progress
from webapp.core.broadcasts.progress import Counts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.pages.broadcasts.blueprint import bp
from webapp.pages.settings.relay import waited_for

FAST_S, SLOW_S = 2, 8
"""Seconds between two looks. What others did is heard within ten."""

OVER = frozenset({BroadcastState.FINISHED, BroadcastState.CANCELLED})
MOST_ROWS = 50
_TOKEN = re.compile(r'name="csrf_token" value="[^"]*"|data-left="\d+"')


@bp.app_template_global()
def missed_start(broadcast: Broadcast) -> datetime | None:
    """When a broadcast was to start that waits for somebody to confirm it, because that is long ago; None for all others."""
    at = g.setdefault("now", now())
    return broadcasts.missed_start(broadcast, at, current_app.config["MISSED_START"])


@bp.app_template_global()
def undo_until(broadcast: Broadcast) -> datetime | None:
    """Until when whoever said that it goes out can take that back; None where nothing can be taken back."""
    return broadcast.undo_until if broadcasts.can_undo(broadcast, g.setdefault("now", now())) else None


@bp.app_template_global()
def seconds_left(until: datetime) -> int:
    """Whole seconds, rounded up."""
    return max(0, -(-int((until - now()).total_seconds() * 1000) // 1000))


@bp.app_template_global()
def is_live(broadcast: Broadcast, counts: Counts) -> bool:
    """Whether mails move, or will within minutes."""
    return missed_start(broadcast) is None and progress.is_live(broadcast, counts, now())


@bp.app_template_global()
def poll_s(broadcast: Broadcast, counts: Counts) -> int | None:
    """How many seconds until a part that shows this broadcast asks again; None when there is nothing more to hear."""
    if is_live(broadcast, counts):
        return FAST_S
    return None if broadcast.state in OVER else SLOW_S


def stage(broadcast: Broadcast) -> str:
    """What a person would call another situation: the state, which pause of several, which version of what is scheduled."""
    match broadcast.state:
        case BroadcastState.SENDING if broadcast.frozen_at is None:
            return "collecting"
        case BroadcastState.SENDING if health := waited_for(broadcast):
            return f"waiting-{health.since:%y%m%d%H%M%S}"
        case BroadcastState.PAUSED if broadcast.paused_at:
            return f"paused-{broadcast.paused_at:%y%m%d%H%M%S%f}"
        case BroadcastState.SCHEDULED if until := undo_until(broadcast):
            return f"undo-{broadcast.version}-{until:%y%m%d%H%M%S}"
        case BroadcastState.SCHEDULED:
            return f"{'missed' if missed_start(broadcast) else 'scheduled'}-{broadcast.version}"
        case state:
            return state.value


def fingerprint(fragment: str) -> str:
    """Stands for what a fragment says; the same for two renderings that differ in the token of their forms or in the seconds
    left of a countdown alone."""
    return blake2b(_TOKEN.sub("", fragment).encode(), digest_size=8).hexdigest()


def row_fingerprint(broadcast: Broadcast, counts: Counts) -> str:
    """Stands for what a row of the list says of a broadcast that is not sending; those ask for themselves."""
    return f"{broadcast.id}.{stage(broadcast)}.{counts.uncertain}"


def seen_rows(text: str) -> dict[int, str]:
    """The fingerprints of the rows a list shows, by broadcast, from the query it asks with."""
    fingerprints = (one for one in text.split(",") if one.partition(".")[0].isdecimal())
    return {int(one.partition(".")[0]): one for one in list(fingerprints)[:MOST_ROWS]}


def watched(broadcasts: Iterable[Broadcast], counts: Mapping[int, Counts]) -> list[str]:
    """The fingerprints of the rows of which a list may still hear something; drafts are changed on pages of their own."""
    unheard = OVER | {BroadcastState.DRAFT}
    return [row_fingerprint(one, counts[one.id]) for one in broadcasts if one.state not in unheard]
