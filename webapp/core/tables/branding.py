"""Brands, layouts and messages that are used again, and their pictures. Written by `core/branding/` and `core/designs/`."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.rules.branding.look import FontStack
from webapp.core.tables.base import Base, EnumText, UtcDateTime, one_of


class HostedPicture(Base):
    """A picture of a brand or a template, as it is served under `name`, which nobody can guess. Never changed, and kept, since mails that
    have left show it. `width` and `height` are in pixels of the file; `is_dark`: it would be lost on a dark ground."""

    __tablename__ = "hosted_picture"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    media_type: Mapped[str] = mapped_column(String(40))
    width: Mapped[int]
    height: Mapped[int]
    is_dark: Mapped[bool] = mapped_column(default=False, server_default=false())
    data: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Brand(Base):
    """How mails look, as it was saved once: rows are never changed, since a broadcast keeps the one it was scheduled with. The newest of a
    `from_address` is in force, "" being that of all other senders; `is_removed`: from then on that address has none of its own.
    `light` and `dark` hold the colours of `Palette` by their names. `made_by` is the address of the user who saved it."""

    __tablename__ = "brand"
    id: Mapped[int] = mapped_column(primary_key=True)
    from_address: Mapped[str] = mapped_column(String(320), default="")
    light: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    dark: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    letters: Mapped[FontStack] = mapped_column(EnumText(FontStack), default=FontStack.SYSTEM)
    footer: Mapped[str] = mapped_column(Text, default="")
    logo_id: Mapped[int | None] = mapped_column(ForeignKey("hosted_picture.id"))
    is_removed: Mapped[bool] = mapped_column(default=False, server_default=false())
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(320), default="")

    __table_args__ = (one_of("letters", FontStack), Index("ix_brand_from_address", "from_address", "id"))


class DesignKind(StrEnum):
    """A layout has only parts to fill; a message says something already."""

    LAYOUT = "layout"
    MESSAGE = "message"

    @property
    def label(self) -> str:
        return {DesignKind.LAYOUT: "Layout", DesignKind.MESSAGE: "Message"}[self]


class Design(Base):
    """A template: what a mail can be started from. `comes_as` names one that came along with the program."""

    __tablename__ = "design"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    about: Mapped[str] = mapped_column(String(200), default="", server_default="")
    kind: Mapped[DesignKind] = mapped_column(EnumText(DesignKind))
    comes_as: Mapped[str | None] = mapped_column(String(40), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (one_of("kind", DesignKind), Index("ix_design_name", "name"))


class DesignVersion(Base):
    """What a template said from `made_at` on; never changed. `number` counts from 1. `note` says in words what is new."""

    __tablename__ = "design_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    design_id: Mapped[int] = mapped_column(ForeignKey("design.id", ondelete="CASCADE"))
    number: Mapped[int]
    subject: Mapped[str] = mapped_column(Text, default="")
    preheader: Mapped[str] = mapped_column(Text, default="")
    html: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(String(200), default="", server_default="")
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(320), default="")

    __table_args__ = (UniqueConstraint("design_id", "number"),)
