"""The list of all mass mails: tabs with numbers, search, one page of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, false, func, not_, or_, select
from sqlalchemy.orm import Session, contains_eager

from webapp.core.audience.sources import NO_SUCH_MAIL, earlier_broadcasts
from webapp.core.broadcasts.list_order import ListOrder
from webapp.core.broadcasts.progress import Counts, counts_of
from webapp.core.rules.earlier import EarlierOutcome
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.clients import Addon, Product
from webapp.core.tables.users import User

BROADCASTS_A_PAGE = 25
_NONE: ColumnElement[bool] = false()


class Tab(StrEnum):
    """What a person looks for; each state of a broadcast belongs to exactly one beside ALL. A scheduled one whose start was missed is among
    those that need somebody."""

    ALL = "all"
    DRAFTS = "drafts"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    NEEDS_YOU = "needs_you"
    FINISHED = "finished"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()

    @property
    def states(self) -> tuple[BroadcastState, ...]:
        return _STATES[self]


S = BroadcastState
_STATES: dict[Tab, tuple[BroadcastState, ...]] = {
    Tab.ALL: tuple(S),
    Tab.DRAFTS: (S.DRAFT,),
    Tab.SCHEDULED: (S.SCHEDULED,),
    Tab.SENDING: (S.SENDING,),
    Tab.NEEDS_YOU: (S.PAUSED, S.NEEDS_ATTENTION),
    Tab.FINISHED: (S.FINISHED, S.CANCELLED),
}


@dataclass(frozen=True, slots=True)
class BroadcastRow:
    """One broadcast of the list, with who made it ("" when they are gone) and whom it is for in short."""

    broadcast: Broadcast
    counts: Counts
    created_by: str
    audience: str


@dataclass(frozen=True, slots=True)
class BroadcastPage:
    """Rows `first` to `last` of `total`. `tabs` has the numbers of all tabs under the same search."""

    rows: Sequence[BroadcastRow]
    tabs: Mapping[Tab, int]
    total: int
    number: int

    @property
    def first(self) -> int:
        return (self.number - 1) * BROADCASTS_A_PAGE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def has_next(self) -> bool:
        return self.last < self.total


def listing(
    session: Session,
    *,
    tab: Tab = Tab.ALL,
    search: str = "",
    page: int = 1,
    order: ListOrder = ListOrder.CHANGED,
    turned: bool = False,
    missed: ColumnElement[bool] = _NONE,
) -> BroadcastPage:
    """One page of the list. `search` looks into name, subject and author; `page` counts from 1 and stays within what there is; `order` and
    `turned` sort it (see `ListOrder.columns`).

    `missed` (see `broadcasts.is_missed`) are those scheduled ones that need somebody, because their start has passed.
    """
    found = _found(search)
    by_state = session.execute(
        select(Broadcast.state, func.count(), func.sum(case((missed, 1), else_=0)))
        .join(Broadcast.content)
        .outerjoin(User, User.id == Broadcast.created_by)
        .where(*found)
        .group_by(Broadcast.state)
    ).all()
    tabs = {choice: sum(count for state, count, _missed in by_state if state in choice.states) for choice in Tab}
    need_somebody = sum(int(number) for _state, _count, number in by_state)
    tabs[Tab.SCHEDULED] -= need_somebody
    tabs[Tab.NEEDS_YOU] += need_somebody
    total = tabs[tab]
    page = max(1, min(page, -(-total // BROADCASTS_A_PAGE)))
    query = (
        select(Broadcast, User.name, User.email)
        .join(Broadcast.content)
        .options(contains_eager(Broadcast.content).load_only(Content.subject))
        .outerjoin(User, User.id == Broadcast.created_by)
        .where(_in_tab(tab, missed), *found)
        .order_by(*order.columns(turned=turned))
        .offset((page - 1) * BROADCASTS_A_PAGE)
        .limit(BROADCASTS_A_PAGE)
    )
    rows = session.execute(query).all()
    counts = counts_of(session, [broadcast.id for broadcast, _name, _email in rows])
    names = _holding_names(session, [broadcast for broadcast, _name, _email in rows])
    return BroadcastPage(
        [
            BroadcastRow(broadcast, counts[broadcast.id], name or email or "", audience_in_short(broadcast, names))
            for broadcast, name, email in rows
        ],
        tabs,
        total,
        page,
    )


def _in_tab(tab: Tab, missed: ColumnElement[bool]) -> ColumnElement[bool]:
    states = Broadcast.state.in_(tab.states)
    return {Tab.SCHEDULED: and_(states, not_(missed)), Tab.NEEDS_YOU: or_(states, missed)}.get(tab, states)


def _found(search: str) -> list[ColumnElement[bool]]:
    conditions = []
    for word in search.lower().split():
        pattern = f"%{_literally(word)}%"
        columns = (Broadcast.name, Content.subject, User.name, User.email)
        conditions.append(or_(*(func.lower(column).like(pattern, escape="\\") for column in columns)))
    return conditions


def _literally(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _holding_names(session: Session, broadcasts: Sequence[Broadcast]) -> dict[tuple[str, int], str]:
    """The names of the products, addons and earlier broadcasts that the filters of some broadcasts choose."""
    names: dict[tuple[str, int], str] = {}
    for kind, table in (("products", Product), ("addons", Addon)):
        ids = {id_ for broadcast in broadcasts for id_ in (broadcast.audience_filter or {}).get(kind, ())}
        if ids:
            rows = session.execute(select(table.id, table.name).where(table.id.in_(ids)))
            names |= {(kind, id_): name for id_, name in rows}
    sources = {id_ for broadcast in broadcasts for id_ in _sources(broadcast)}
    return names | {("earlier", id_): one.title for id_, one in earlier_broadcasts(session, sources).items()}


def _sources(broadcast: Broadcast) -> dict[int, list[str]]:
    """The earlier broadcasts from whose clients a filter chooses, with what became of these."""
    found: dict[int, list[str]] = {}
    for text in (broadcast.audience_filter or {}).get("earlier_outcomes", ()):
        outcome = EarlierOutcome(text)
        found.setdefault(outcome.broadcast_id, []).append(outcome.fate.value)
    return found


def audience_in_short(broadcast: Broadcast, names: Mapping[tuple[str, int], str]) -> str:
    """Whom a broadcast is for in one line of a list, beside its message type: "VPS-2, VPS-4 · Active · DE, AT, CH"."""
    filter_ = broadcast.audience_filter or {}
    parts = []
    for id_, fates in _sources(broadcast).items():
        parts.append(f"{' or '.join(fates)} of {names.get(('earlier', id_), NO_SUCH_MAIL)}")
    for kind in ("products", "addons"):
        parts.append(_few([names.get((kind, id_), "gone") for id_ in filter_.get(kind, ())]))
    for kind in ("service_statuses", "addon_statuses", "client_statuses"):
        parts.append(_few([str(value).capitalize() for value in filter_.get(kind, ())]))
    for kind in ("countries", "languages"):
        parts.append(_few([str(value) or "unknown" for value in filter_.get(kind, ())]))
    return " · ".join(part for part in parts if part) or "everyone"


def _few(words: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(words[:most])
    return f"{shown} and {len(words) - most} more" if len(words) > most else shown
