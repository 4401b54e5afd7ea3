"""Every trigger of the schema. Those here let the database itself refuse a transition that `rules/lifecycle.py` does not list, and to
delete what deliveries belong to, on SQLite and PostgreSQL; `stamp_triggers.py` adds those that say what has changed."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from webapp.core.rules.lifecycle import BORN, BROADCAST_TRANSITIONS, DELIVERY_TRANSITIONS, BroadcastState
from webapp.core.tables import stamp_triggers
from webapp.core.tables.deliveries import CLIENTS


def statements(dialect: str) -> list[str]:
    """SQL that installs the triggers on `dialect` ("sqlite" or "postgresql")."""
    born = {"broadcast": _is({BroadcastState.DRAFT}), "delivery": _is(BORN)}
    tables: dict[str, Mapping[Any, frozenset[Any]]] = {
        "broadcast": BROADCAST_TRANSITIONS,
        "delivery": DELIVERY_TRANSITIONS,
    }
    make = _sqlite if dialect == "sqlite" else _postgresql
    moves_only = [sql for name, moves in tables.items() for sql in make(name, born[name], _illegal(moves))]
    return moves_only + _kept(dialect) + stamp_triggers.statements(dialect)


def _illegal(moves: Mapping[StrEnum, frozenset[StrEnum]]) -> str:
    """A condition over OLD.state and NEW.state that is true for a change outside the table.

    Plain comparisons, no IN: SQLite builds a table in memory for each list, anew for each row it updates.
    """
    legal = (f"(OLD.state = '{old}' AND ({_is(targets)}))" for old, targets in moves.items() if targets)
    return f"NOT ({' OR '.join(legal)})"


def _is(states: Iterable[StrEnum]) -> str:
    return " OR ".join(f"NEW.state = '{state.value}'" for state in sorted(states))


def _sqlite(table: str, born: str, illegal: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_moves BEFORE UPDATE OF state ON {table} WHEN NEW.state <> OLD.state AND ({illegal}) "
        f"BEGIN SELECT RAISE(ABORT, 'illegal transition of {table}.state'); END",
        # After the insert, which costs half of what it costs before, and undoes the row all the same.
        f"CREATE TRIGGER {table}_born AFTER INSERT ON {table} WHEN NOT ({born}) "
        f"BEGIN SELECT RAISE(ABORT, 'illegal first state of {table}'); END",
    ]


def _postgresql(table: str, born: str, illegal: str) -> list[str]:
    return [
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION 'illegal transition of {table}.state' USING ERRCODE = 'check_violation'; END $$",
        f"CREATE TRIGGER {table}_moves BEFORE UPDATE OF state ON {table} FOR EACH ROW "
        f"WHEN (NEW.state <> OLD.state AND ({illegal})) EXECUTE FUNCTION {table}_refuse()",
        f"CREATE TRIGGER {table}_born BEFORE INSERT ON {table} FOR EACH ROW "
        f"WHEN (NOT ({born})) EXECUTE FUNCTION {table}_refuse()",
    ]


_OWNERS = {
    "broadcast": "delivery WHERE broadcast_id = OLD.id",
    "client": f"broadcast b JOIN delivery d ON d.id = b.id * {CLIENTS} + OLD.id",
}
"""What deliveries belong to, and where to look whether it has any."""


def _kept(dialect: str) -> list[str]:
    """Whoever has deliveries stays. On PostgreSQL the deletion waits for a freeze under way, and any freeze to come for the deletion."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {deliveries}) "
            f"BEGIN SELECT RAISE(ABORT, 'a {table} with deliveries is kept'); END"
            for table, deliveries in _OWNERS.items()
        ]
    made = []
    for table, deliveries in _OWNERS.items():
        made += [
            f"CREATE FUNCTION {table}_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM 1 FROM broadcast WHERE frozen_at IS NULL FOR SHARE; "
            f"IF EXISTS (SELECT 1 FROM {deliveries}) THEN "
            f"RAISE EXCEPTION 'a {table} with deliveries is kept' USING ERRCODE = 'foreign_key_violation'; "
            "END IF; RETURN OLD; END $$",
            f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_kept()",
        ]
    return made
