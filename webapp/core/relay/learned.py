"""Limits of the relay that were learned by meeting them, kept for all sending processes."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.relay.health import read
from webapp.core.relay.rows import ensure
from webapp.core.rules.relay_limits import RelayLimits
from webapp.core.tables.relay import Relay


def learn(session: Session, key: str, limits: RelayLimits, now: datetime) -> None:
    """Keep the limits; each one that differs from before was learned `now`."""
    ensure(session, key)
    before = read(session, key).limits
    values: dict[str, object] = {}
    for name in ("connections", "per_connection", "behind_dot"):
        if getattr(limits, name) != getattr(before, name):
            values |= {name: getattr(limits, name), f"{name}_at": now}
    if values:
        guarded.change_one(session, update(Relay).where(Relay.key == key).values(**values))


def learn_rate(session: Session, key: str, per_minute: int, now: datetime) -> None:
    """The relay took `per_minute` mails in the minute before it said that this is too much."""
    ensure(session, key)
    guarded.change_one(session, update(Relay).where(Relay.key == key).values(per_minute=per_minute, per_minute_at=now))


def forget(session: Session, key: str) -> None:
    """Forget all limits: those that still hold will be met again."""
    none = dict.fromkeys(("connections", "per_connection", "per_minute"))
    at = dict.fromkeys(("connections_at", "per_connection_at", "behind_dot_at", "per_minute_at"))
    guarded.change_one(session, update(Relay).where(Relay.key == key).values(behind_dot=True, **none, **at))
