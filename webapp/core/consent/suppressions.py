"""Addresses that must not be mailed. What is suppressed here is skipped at the freeze, and at each claim for what was frozen before."""

from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core.rules.consent import (
    LONGEST_REASON,
    USUAL_SCOPE,
    SuppressionAction,
    SuppressionKind,
    SuppressionScope,
)
from webapp.core.tables.consent import Suppression, SuppressionChange


def suppress(
    session: Session,
    address_key: str,
    kind: SuppressionKind,
    now: datetime,
    *,
    scope: SuppressionScope | None = None,
    reason: str = "",
    source: str = "",
    evidence: str = "",
    delivery_id: int | None = None,
    by: str = "",
) -> bool:
    """Mail this address no more, from the next mail on. The scope is the kind's usual one where none is given.

    False, and nothing changes, when it is suppressed for this kind already and as widely; then its first reason stays. A wider scope than
    before is taken.
    """
    scope = scope or USUAL_SCOPE[kind]
    row = session.get(Suppression, (address_key, kind))
    if row is not None and (row.scope is scope or row.scope is SuppressionScope.EVERYTHING):
        return False
    action = SuppressionAction.ADDED if row is None else SuppressionAction.CHANGED
    if row is None:
        row = Suppression(address_key=address_key, kind=kind, created_at=now)
        session.add(row)
    row.scope, row.reason, row.source, row.evidence = scope, reason[:LONGEST_REASON], source, evidence
    row.delivery_id, row.created_by = delivery_id, by
    _remember(session, row, action, now, by, reason)
    session.flush()
    return True


def lift(
    session: Session, address_key: str, kind: SuppressionKind, now: datetime, *, reason: str, by: str = ""
) -> bool:
    """Let this address be mailed again, as far as this kind is concerned. False when there is none."""
    row = session.get(Suppression, (address_key, kind))
    if row is None:
        return False
    _remember(session, row, SuppressionAction.LIFTED, now, by, reason)
    session.delete(row)
    session.flush()
    return True


def _remember(
    session: Session, row: Suppression, action: SuppressionAction, now: datetime, by: str, reason: str
) -> None:
    session.add(
        SuppressionChange(
            address_key=row.address_key,
            kind=row.kind,
            scope=row.scope,
            action=action,
            at=now,
            by=by,
            reason=reason[:LONGEST_REASON],
            source=row.source,
            is_hashed=row.is_hashed or False,
        )
    )
