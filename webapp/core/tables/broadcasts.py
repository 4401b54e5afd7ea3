"""Broadcasts with their content and the recipients chosen by hand. Written by `core/broadcasts/`, picks by `core/audience/`."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.core.rules.consent import Purpose
from webapp.core.rules.languages import WithoutText
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.base import Base, BigId, EnumText, UtcDateTime, one_of


class UncertainPolicy(StrEnum):
    """What happens to a mail of which nobody knows whether the relay took it."""

    HOLD = "hold"
    RETRY = "retry"


class Broadcast(Base):
    """One mail to many. `version` counts edits of the draft, so that two tabs do not overwrite each other.

    `starts_at` is the instant of `start_wall` (naive local time, ISO 8601 to the minute) in `time_zone`; both are NULL for
    "now". When clocks are put back a wall time comes twice, and `starts_at` tells which is meant. `batch_size` mails leave
    every `interval_s` seconds; `batch_size` 0 means as fast as the relay takes them. `frozen_count` is the number of
    deliveries, known once the freeze is complete (`frozen_at`); `freeze_cursor` is the last client frozen before that.
    `purpose` is NULL until somebody has chosen it, and for what was made before it was asked; `topic_id` is what marketing is about,
    `important_reason` why it must be told.
    `start_confirmed_at`: it is to start at once, although its time was missed or is still to come, as somebody said at that instant.
    `undo_until`: nothing of it begins before that, as whoever said that it goes out may take that back. `started_by` is the address of the
    user who said it last, "" for a draft and for what is older than this column. `copied_from` is the broadcast it is a duplicate of.
    `press` stands for the press of a button that made it: pressed twice, it is made once. `schedule_seen`: somebody has been at the step
    Schedule of this draft, and left it as it is or changed it.
    `probing` is set when the relay refused all: until a mail gets through again, one is tried at a time. `relay_errors` is how many
    errors of the relay came one after the other, last of all: a slow pace has a new sending process for each mail, which must know of
    those before. `heeds_content` is off once somebody resumed it although the relay refused many of its mails for what they say.
    `resends` counts how often somebody had failed mails sent again.
    `in_brand`: what is made in the design view stands in the brand of its sender; `brand_id` is the one that it was scheduled with, NULL
    before that and where there was none. `design_version_id` is the version of a template that it was made from.
    `counts_clicks`, `counts_opens`: somebody chose that clicks on links and opens of its mails are counted.
    `secret` seeds what is derived from the broadcast: Message-IDs, MIME boundaries and the marks of counted links.
    `main_language` is that of its main text (BCP 47; "": nobody has said it). `other_languages` are those of its other texts, sorted, with
    blanks between them; whoever asks who gets what needs no text for it. `without_text` says what becomes of clients who have none.
    """

    __tablename__ = "broadcast"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    message_type: Mapped[MessageType] = mapped_column(EnumText(MessageType))
    purpose: Mapped[Purpose | None] = mapped_column(EnumText(Purpose))
    topic_id: Mapped[int | None]
    important_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    state: Mapped[BroadcastState] = mapped_column(EnumText(BroadcastState), default=BroadcastState.DRAFT)
    version: Mapped[int] = mapped_column(default=1)
    audience_filter: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    from_address: Mapped[str] = mapped_column(String(400), default="")
    reply_to: Mapped[str] = mapped_column(String(400), default="")
    start_wall: Mapped[str | None] = mapped_column(String(16))
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    batch_size: Mapped[int] = mapped_column(default=25)
    interval_s: Mapped[int] = mapped_column(default=30)
    uncertain_policy: Mapped[UncertainPolicy] = mapped_column(EnumText(UncertainPolicy), default=UncertainPolicy.HOLD)
    secret: Mapped[str] = mapped_column(String(64))
    freeze_cursor: Mapped[int] = mapped_column(BigId, default=0)
    frozen_count: Mapped[int | None]
    pause_reason: Mapped[str | None] = mapped_column(Text)
    probing: Mapped[bool] = mapped_column(default=False)
    relay_errors: Mapped[int] = mapped_column(default=0, server_default="0")
    heeds_content: Mapped[bool] = mapped_column(default=True, server_default=true())
    resends: Mapped[int] = mapped_column(default=0, server_default="0")
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    start_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undo_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_by: Mapped[str] = mapped_column(String(320), default="", server_default="")
    copied_from: Mapped[int | None]
    in_brand: Mapped[bool] = mapped_column(default=False, server_default=false())
    brand_id: Mapped[int | None]
    design_version_id: Mapped[int | None]
    press: Mapped[str | None] = mapped_column(String(64))
    schedule_seen: Mapped[bool] = mapped_column(default=False, server_default=false())
    counts_clicks: Mapped[bool] = mapped_column(default=False, server_default=false())
    counts_opens: Mapped[bool] = mapped_column(default=False, server_default=false())
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    frozen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    values_removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    main_language: Mapped[str] = mapped_column(String(20), default="", server_default="")
    other_languages: Mapped[str] = mapped_column(Text, default="", server_default="")
    without_text: Mapped[WithoutText] = mapped_column(
        EnumText(WithoutText), default=WithoutText.STOP, server_default=WithoutText.STOP
    )

    content: Mapped["Content"] = relationship(
        primaryjoin="and_(Content.broadcast_id == Broadcast.id, Content.language == '')",
        back_populates="broadcast",
        uselist=False,
        cascade="all, delete-orphan",
        overlaps="contents",
    )
    contents: Mapped[list["Content"]] = relationship(
        order_by="Content.language", viewonly=True, overlaps="content,broadcast"
    )

    __table_args__ = (
        one_of("state", BroadcastState),
        one_of("message_type", MessageType),
        CheckConstraint("purpose IS NULL OR purpose IN ('marketing', 'important')", name="purpose"),
        one_of("uncertain_policy", UncertainPolicy),
        CheckConstraint("batch_size >= 0 AND interval_s >= 0", name="pace"),
        one_of("without_text", WithoutText),
        Index("ix_broadcast_state", "state", "starts_at"),
        Index("ix_broadcast_updated", "updated_at"),
        Index("uq_broadcast_press", "press", unique=True),
    )


class Content(Base):
    """Subject, preheader, text and html as composed, in one language: "" is the message of whoever has none of their own, which every
    broadcast has. `text` NULL means: derived from `html`; `text_for` is the digest of the body that it was written for, where it is not.
    `text_digest` is equal for those that say the same (`rules/likeness.py`), written when the broadcast is scheduled; NULL before.
    `translated_from` is what the main text said when this one was made from it, as `rules/languages/translations.py` keeps it; NULL for the
    main text, and before anything is written."""

    __tablename__ = "content"
    id: Mapped[int] = mapped_column(primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(String(20), default="", server_default="")
    subject: Mapped[str] = mapped_column(Text, default="")
    preheader: Mapped[str] = mapped_column(Text, default="", server_default="")
    html: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str | None] = mapped_column(Text)
    text_for: Mapped[str | None] = mapped_column(String(16))
    text_digest: Mapped[str | None] = mapped_column(String(32))
    translated_from: Mapped[dict[str, list[str]] | None] = mapped_column(JSON(none_as_null=True))

    broadcast: Mapped[Broadcast] = relationship(back_populates="content", overlaps="contents")

    __table_args__ = (
        UniqueConstraint("broadcast_id", "language", name="uq_content_broadcast_id_language"),
        Index("ix_content_text_digest", "text_digest"),
    )


class PickKind(StrEnum):
    ADDED = "added"
    LEFT_OUT = "left_out"


class Pick(Base):
    """A client added to a broadcast's audience by hand, or left out of it."""

    __tablename__ = "pick"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[PickKind] = mapped_column(EnumText(PickKind))

    __table_args__ = (one_of("kind", PickKind), Index("ix_pick_kind", "broadcast_id", "kind", "client_id"))


class FromAddress(Base):
    """A sender that a broadcast may use, as `Name <local@domain>`; one may be that of marketing.
    Written by `core/settings/from_addresses.py`."""

    __tablename__ = "from_address"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(320), unique=True)
    is_default: Mapped[bool] = mapped_column(default=False)
    is_for_marketing: Mapped[bool] = mapped_column(default=False, server_default=false())
