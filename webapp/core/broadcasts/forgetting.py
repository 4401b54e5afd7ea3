"""Forgetting: what was needed for a while is removed by itself, and the fact stays. A row of the ledger keeps to whom, when and with which
outcome; what the mail said to its client goes."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from webapp.core import ledger
from webapp.core.broadcasts.lifecycle import values_were_removed
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.retention import Retention
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.imports import ImportRun


class Effect(NamedTuple):
    """What a retention would remove now: uploaded files, broadcasts with values, and the mails of these."""

    uploads: int
    broadcasts: int
    mails: int

    def __bool__(self) -> bool:
        return bool(self.uploads or self.broadcasts)


def effect(session: Session, retention: Retention, now: datetime) -> Effect:
    """What would be removed at once."""
    files = select(func.count()).where(ImportRun.stored_as != "", ImportRun.created_at < retention.uploads_before(now))
    ended = session.scalars(_ended(retention, now).with_only_columns(Broadcast.id)).all()
    mails = sum(sum(ledger.counts(session, key).values()) for key in ended)
    return Effect(session.scalar(files) or 0, len(ended), mails)


def remove_some(session: Session, retention: Retention, now: datetime, after: int, most: int) -> int | None:
    """Remove the values of up to `most` mails of the broadcast that ended first. Rows up to the id `after` have none any more. Returns the
    last id looked at, 0 when a broadcast is done, and None when nothing is left to remove. The caller commits, and calls again."""
    broadcast = session.scalar(_ended(retention, now).order_by(Broadcast.finished_at).limit(1))
    if broadcast is None:
        return None
    last = ledger.remove_values(session, broadcast.id, after, most)
    if last is None:
        values_were_removed(session, broadcast.id, now)
        return 0
    return last


def _ended(retention: Retention, now: datetime) -> Select[Broadcast]:
    return select(Broadcast).where(
        Broadcast.state.in_((BroadcastState.FINISHED, BroadcastState.CANCELLED)),
        Broadcast.frozen_at.is_not(None),
        Broadcast.finished_at < retention.values_before(now),
        Broadcast.values_removed_at.is_(None),
    )
