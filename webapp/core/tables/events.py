"""What was reported of mails after the relay took them. Written by `core/events/`."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.rules.relay_event import EventKind, Fact
from webapp.core.tables.base import Base, BigId, EnumText, UtcDateTime, one_of


class DeliveryEvent(Base):
    """One report, once: `event_key` names it at its `source`. `delivery_id` is NULL where it names no mail of ours that it could prove.

    `fact` is what the report is the first to say of its delivery, NULL for any later one: so each delivery is counted once for each fact.
    `at` is when it happened, `received_at` when we heard of it; `status` and `words` are the reporter's, `address_key` whose address it
    is about. `raw` is what was received, kept for a while.
    """

    __tablename__ = "delivery_event"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delivery_id: Mapped[int | None] = mapped_column(BigId)
    kind: Mapped[EventKind] = mapped_column(EnumText(EventKind))
    fact: Mapped[Fact | None] = mapped_column(EnumText(Fact))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(40))
    event_key: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(12), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    address_key: Mapped[str | None] = mapped_column(String(320))
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        one_of("kind", EventKind),
        one_of("fact", Fact),
        UniqueConstraint("source", "event_key"),
        UniqueConstraint("fact", "delivery_id"),
        Index("ix_delivery_event_delivery", "delivery_id"),
        Index("ix_delivery_event_address", "address_key", "kind", "received_at"),
        Index("ix_delivery_event_received", "received_at"),
    )


class EventCount(Base):
    """How many deliveries of a broadcast a fact is known of, by the minute in which the relay took their mails."""

    __tablename__ = "event_count"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    fact: Mapped[Fact] = mapped_column(EnumText(Fact), primary_key=True)
    minute: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    count: Mapped[int] = mapped_column(default=0)

    __table_args__ = (one_of("fact", Fact),)


class Brake(Base):
    """That a broadcast was paused because too many of its mails came back or were complained about. Once: who resumes it has decided."""

    __tablename__ = "brake"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    words: Mapped[str] = mapped_column(Text)


class MailboxPosition(Base):
    """How far a mailbox on an IMAP server was read: what is new has a higher UID, as long as `uid_validity` is the same (RFC 3501
    section 2.3.1.1)."""

    __tablename__ = "mailbox_position"
    mailbox: Mapped[str] = mapped_column(String(400), primary_key=True)
    uid_validity: Mapped[int] = mapped_column(BigId)
    last_uid: Mapped[int] = mapped_column(BigId)
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
