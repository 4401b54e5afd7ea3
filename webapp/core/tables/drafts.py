"""Who works on a draft. Written by `core/broadcasts/` (`steps.py`, `presence.py`)."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, UtcDateTime


class StepSave(Base):
    """Who saved a step of a draft last, and when; of the message each text has a row of its own, `language` "" for the main one.
    `digest` is that of the step as it was then: what changed since is somebody else's."""

    __tablename__ = "step_save"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[str] = mapped_column(String(20), primary_key=True)
    language: Mapped[str] = mapped_column(String(20), primary_key=True)
    user_email: Mapped[str] = mapped_column(String(320))
    user_name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(16))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DraftVisit(Base):
    """That somebody has a page of a draft open: seen last at `seen_at`."""

    __tablename__ = "draft_visit"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
