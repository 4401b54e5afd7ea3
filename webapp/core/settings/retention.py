"""How long personal data is kept, as administrators set it. `core/broadcasts/forgetting.py` removes what is older."""

from sqlalchemy.orm import Session

from webapp.core.rules.retention import KEPT, Retention, check
from webapp.core.tables.retention import RetentionSettings

THE_ROW = 1


def read(session: Session) -> Retention:
    """What is in force; that of a new installation until somebody has set another."""
    row = session.get(RetentionSettings, THE_ROW, populate_existing=True)
    return Retention(row.uploads_days, row.values_days) if row else KEPT


def save(session: Session, retention: Retention) -> None:
    """Have it heeded from the next round on. Raises Invalid."""
    check(retention)
    session.merge(RetentionSettings(id=THE_ROW, uploads_days=retention.uploads_days, values_days=retention.values_days))
