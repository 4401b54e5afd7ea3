"""The limits above all broadcasts, as administrators set them."""

from datetime import timedelta

from sqlalchemy.orm import Session

from webapp.core.rules.limits import NO_LIMITS, Limits, check
from webapp.core.rules.pacing import Retries
from webapp.core.tables.limits import SendingLimits

THE_ROW = 1


def read(session: Session) -> Limits:
    """The limits in force; those of a new installation until somebody has set others."""
    row = session.get(SendingLimits, THE_ROW, populate_existing=True)
    if row is None:
        return NO_LIMITS
    retries = Retries(tuple(row.retry_minutes), row.retry_spread / 100, timedelta(hours=row.give_up_hours))
    return Limits(row.per_second, row.per_day, row.connections, retries)


def save(session: Session, limits: Limits) -> None:
    """Set the limits; sending processes heed them within seconds. Raises Invalid with the field that makes no sense."""
    check(limits)
    retries = limits.retries
    values = {
        "per_second": limits.per_second,
        "per_day": limits.per_day,
        "connections": limits.connections,
        "retry_minutes": list(retries.minutes),
        "retry_spread": round(retries.spread * 100),
        "give_up_hours": round(retries.give_up_after.total_seconds() / 3600),
    }
    row = session.get(SendingLimits, THE_ROW, with_for_update=True)
    if row is None:
        session.add(SendingLimits(id=THE_ROW, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()
