"""How long personal data is kept. Written by `core/settings/retention.py`."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base


class RetentionSettings(Base):
    """One row (id 1) once somebody has set something; see `rules/retention.Retention` for its meaning."""

    __tablename__ = "retention_settings"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uploads_days: Mapped[int]
    values_days: Mapped[int]

    __table_args__ = (CheckConstraint("id = 1 AND uploads_days > 0 AND values_days > 0", name="sane"),)
