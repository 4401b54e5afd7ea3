"""By what the list of mass mails is sorted: a column's name, with "-" before it for the other way round."""

from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func

from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.users import User

_RANK = {state: rank for rank, state in enumerate(BroadcastState)}


class ListOrder(StrEnum):
    """What the rows are sorted by; of equals, the latest change comes first."""

    CHANGED = "changed"
    NAME = "name"
    STATE = "state"
    AUTHOR = "author"

    @property
    def label(self) -> str:
        """What a column is called that is sorted so."""
        return _LABELS[self]

    def columns(self, *, turned: bool) -> tuple[ColumnElement[Any], ...]:
        """What follows ORDER BY, in a query that has joined the main text and the author. `turned`: the other way round than usual, which
        is the latest change first, names from A to Z, and states in their order from draft to cancelled."""
        latest = (Broadcast.updated_at.desc(), Broadcast.id.desc())
        if self is ListOrder.CHANGED:
            return (Broadcast.updated_at.asc(), Broadcast.id.asc()) if turned else latest
        column = _SORTED[self]
        return (column.desc() if turned else column.asc(), *latest)


_LABELS = {
    ListOrder.CHANGED: "When",
    ListOrder.NAME: "Mass mail",
    ListOrder.STATE: "State",
    ListOrder.AUTHOR: "Created by",
}
_SORTED: dict[ListOrder, ColumnElement[Any]] = {
    ListOrder.NAME: func.lower(case((Broadcast.name != "", Broadcast.name), else_=Content.subject)),
    ListOrder.STATE: case(_RANK, value=Broadcast.state),
    ListOrder.AUTHOR: func.lower(func.coalesce(func.nullif(User.name, ""), User.email, "")),
}


def order_in(choice: str) -> tuple[ListOrder, bool]:
    """An address's words as an order, and whether it is turned: "name", "-name". What is none of these is the usual one."""
    word = choice.removeprefix("-")
    return (ListOrder(word), choice != word) if word in set(ListOrder) else (ListOrder.CHANGED, False)
