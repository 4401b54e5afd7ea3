"""The row of a relay, made when the relay is first met."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.tables.relay import Relay, RelayState


def ensure(session: Session, key: str) -> None:
    """See that there is a row for the relay, whoever makes it."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row = {"key": key, "state": RelayState.WELL, "tries": 0, "behind_dot": True}
    session.execute(dialect.insert(Relay).values(row).on_conflict_do_nothing(index_elements=[Relay.key]))
