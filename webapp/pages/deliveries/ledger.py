"""The ledger block: chips with numbers, search, rows, pages. The same on the page of a mass mail and on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from webapp.core.broadcasts import delivery_list
from webapp.core.broadcasts.delivery_list import DeliveryPage
from webapp.core.broadcasts.progress import Counts, Group
from webapp.core.rules.relay_event import Fact
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db


@dataclass(frozen=True, slots=True)
class Chip:
    value: str | None
    label: str
    count: int
    meaning: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """What `deliveries/_ledger.html` shows. `standalone` on a page of its own, where the address follows the choice."""

    page: DeliveryPage
    chips: Sequence[Chip]
    group: Group | Fact | None
    search: str
    total: int
    here: str
    previous_url: str | None
    next_url: str | None
    standalone: bool


def group_in(args: Mapping[str, str]) -> Group | Fact | None:
    choice = args.get("group", "")
    if choice in set(Fact):
        return Fact(choice)
    return Group(choice) if choice in set(Group) else None


def search_in(args: Mapping[str, str]) -> str:
    return " ".join(args.get("q", "").split())[:200]


def url(endpoint: str, broadcast_id: int, args: Mapping[str, str]) -> str:
    """The address of a page with the ledger as the query asks for it."""
    group = group_in(args)
    chosen: dict[str, Any] = {"group": group.value if group else None, "q": search_in(args) or None}
    chosen |= {name: args.get(name) or None for name in ("after", "before")}
    return url_for(endpoint, broadcast_id=broadcast_id, **chosen)


def load(broadcast: Broadcast, counts: Counts, args: Mapping[str, str], *, standalone: bool) -> Ledger:
    """The ledger as the query asks for it: `group`, `q`, and the cursors `after` and `before`."""
    group, search = group_in(args), search_in(args)
    after, before = args.get("after"), args.get("before")
    page = delivery_list.listing(
        db.session,
        broadcast.id,
        group=group,
        search=search,
        after=after,
        before=before,
        limit=delivery_list.DELIVERIES_A_PAGE,
    )

    def here(group: Group | Fact | None, **cursor: Any) -> str:
        value = group.value if group else None
        return url_for("deliveries.index", broadcast_id=broadcast.id, group=value, q=search or None, **cursor)

    chips = [Chip(None, "All", counts.all, "", here(None), group is None)] + [
        Chip(choice.value, choice.label, counts.of(choice), choice.meaning, here(choice), choice is group)
        for choice in (*Group, *Fact)
        if counts.of(choice) or choice is group
    ]
    return Ledger(
        page=page,
        chips=chips,
        group=group,
        search=search,
        total=counts.of(group) if group else counts.all,
        here=here(group, after=after, before=before),
        previous_url=here(group, before=page.previous) if page.previous else None,
        next_url=here(group, after=page.next) if page.next else None,
        standalone=standalone,
    )
