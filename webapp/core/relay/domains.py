"""Recipients' domains that deferred again and again rest, each by itself, while all others go on."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.tables.relay import DomainRest

FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)
"""A domain rests for the first, then for twice as long each time, up to the longest."""


def resting(session: Session) -> dict[str, DomainRest]:
    """The domains that have rested since they last took a mail, also those whose rest is over."""
    rows = session.scalars(select(DomainRest).execution_options(populate_existing=True)).all()
    for row in rows:
        session.expunge(row)
    return {row.domain: row for row in rows}


def give_rest(session: Session, domain: str, words: str, now: datetime) -> None:
    """Let the domain rest: nothing is handed over to it for a while."""
    before = session.scalar(select(DomainRest.times).where(DomainRest.domain == domain)) or 0
    pause = min(FIRST_REST * 2 ** min(before, 10), LONGEST_REST)
    values = {"until": now + pause, "times": before + 1, "words": words}
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(DomainRest).values(domain=domain, **values)
    session.execute(statement.on_conflict_do_update(index_elements=[DomainRest.domain], set_=values))


def clear_rest(session: Session, domains: Collection[str]) -> None:
    """These domains took mails again."""
    session.execute(delete(DomainRest).where(DomainRest.domain.in_(domains)))
