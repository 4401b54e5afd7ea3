"""The way to the statements of the hot path: which database it is, and the driver's cursor in the session's transaction."""

from types import ModuleType
from typing import Any

from sqlalchemy.orm import Session

from webapp.core.ledger import on_postgresql, on_sqlite


def hot(session: Session) -> tuple[ModuleType, Any]:
    """The module of this database's statements, and a cursor inside the session's transaction, past SQLAlchemy: it costs more than
    all the rest of a group of a hundred mails."""
    connection = session.connection()
    cursor = connection.connection.cursor()
    return (on_sqlite if connection.dialect.name == "sqlite" else on_postgresql), cursor
