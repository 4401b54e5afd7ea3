"""Imports of lists of suppressions: the upload, how it is read, how far it is taken over, and what became of each row. Written by
`core/consent/list_runs.py`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.rules.consent import EntryFate, SuppressionKind
from webapp.core.tables.base import Base, EnumText, UtcDateTime, one_of
from webapp.core.tables.imports import ImportState


class ListImport(Base):
    """One uploaded list. `encoding` to `layout` say how the file is written (`core/imports/layouts`), `reading` which of its columns says
    what (`rules/suppression_lists.ListReading`); `otherwise` is the kind of the rows where neither they nor the list say one.

    `rows_seen` is the sum of the counts, which are those of `EntryFate`; `rows_total` is known once the list was checked. `kinds` counts
    what is suppressed by it, by kind. `attempt`, `beat_at` and `stored_as` are as in `ImportRun`; `created_by` is the address of a user.
    """

    __tablename__ = "list_import"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[ImportState] = mapped_column(EnumText(ImportState))
    attempt: Mapped[int] = mapped_column(default=0)
    file_name: Mapped[str] = mapped_column(String(255))
    stored_as: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    encoding: Mapped[str] = mapped_column(String(20))
    delimiter: Mapped[str] = mapped_column(String(1))
    header: Mapped[list[str]] = mapped_column(JSON)
    layout: Mapped[dict[str, Any]] = mapped_column(JSON)
    reading: Mapped[dict[str, Any]] = mapped_column(JSON)
    otherwise: Mapped[SuppressionKind] = mapped_column(EnumText(SuppressionKind))
    rows_total: Mapped[int | None]
    rows_seen: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    wider: Mapped[int] = mapped_column(default=0)
    known: Mapped[int] = mapped_column(default=0)
    free: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    kinds: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    error: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (one_of("state", ImportState), one_of("otherwise", SuppressionKind))


class ListReport(Base):
    """What became of some rows of a list, all of them of one fate: a piece for each slice that was worked on, so that a million rows are
    some thousand small pieces. `number` is in the order of the file; `data` holds `count` rows (`core/consent/list_reports.py`)."""

    __tablename__ = "list_report"
    import_id: Mapped[int] = mapped_column(ForeignKey("list_import.id", ondelete="CASCADE"), primary_key=True)
    fate: Mapped[EntryFate] = mapped_column(EnumText(EntryFate), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (one_of("fate", EntryFate),)
