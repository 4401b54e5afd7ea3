"""Pictures and documents that mails show or carry, and which content carries which. Written by `core/media/`."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, EnumText, UtcDateTime, one_of


class MediaFile(Base):
    """A picture or a document. Its octets never change: `name`, which nobody guesses, stands for them, in addresses too. `file_name` is how
    it was called where it came from, `alt` what it shows, in words. `size` counts octets, `width` and `height` pixels, `shown` those across
    with which a mail shows it; 0 for documents. `digest` is that of the octets, so that none are kept twice. `replaced_by` is the picture
    that took its place in drafts: it is no longer in the library, and stays as long as a mail refers to it."""

    __tablename__ = "media_file"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(48), unique=True)
    is_picture: Mapped[bool]
    file_name: Mapped[str] = mapped_column(String(200))
    alt: Mapped[str] = mapped_column(Text, default="")
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    shown: Mapped[int] = mapped_column(default=0)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("media_file.id", ondelete="SET NULL"))

    __table_args__ = (Index("ix_media_file_digest", "digest"), Index("ix_media_file_created_at", "created_at"))


class MediaBytes(Base):
    """The octets of a file, apart from what is known of it, so that lists do not read them. `thumbnail` is a small copy of a picture."""

    __tablename__ = "media_bytes"
    file_id: Mapped[int] = mapped_column(ForeignKey("media_file.id", ondelete="CASCADE"), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    thumbnail: Mapped[bytes | None] = mapped_column(LargeBinary)


class Attachment(Base):
    """A file that every mail of a content carries, by the name that recipients see."""

    __tablename__ = "attachment"
    id: Mapped[int] = mapped_column(primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    file_id: Mapped[int] = mapped_column(ForeignKey("media_file.id"))
    name: Mapped[str] = mapped_column(String(200))

    __table_args__ = (UniqueConstraint("content_id", "file_id"), Index("ix_attachment_file_id", "file_id"))


class WithoutOwnFile(StrEnum):
    """What a recipient gets for whom there is no file of their own."""

    SKIP = "skip"
    SEND = "send"


class OwnFiles(Base):
    """That each recipient of a content gets a file of their own, and what becomes of those who have none."""

    __tablename__ = "own_files"
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"), primary_key=True)
    when_missing: Mapped[WithoutOwnFile] = mapped_column(EnumText(WithoutOwnFile), default=WithoutOwnFile.SKIP)

    __table_args__ = (one_of("when_missing", WithoutOwnFile),)


class OwnFile(Base):
    """The file of one recipient, who is known by the client's number."""

    __tablename__ = "own_file"
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"), primary_key=True)
    client_number: Mapped[str] = mapped_column(String(64), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("media_file.id"))
    name: Mapped[str] = mapped_column(String(200))

    __table_args__ = (Index("ix_own_file_file_id", "file_id"),)
