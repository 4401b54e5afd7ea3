"""What was weighed before a mass mail left. Written by `core/content/preflight/ticks.py`."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, UtcDateTime


class PreflightTick(Base):
    """That somebody has seen a warning of the review and sends all the same. `fingerprint` is of what the warning was given for
    (`rules/preflight/findings.py`): when that changes, the tick holds for nothing any more."""

    __tablename__ = "preflight_tick"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(16), primary_key=True)
    user_email: Mapped[str] = mapped_column(String(320))
    ticked_at: Mapped[datetime] = mapped_column(UtcDateTime)
