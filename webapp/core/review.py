"""Is a draft ready to go? What is missing blocks it, what is odd is said."""

from datetime import datetime, timedelta

from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast


def unfinished_steps(broadcast: Broadcast, now: datetime) -> frozenset[str]:
    """The steps (audience, content, schedule, review) in which something is still to be done, judged without counting anybody."""
    content = broadcast.content
    missing = set()
    written = content.subject.strip() and (content.html.strip() or (content.text or "").strip())
    if not written or not broadcast.from_address:
        missing |= {"content", "schedule"}
        if not broadcast.audience_filter:
            missing.add("audience")
    if start_has_passed(broadcast, now):
        missing.add("schedule")
    if missing or broadcast.state == BroadcastState.DRAFT:
        missing.add("review")
    return frozenset(missing)


def start_has_passed(broadcast: Broadcast, now: datetime) -> bool:
    """Whether the chosen start lies before the present minute."""
    return broadcast.starts_at is not None and broadcast.starts_at + timedelta(minutes=1) <= now
