"""The processes that do the work behind the console. Written by `core/sending/workers.py`."""

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, UtcDateTime


class KnownWorker(Base):
    """One worker process; `id` is made by it at its start. All instants are those of the database's clock."""

    __tablename__ = "worker"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(String(40))
    queues: Mapped[list[str]] = mapped_column(JSON)
    doing: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
