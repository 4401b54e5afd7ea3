"""Earlier broadcasts in words, where an audience is taken from what became of theirs."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core.rules import titles
from webapp.core.rules.earlier import EarlierOutcome
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.deliveries import Tally

NO_SUCH_MAIL = "a mass mail that no longer exists"

SETTLED = (BroadcastState.FINISHED, BroadcastState.CANCELLED)


@dataclass(frozen=True, slots=True)
class EarlierBroadcast:
    """A broadcast as others speak of it. `day` is that of its start, by its own calendar."""

    name: str
    day: date | None
    state: BroadcastState

    @property
    def title(self) -> str:
        """ "“Price change” (14 Nov 2026)"."""
        return f"“{self.name}”{f' ({self.day.day} {self.day:%b %Y})' if self.day else ''}"


def earlier_broadcasts(session: Session, ids: Collection[int]) -> dict[int, EarlierBroadcast]:
    """Those of these broadcasts that exist."""
    if not ids:
        return {}
    columns = (
        Broadcast.id,
        Broadcast.name,
        Content.subject,
        Broadcast.started_at,
        Broadcast.time_zone,
        Broadcast.state,
    )
    rows = session.execute(select(*columns).join(Broadcast.content).where(Broadcast.id.in_(ids)))
    return {
        id_: EarlierBroadcast(
            titles.title(name, subject),
            started_at.astimezone(ZoneInfo(zone)).date() if started_at else None,
            state,
        )
        for id_, name, subject, started_at, zone, state in rows
    }


def earlier_in_words(session: Session, outcomes: Iterable[EarlierOutcome]) -> tuple[str, str]:
    """Who they are, "the 54 clients of “Price change” (14 Nov 2026) whose mail failed"; and sentences to follow, each after a blank, where
    what became of them may still change."""
    by_id: dict[int, list[EarlierOutcome]] = {}
    for outcome in outcomes:
        by_id.setdefault(outcome.broadcast_id, []).append(outcome)
    known = earlier_broadcasts(session, by_id.keys())
    who, later = [], ""
    for id_, chosen in by_id.items():
        if id_ not in known:
            who.append(f"the clients of {NO_SUCH_MAIL}")
            later += " One of the mass mails chosen here no longer exists, so nobody is taken from it."
            continue
        number = _number(session, chosen)
        clients = f"the {number:,} clients" if number != 1 else "the one client"
        who.append(f"{clients} of {known[id_].title} {' or '.join(one.fate.who for one in chosen)}")
        if known[id_].state not in SETTLED:
            later += f" {known[id_].title} is not finished: who they are is decided when this mass mail starts."
    return " and ".join(who), later


def _number(session: Session, chosen: Collection[EarlierOutcome]) -> int:
    states = [state for one in chosen for state in one.fate.states]
    ids = {one.broadcast_id for one in chosen}
    query = select(func.sum(Tally.count)).where(Tally.broadcast_id.in_(ids), Tally.state.in_(states))
    return int(session.scalar(query) or 0)
