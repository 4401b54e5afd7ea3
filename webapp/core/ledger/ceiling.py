"""The site's ceilings, which stand above the pace of each broadcast: mails per second and per day, of all broadcasts together."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core.ledger import pace
from webapp.core.ledger.hot_path import hot
from webapp.core.ledger.pace import SITE
from webapp.core.rules.limits import SECOND_S, Limits
from webapp.core.rules.pacing import Opening, Reading
from webapp.core.tables.trial_sends import TestSend

DAY = timedelta(hours=24)
MINUTE = timedelta(minutes=1)


def openings(session: Session, limits: Limits, reading: Reading) -> list[list[Opening]]:
    """When mails may leave, for each ceiling there is. The caller who is to claim them holds the lock of the limits.

    A day is any 24 hours, by the counts of whole minutes; a minute counts until the last second of it is 24 hours ago. Test sends count,
    too.
    """
    found = []
    if limits.per_second:
        found.append(pace.openings(session, SITE, limits.per_second, SECOND_S, reading, lead=float("inf")))
    if limits.per_day:
        found.append(_of_the_day(session, limits.per_day, reading))
    return found


def next_of_the_day(session: Session, limits: Limits, now: datetime) -> tuple[datetime, int] | None:
    """The instant from which the ceiling of the day lets mails leave, and how many then; None without such a ceiling."""
    if not limits.per_day:
        return None
    opened = _of_the_day(session, limits.per_day, Reading(now, "", 0.0))
    return (now + timedelta(seconds=opened[0].delay), opened[0].count) if opened else (now + MINUTE, 1)


def _of_the_day(session: Session, per_day: int, reading: Reading) -> list[Opening]:
    path = hot(session)
    # In this order: a mail that is settled between the two statements counts twice rather than not at all.
    claimed = path.claimed_now(SITE, reading).mails
    since = reading.wall - DAY - MINUTE
    used, first = path.left_since(since)
    tests, first_test = session.execute(
        select(func.count(), func.min(TestSend.sent_at)).where(TestSend.sent_at > since)
    ).one()
    used, first = used + tests, min((at for at in (first, first_test) if at is not None), default=None)
    free = per_day - claimed - used
    if free > 0:
        return [Opening(0.0, free)]
    return [Opening(max((first - since).total_seconds(), 1.0), 1)] if first is not None else []


def use(session: Session, limits: Limits, reading: Reading, ago: Iterable[float]) -> None:
    """Remember mails that were settled `ago` seconds before `reading`. The ceiling of the day goes by the counts of minutes."""
    if limits.per_second:
        pace.use(session, SITE, SECOND_S, reading, ago)


def wait(session: Session, limits: Limits, reading: Reading) -> float | None:
    """Seconds until the ceilings let a mail leave; None when nobody knows, because mails that are on their way use them up."""
    waits = [opened[0].delay if opened else None for opened in openings(session, limits, reading)]
    known = [seconds for seconds in waits if seconds is not None]
    return max(known, default=0.0) if len(known) == len(waits) else None
