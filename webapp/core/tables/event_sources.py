"""Relays that report to us, and what they reported lately. Written by `core/consent/event_sources.py`."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.rules.relay_event import EventKind
from webapp.core.rules.relay_events.providers import Provider
from webapp.core.tables.base import Base, BigId, EnumText, UtcDateTime, one_of


class Became(StrEnum):
    """What became of a reported event. NO_MAIL: it is of no mail of ours; IGNORED: of a kind that nobody heeds."""

    RECORDED = "recorded"
    NO_MAIL = "no_mail"
    IGNORED = "ignored"


class EventSource(Base):
    """A relay's account that calls an address of its own.

    `secret_hash` is what is kept of the secret in that address, as of every token here: whoever reads the database, or a copy of it, cannot
    report in the relay's name. `key` is what proves a call (`rules/relay_events/providers.KeyKind`): of a password the hash, of Mailgun's
    signing key the key itself, because a signature cannot be made anew from less. After a change the secret and password before it count
    until `old_until`, too. `adds_header`: mails bear the header by which this relay names them (`rules/relay_events/matching.py`).
    `refused_why` are the words of the last refusal. `confirmed_at` and `ended_at` are of a subscription at Amazon.
    """

    __tablename__ = "event_source"
    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[Provider] = mapped_column(EnumText(Provider))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    key: Mapped[str] = mapped_column(Text, default="")
    old_secret_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    old_key: Mapped[str | None] = mapped_column(Text)
    old_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_on: Mapped[bool] = mapped_column(default=True)
    adds_header: Mapped[bool]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    events: Mapped[int] = mapped_column(default=0)
    repeats: Mapped[int] = mapped_column(default=0)
    refusals: Mapped[int] = mapped_column(default=0)
    refused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refused_why: Mapped[str] = mapped_column(String(200), default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        one_of("provider", Provider),
        CheckConstraint("(old_secret_hash IS NULL) = (old_until IS NULL)", name="old"),
    )


class ReceivedEvent(Base):
    """One event of a source, so that a repeat is known and people can see what came. `raw` is what was received, where it is of no use
    otherwise: of a kind that nobody heeds, or of no mail of ours. `digest` is that of what was received, always."""

    __tablename__ = "received_event"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("event_source.id", ondelete="CASCADE"))
    event_key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[EventKind] = mapped_column(EnumText(EventKind))
    became: Mapped[Became] = mapped_column(EnumText(Became))
    words: Mapped[str] = mapped_column(String(500))
    delivery_id: Mapped[int | None] = mapped_column(BigId)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    digest: Mapped[str] = mapped_column(String(64))
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        one_of("kind", EventKind),
        one_of("became", Became),
        UniqueConstraint("source_id", "event_key"),
        Index("ix_received_event_received_at", "received_at"),
    )
