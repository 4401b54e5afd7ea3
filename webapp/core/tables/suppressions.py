"""Addresses that must not be mailed, and why. Written by `core/consent/suppressions.py`."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, UtcDateTime


class Suppression(Base):
    __tablename__ = "suppression"
    address_key: Mapped[str] = mapped_column(String(320), primary_key=True)
    reason: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
