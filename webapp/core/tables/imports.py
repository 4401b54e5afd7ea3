"""Imports of CSV files: the upload and its pieces, its mapping, its counts, its rows that were refused, repaired or
would change, the rows that wait to be taken over, and what is remembered of a header. Written by `core/imports`; `core/clients` takes the
waiting rows over.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, BigId, EnumText, UtcDateTime, one_of
from webapp.core.tables.clients import AddonAssignment, Client, Service


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
    """One uploaded file. `header` are its column names, `reading` is what else is known of how it is written (`core/imports/layouts`),
    `mapping` is {field: index of the column}; `date_order` is what its dates say. `answers` is what a person said beside the mapping
    (`core/imports/answers`), `findings` what a look at all rows told (`core/imports/survey`). `rows_seen` is the sum of the counts,
    `repaired` apart.

    `attempt` is the fence of the process that works on it: whoever holds an older number writes nothing any more. `beat_at` is its
    last sign of life, NULL while the work waits for a worker. `stored_as` is "" once the file is removed. At most one run is RUNNING.
    """

    __tablename__ = "import_run"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ImportKind] = mapped_column(EnumText(ImportKind))
    state: Mapped[ImportState] = mapped_column(EnumText(ImportState))
    attempt: Mapped[int] = mapped_column(default=0)
    file_name: Mapped[str] = mapped_column(String(255))
    stored_as: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    encoding: Mapped[str] = mapped_column(String(20), default="")
    delimiter: Mapped[str] = mapped_column(String(1), default="")
    header: Mapped[list[str]] = mapped_column(JSON, default=list)
    reading: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    mapping: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    findings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    date_order: Mapped[str] = mapped_column(String(10), default="")
    rows_total: Mapped[int | None]
    rows_seen: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    blank: Mapped[int] = mapped_column(default=0, server_default="0")
    repaired: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        one_of("kind", ImportKind),
        one_of("state", ImportState),
        Index(
            "uq_import_run_running",
            "state",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )


class Upload(Base):
    """A file as it was uploaded, known by `name` (`ImportRun.stored_as`). Kept in the database, so that it is there for every worker on
    any machine. `is_whole` once its last chunk is stored; `size` is then its octets."""

    __tablename__ = "upload"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    is_whole: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UploadChunk(Base):
    """A piece of an uploaded file, compressed (zlib); `number` counts from 0."""

    __tablename__ = "upload_chunk"
    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ImportIssue(Base):
    """One field of one row that was refused or repaired. `line` counts physical lines of the file from 1, the header included;
    `row` holds the row's cells as they stood in the file; `text` the row itself where its cells could not be told apart.
    """

    __tablename__ = "import_issue"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
    line: Mapped[int]
    field: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(300))
    refused: Mapped[bool]
    row: Mapped[list[str]] = mapped_column(JSON)
    text: Mapped[str] = mapped_column(Text, default="", server_default="")

    __table_args__ = (Index("ix_import_issue_import", "import_id", "refused", "line"),)


class ImportChange(Base):
    """One field of one row that an import would change: what is stored and what the file says, as people read it. Written by a dry run."""

    __tablename__ = "import_change"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
    line: Mapped[int]
    number: Mapped[str] = mapped_column(String(64))
    field: Mapped[str] = mapped_column(String(40))
    old: Mapped[str] = mapped_column(Text)
    new: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_import_change_import", "import_id", "line"),)


class ImportMemory(Base):
    """How the last file with a header was imported, for the next one: `header_key` is a digest of its column names, in their order."""

    __tablename__ = "import_memory"
    id: Mapped[int] = mapped_column(primary_key=True)
    header_key: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[ImportKind] = mapped_column(EnumText(ImportKind))
    mapping: Mapped[dict[str, int]] = mapped_column(JSON)
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    file_name: Mapped[str] = mapped_column(String(255))
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (one_of("kind", ImportKind),)


class Verb(StrEnum):
    """What is to become of a waiting row; a SEEN one only tells that its number stood in the file already."""

    NEW = "new"
    CHANGED = "changed"
    SEEN = "seen"


def _waiting(target: type[Base], *further: Column[Any], without: frozenset[str] = frozenset()) -> Table:
    """A table for rows that wait to be taken over into `target`: its columns, all of them whole, beside import, line and verb."""
    left_out = without | {"id", "number", "created_at", "updated_at"}
    columns = target.__table__.columns
    name = f"waiting_{target.__tablename__}"
    return Table(
        name,
        Base.metadata,
        Column("import_id", ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True),
        Column("line", Integer, primary_key=True, autoincrement=False),
        Column("number", columns["number"].type, nullable=False),
        Column("verb", EnumText(Verb), nullable=False),
        *(Column(column.name, column.type, nullable=True) for column in columns if column.name not in left_out),
        *further,
        one_of("verb", Verb),
        Index(f"ix_{name}_number", "import_id", "number"),
        sqlite_with_rowid=False,
    )


waiting_client = _waiting(Client)
waiting_service = _waiting(
    Service,
    Column("product_group", String(200)),
    Column("product_name", String(200)),
    without=frozenset({"product_id"}),
)
waiting_addon_assignment = _waiting(AddonAssignment, Column("addon_name", String(200)), without=frozenset({"addon_id"}))

WAITING = {
    ImportKind.CLIENTS: waiting_client,
    ImportKind.SERVICES: waiting_service,
    ImportKind.ADDONS: waiting_addon_assignment,
}
"""Where the rows of an import wait, by its kind."""
