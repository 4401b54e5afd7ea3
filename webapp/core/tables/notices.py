"""Notices, who has read them, and what of them is to leave by mail or webhook. Written by `core/notices`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.rules.notices import Channel, DispatchState, NoticeKind, Scope
from webapp.core.tables.base import Base, EnumText, UtcDateTime, one_of


class Notice(Base):
    """Something that happened by itself, told once. `occasion` names the very instance of it, so that two who look at once write one.
    `broadcast_id` is NULL for what concerns the whole site. `facts` are those of the instant: see `core/notices/facts.py`."""

    __tablename__ = "notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[NoticeKind] = mapped_column(EnumText(NoticeKind))
    occasion: Mapped[str] = mapped_column(String(80))
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("kind", "occasion"),
        one_of("kind", NoticeKind),
        Index("ix_notice_broadcast", "broadcast_id", "kind"),
    )


class NoticeReceipt(Base):
    """A notice in somebody's list; `read_at` is NULL while it is new to them."""

    __tablename__ = "notice_receipt"
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_notice_receipt_new", "user_id", "read_at", "notice_id"),)


class NoticeDispatch(Base):
    """A notice on its way by one channel: a mail to `user_id`, or the call of the webhook (`user_id` NULL). Whoever makes an attempt has it
    to themselves until `taken_until`. `answer` is what came of the last one."""

    __tablename__ = "notice_dispatch"
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"), index=True)
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    state: Mapped[DispatchState] = mapped_column(EnumText(DispatchState), default=DispatchState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    taken_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        one_of("channel", Channel),
        one_of("state", DispatchState),
        CheckConstraint("(channel = 'mail') = (user_id IS NOT NULL)", name="receiver"),
        Index("ix_notice_dispatch_due", "state", "due_at"),
    )


class NoticeChoice(Base):
    """What somebody chose to hear of; without a row, of their own mass mails, by mail too."""

    __tablename__ = "notice_choice"
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    by_mail: Mapped[bool]
    scope: Mapped[Scope] = mapped_column(EnumText(Scope))

    __table_args__ = (one_of("scope", Scope),)


class NoticeWatch(Base):
    """One row (id 1): what happened before `since` is told to nobody; `looked_at` is when somebody last looked for news."""

    __tablename__ = "notice_watch"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (CheckConstraint("id = 1", name="one"),)


class HouseWebhook(Base):
    """One row (id 1) while the house has a webhook. `secret` signs what is sent there; the one before it does, too, until `old_until`."""

    __tablename__ = "webhook"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    url: Mapped[str] = mapped_column(String(2000))
    secret: Mapped[str] = mapped_column(String(100))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    old_secret: Mapped[str | None] = mapped_column(String(100))
    old_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (CheckConstraint("id = 1", name="one"),)
