"""Imports of CSV files: the upload, its mapping, its counts and its rows that were refused or repaired. Written by `core/imports.py`."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, BigId, EnumText, UtcDateTime, one_of


class ImportKind(StrEnum):
    CLIENTS = "clients"
    SERVICES = "services"
    ADDONS = "addons"


class ImportState(StrEnum):
    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ImportRun(Base):
    __tablename__ = "import_run"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ImportKind] = mapped_column(EnumText(ImportKind))
    state: Mapped[ImportState] = mapped_column(EnumText(ImportState))
    file_name: Mapped[str] = mapped_column(String(255))
    stored_as: Mapped[str] = mapped_column(String(64))
    encoding: Mapped[str] = mapped_column(String(20), default="")
    delimiter: Mapped[str] = mapped_column(String(1), default="")
    mapping: Mapped[dict] = mapped_column(JSON, default=dict)
    rows_total: Mapped[int | None]
    rows_seen: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    repaired: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (one_of("kind", ImportKind), one_of("state", ImportState))


class ImportIssue(Base):
    """One field of one row that was refused or repaired. `line` counts physical lines of the file from 1, the header included."""

    __tablename__ = "import_issue"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
    line: Mapped[int]
    field: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(300))
    refused: Mapped[bool]
    row: Mapped[dict] = mapped_column(JSON)

    __table_args__ = (Index("ix_import_issue_import", "import_id", "refused", "line"),)
