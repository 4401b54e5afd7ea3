"""Guarded changes (compare-and-set): an UPDATE or DELETE whose WHERE says what must still be so. Of two who try, the database lets one."""

from typing import Any, Literal

from sqlalchemy import CursorResult, Delete, Result, Update
from sqlalchemy.orm import Session

Synchronize = Literal["auto", "fetch", False]
"""How objects in the session learn of it (`synchronize_session` of SQLAlchemy). False: they keep what was loaded, until a refresh."""


def change(session: Session, statement: Update | Delete, *, synchronize: Synchronize = False) -> int:
    """Make the change, and return of how many rows the guard held."""
    return counted(session.execute(statement, execution_options={"synchronize_session": synchronize}))


def change_one(session: Session, statement: Update | Delete, *, synchronize: Synchronize = False) -> bool:
    """Make the change of one row. False when its guard did not hold: somebody else was faster, or the row is gone."""
    return change(session, statement, synchronize=synchronize) == 1


def counted(result: Result[Any]) -> int:
    """How many rows a statement changed."""
    assert isinstance(result, CursorResult)
    return result.rowcount
