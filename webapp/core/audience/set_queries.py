"""Sets of clients as the database says them: a text a set, with a character for each client."""

from array import array
from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, func, literal, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.core.client_set import NOBODY, ClientSet

FIRST_CHARACTER = 0x10000
"""Stands for the first client of a run. From here to the end of Unicode there is neither a surrogate nor any other gap."""

RUN_BITS = 20
"""A text is about a run of 1,048,576 consecutive ids: as many as there are characters from the first one on."""

NEAR_BITS = 14
"""The database groups neighbours, 16,384 consecutive ids at a time, though sets are larger: SQLite sorts rows to group them, and those that
come by rising id are nearly sorted then."""

Column = InstrumentedAttribute[Any] | ColumnElement[Any]


def set_of(session: Session, client_id: Column, *conditions: ColumnElement[bool]) -> ClientSet:
    """The clients whose ids stand in a column, in rows for which the conditions hold."""
    return sets_by(session, client_id, (), *conditions).get((), NOBODY)


def sets_by(
    session: Session, client_id: Column, groups: tuple[Column, ...], *conditions: ColumnElement[bool]
) -> dict[tuple[Any, ...], ClientSet]:
    """The same for each combination of the values of `groups` that there is."""
    labels = [group.label(f"by_{place}") for place, group in enumerate(groups)]
    # By names and with literals, because PostgreSQL takes no two parameters for the same.
    near = client_id.bitwise_rshift(literal_column(str(NEAR_BITS))).label("near")
    query = (
        select(near, _text(session, client_id), *labels)
        .where(*conditions)
        .group_by("near", *(one.name for one in labels))
    )
    texts: dict[tuple[Any, ...], list[str]] = {}
    for number, text, *values in session.execute(query):
        texts.setdefault((number >> RUN_BITS - NEAR_BITS, *values), []).append(text)
    sets: dict[tuple[Any, ...], list[ClientSet]] = {}
    for (run, *values), parts in texts.items():
        sets.setdefault(tuple(values), []).append(_decoded(run, "".join(parts)))
    return {values: found[0] if len(found) == 1 else ClientSet.any_of(found) for values, found in sets.items()}


def _text(session: Session, client_id: Column) -> ColumnElement[str]:
    character = func.char if session.get_bind().dialect.name == "sqlite" else func.chr
    place = literal(FIRST_CHARACTER) + client_id.bitwise_and(literal_column(str((1 << RUN_BITS) - 1)))
    return func.aggregate_strings(character(cast(place, Integer)), "")


def _decoded(run: int, text: str) -> ClientSet:
    return ClientSet.from_offsets((run << RUN_BITS) - FIRST_CHARACTER, array("I", text.encode("utf-32-le")))
