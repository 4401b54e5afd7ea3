"""Whether the database has the tables that this program was written for. Somebody may have forgotten to upgrade it, or upgraded it for a
newer program; then nothing is to be read or written until that is mended.
"""

import threading
from functools import cache
from typing import NamedTuple

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from webapp.adapters import clock
from webapp.core.cadence import SCHEMA_LOOK_S
from webapp.paths import MIGRATIONS

UPGRADE = "flask --app wsgi db upgrade"

NOT_MADE = f"The database has no tables yet. Run {UPGRADE}"
OLD_DATABASE = f"The database is older than the program. Run {UPGRADE}"
OLD_PROGRAM = "The program is older than its database. Install the version that upgraded the database, or a newer one, and start it"


_IS_MADE = {
    "sqlite": text("SELECT name FROM sqlite_master WHERE name = 'alembic_version'"),
    "postgresql": text("SELECT to_regclass('alembic_version')::text"),
}
"""Not SQLAlchemy's has_table(): its PRAGMA answers from what a connection of SQLite remembers, also after another has made the table."""


class _Revisions(NamedTuple):
    heads: frozenset[str]
    known: frozenset[str]


@cache
def _revisions() -> _Revisions:
    """What this program's migrations lead to, and all that lie on the way."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return _Revisions(frozenset(scripts.get_heads()), frozenset(script.revision for script in scripts.walk_revisions()))


def problem_of(connection: Connection) -> str | None:
    """What is wrong with the tables, as a sentence without its full stop that says what to do; None when nothing is.

    Raises what SQLAlchemy raises when the database cannot be asked.
    """
    if connection.scalar(_IS_MADE[connection.dialect.name]) is None:
        return NOT_MADE
    there = frozenset(connection.scalars(text("SELECT version_num FROM alembic_version")))
    if there == _revisions().heads:
        return None
    return NOT_MADE if not there else OLD_DATABASE if there <= _revisions().known else OLD_PROGRAM


class Schema:
    """The tables of one database, looked at now and then; asked from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._fine_until = float("-inf")
        self._looking = threading.Lock()

    def problem(self) -> str | None:
        """What is wrong, or None; None also where the database cannot be asked, because that is another trouble with words of its own.

        What is right is believed for SCHEMA_LOOK_S, so that a page pays for no look; what is wrong is looked at each time, so that it is
        over as soon as it is mended.
        """
        if clock.ticks() < self._fine_until:
            return None
        with self._looking:
            if clock.ticks() < self._fine_until:
                return None
            try:
                found = self.look()
            except SQLAlchemyError:
                found = None
            if found is None:
                self._fine_until = clock.ticks() + SCHEMA_LOOK_S
            return found

    def look(self) -> str | None:
        """Look now. Raises what SQLAlchemy raises when the database cannot be asked."""
        with self._engine.connect() as connection:
            return problem_of(connection)
