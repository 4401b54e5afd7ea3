"""The pace as the database remembers it. The rule itself is in `rules/pacing.py`."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from webapp.core.ledger.hot_path import hot
from webapp.core.rules import pacing
from webapp.core.rules.pacing import Opening, Reading, Use

SITE = 0
"""No broadcast has this number; the mails of all broadcasts together are remembered under it. See `ceiling.py`."""

LONG_S = 60
"""Seconds. From intervals of this length on, mails that are recorded within the pace's resolution share a use: with a pace of 1,000,000 a
day a sender would otherwise read 1,000,000 uses before each claim. The use has the date of its last mail, so none counts for too short."""

KEPT_BEYOND = 100
"""So many uses that are no longer needed are deleted together."""


def openings(
    session: Session,
    broadcast_id: int,
    batch_size: int,
    interval_s: int,
    reading: Reading,
    *,
    lead: float,
) -> list[Opening]:
    """When mails of the broadcast may leave within `lead` seconds. The caller who is to claim them holds the lock of the broadcast, or for
    the `SITE` that of the limits."""
    # In this order: a mail that is settled between the two statements counts twice rather than not at all.
    reading, claimed = hot(session).claimed_now(broadcast_id, reading)
    return openings_beside(session, broadcast_id, batch_size, interval_s, reading, claimed=claimed, lead=lead)


def openings_beside(
    session: Session,
    broadcast_id: int,
    batch_size: int,
    interval_s: int,
    reading: Reading,
    *,
    claimed: int,
    lead: float,
) -> list[Opening]:
    """The same where so many mails are `claimed`, which was found out before. A negative number in place of that of a broadcast stands for
    the receiver of the limit with this id."""
    path = hot(session)
    needed = pacing.needed(batch_size)
    known = path.uses(broadcast_id, needed + KEPT_BEYOND)
    recent: list[Use] = []
    mails = 0
    for use_id, use in known:
        if mails >= needed:
            if len(known) - len(recent) >= KEPT_BEYOND:
                path.forget_uses(broadcast_id, use_id + 1)
            break
        recent.append(use)
        mails += use.count
    return pacing.openings(batch_size, interval_s, claimed, recent, reading, lead=lead)


def use(session: Session, broadcast_id: int, interval_s: int, reading: Reading, ago: Iterable[float]) -> None:
    """Remember mails that were settled `ago` seconds before `reading`; mails close together become one use."""
    path = hot(session)
    reading, _claimed = path.claimed_now(broadcast_id, reading)
    width = pacing.resolution(interval_s)
    buckets: dict[int, list[float]] = {}
    for seconds in ago:
        buckets.setdefault(int(max(seconds, 0.0) / width), []).append(max(seconds, 0.0))
    # Oldest first, so that the ids follow time; each bucket is dated at its latest mail.
    uses = [Use(reading.earlier(min(buckets[key])), len(buckets[key])) for key in sorted(buckets, reverse=True)]
    if uses and interval_s >= LONG_S:
        oldest = uses[0]
        begin_of_its_time = oldest.at.ticks - oldest.at.ticks % width
        if path.join_use(broadcast_id, oldest, begin_of_its_time):
            del uses[0]
    if uses:
        path.add_uses(broadcast_id, uses)
