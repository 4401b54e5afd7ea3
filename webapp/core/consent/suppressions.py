"""Addresses that must not be mailed. What is suppressed here is skipped at the freeze, and at each claim for what was frozen before."""

from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core.tables.suppressions import Suppression

LONGEST_REASON = 200


def suppress(session: Session, address_key: str, reason: str, now: datetime) -> bool:
    """Mail this address no more. False when it was suppressed already; then its first reason stays."""
    if session.get(Suppression, address_key) is not None:
        return False
    session.add(Suppression(address_key=address_key, reason=reason[:LONGEST_REASON], created_at=now))
    session.flush()
    return True
