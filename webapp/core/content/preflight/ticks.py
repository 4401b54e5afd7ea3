"""The warnings of a review that somebody has weighed. The only writer of `preflight_tick`."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.tables.preflight import PreflightTick


def kept(session: Session, broadcast_id: int) -> Mapping[str, PreflightTick]:
    """The ticks of a broadcast by what they were given for, also for what has changed since."""
    found = session.scalars(select(PreflightTick).where(PreflightTick.broadcast_id == broadcast_id))
    return {tick.fingerprint: tick for tick in found}


def keep(session: Session, broadcast_id: int, fingerprints: Collection[str], by: str, now: datetime) -> None:
    """Tick warnings for the user with the address `by`. One that is ticked already stays whose it was."""
    if not fingerprints:
        return
    rows = [
        {"broadcast_id": broadcast_id, "fingerprint": one, "user_email": by, "ticked_at": now}
        for one in sorted(set(fingerprints))
    ]
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(dialect.insert(PreflightTick).values(rows).on_conflict_do_nothing())


def take_back(session: Session, broadcast_id: int, fingerprint: str) -> None:
    """Untick a warning, whoever ticked it."""
    session.execute(
        delete(PreflightTick)
        .where(PreflightTick.broadcast_id == broadcast_id, PreflightTick.fingerprint == fingerprint)
        .execution_options(synchronize_session=False)
    )
