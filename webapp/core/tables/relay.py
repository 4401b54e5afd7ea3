"""The relay as it was met: its health, what it was learned to take, and recipients' domains that are given time. Written by `core/relay/`;
the refusals nobody has decided yet by the ledger."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, BigId, EnumText, UtcDateTime, one_of


class RelayState(StrEnum):
    """`waiting`: it cannot be reached or takes nothing at present, and is tried again. `refusing`: it would say the same again, so that a
    person has to look at it."""

    WELL = "well"
    WAITING = "waiting"
    REFUSING = "refusing"


class Relay(Base):
    """A relay that mails were handed to: one row for the whole site, named by host and port.

    `since` is when `state` began, `words` why. While it is waited for, `tries` counts the probes, the next may begin at `next_try_at`, and
    one process alone probes, until `probe_until` at the latest. `taken_at` is when it last took a mail, to some seconds.
    `connections`, `per_connection` and `behind_dot` are what `rules/relay_limits.RelayLimits` calls so, each with the instant it was
    learned; `per_minute` is how many mails it took in the minute before it said that this is too much.
    """

    __tablename__ = "relay"
    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    state: Mapped[RelayState] = mapped_column(EnumText(RelayState), default=RelayState.WELL)
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    words: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    probe_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    connections: Mapped[int | None]
    connections_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    per_connection: Mapped[int | None]
    per_connection_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    behind_dot: Mapped[bool] = mapped_column(default=True)
    behind_dot_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    per_minute: Mapped[int | None]
    per_minute_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (one_of("state", RelayState),)


class DomainRest(Base):
    """A recipients' domain that deferred again and again: until `until` nothing is handed over for it. `times` counts how often it was
    given time since it last took a mail."""

    __tablename__ = "domain_rest"
    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    times: Mapped[int]
    words: Mapped[str] = mapped_column(Text)


class OpenRefusal(Base):
    """A refusal of a broadcast since the relay last took one of its mails; see `rules/refusal.Refusal`."""

    __tablename__ = "open_refusal"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"))
    delivery_id: Mapped[int] = mapped_column(BigId, unique=True)
    domain: Mapped[str] = mapped_column(String(255))
    key: Mapped[str] = mapped_column(String(200))
    words: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int]
    is_parked: Mapped[bool]
    is_final: Mapped[bool]

    __table_args__ = (Index("ix_open_refusal_broadcast", "broadcast_id", "id"),)
