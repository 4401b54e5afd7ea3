"""The limits above all broadcasts, as administrators set them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.core.errors import Conflict
from webapp.core.rules import digests
from webapp.core.rules.limits import NO_LIMITS, Limits, check
from webapp.core.rules.pacing import Retries
from webapp.core.rules.receivers import ReceiverLimit
from webapp.core.tables.limits import DomainLimit, SendingLimits

THE_ROW = 1
CHANGED = "Somebody else has set other limits since you looked at them."


def read(session: Session) -> Limits:
    """The limits in force; those of a new installation until somebody has set others."""
    return replace(_of(session.get(SendingLimits, THE_ROW, populate_existing=True)), receivers=receivers(session))


def receivers(session: Session) -> tuple[ReceiverLimit, ...]:
    """The limits by the recipient's domain, the oldest first."""
    columns = (
        DomainLimit.domains,
        DomainLimit.mails,
        DomainLimit.interval_s,
        DomainLimit.connections,
        DomainLimit.id,
    )
    rows = session.execute(select(*columns).order_by(DomainLimit.id))
    return tuple(ReceiverLimit(tuple(domains), *numbers) for domains, *numbers in rows)


def ensure(session: Session) -> None:
    """See that there is the row whose lock keeps two senders from claiming under one limit, whoever makes it."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values = {"id": THE_ROW, **_columns(NO_LIMITS)}
    session.execute(dialect.insert(SendingLimits).values(values).on_conflict_do_nothing(index_elements=["id"]))


def digest(limits: Limits) -> str:
    """Equal for equal limits. With it a page tells which ones it was filled with."""
    return digests.digest(_columns(limits))


def save(session: Session, limits: Limits, *, seen: str | None = None) -> None:
    """Set the limits; sending processes heed them within seconds. `seen` is the `digest` of those that were in force when it was decided.

    Raises Invalid with the field that makes no sense; Conflict, and is to be rolled back, when others are in force by now.
    """
    check(limits)
    values = _columns(limits)
    row = session.get(SendingLimits, THE_ROW, populate_existing=True, with_for_update=True)
    if seen is not None and digest(_of(row)) not in (seen, digest(limits)):
        raise Conflict(CHANGED)
    if row is None:
        session.add(SendingLimits(id=THE_ROW, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    try:
        session.flush()
    except IntegrityError:  # two set the first limits of an installation at the same instant
        session.rollback()
        raise Conflict(CHANGED) from None


def _of(row: SendingLimits | None) -> Limits:
    if row is None:
        return NO_LIMITS
    retries = Retries(tuple(row.retry_minutes), row.retry_spread / 100, timedelta(hours=row.give_up_hours))
    return Limits(row.per_second, row.per_day, row.connections, retries, timedelta(minutes=row.wait_minutes))


def _columns(limits: Limits) -> dict[str, Any]:
    retries = limits.retries
    return {
        "per_second": limits.per_second,
        "per_day": limits.per_day,
        "connections": limits.connections,
        "retry_minutes": [float(minutes) for minutes in retries.minutes],
        "retry_spread": round(retries.spread * 100),
        "give_up_hours": round(retries.give_up_after.total_seconds() / 3600),
        "wait_minutes": round(limits.waits_for.total_seconds() / 60),
    }
