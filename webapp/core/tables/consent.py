"""Who must not be mailed, and why; topics; and what the business decided about consent. Written by `core/consent/`."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Float, ForeignKey, Index, String, Text, false, true
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.rules.consent import SuppressionAction, SuppressionKind, SuppressionScope
from webapp.core.tables.base import Base, BigId, EnumText, UtcDateTime, one_of


class Suppression(Base):
    """An address that must not be mailed, once for each kind of reason. All marketing is declined by one of the kind *unsubscribed*
    with the scope *marketing*.

    `address_key` is the address as `Client.address_key` has it, or with `is_hashed` what `rules/address_hashes.py` makes of it. `source`
    says where it comes from in a word (`link`, `one_click`, `smtp`, `bounce`, `console`, `import`, …), `evidence` in its own words,
    `delivery_id` by which mail (it may be forgotten by now), `created_by` the address of the user who did it, "" for nobody.
    """

    __tablename__ = "suppression"
    address_key: Mapped[str] = mapped_column(String(320), primary_key=True)
    kind: Mapped[SuppressionKind] = mapped_column(EnumText(SuppressionKind), primary_key=True)
    scope: Mapped[SuppressionScope] = mapped_column(EnumText(SuppressionScope))
    reason: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(40), default="", server_default="")
    evidence: Mapped[str] = mapped_column(Text, default="", server_default="")
    delivery_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(320), default="", server_default="")
    is_hashed: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        one_of("kind", SuppressionKind),
        one_of("scope", SuppressionScope),
        Index("ix_suppression_created", "created_at", "address_key"),
        Index("ix_suppression_kind", "kind", "scope", "created_at"),
        Index("ix_suppression_hashed", "is_hashed"),
    )


class SuppressionChange(Base):
    """What was done to the suppressions of an address, and why: it stays when a suppression is lifted."""

    __tablename__ = "suppression_change"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    address_key: Mapped[str] = mapped_column(String(320), index=True)
    kind: Mapped[SuppressionKind] = mapped_column(EnumText(SuppressionKind))
    scope: Mapped[SuppressionScope] = mapped_column(EnumText(SuppressionScope))
    action: Mapped[SuppressionAction] = mapped_column(EnumText(SuppressionAction))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(320), default="")
    reason: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(40), default="")
    is_hashed: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        one_of("kind", SuppressionKind),
        one_of("scope", SuppressionScope),
        one_of("action", SuppressionAction),
    )


class Topic(Base):
    """What marketing can be about; each topic can be declined alone. A retired one stays on the broadcasts that have it, and is offered
    to no other."""

    __tablename__ = "topic"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(String(300), default="")
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TopicOptOut(Base):
    """An address to which marketing about a topic must not be sent. `address_key` is as in `Suppression`, `delivery_id` the mail whose link
    was followed."""

    __tablename__ = "topic_opt_out"
    address_key: Mapped[str] = mapped_column(String(320), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id", ondelete="CASCADE"), primary_key=True)
    delivery_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_hashed: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (Index("ix_topic_opt_out_topic", "topic_id"), Index("ix_topic_opt_out_hashed", "is_hashed"))


class ConsentSettings(Base):
    """What the business decided, one row (id 1), made with the table.

    `unknown_is_in`: marketing goes also to clients whose choice is not known; `unknown_is_in_europe` says it for those in `EUROPE`.
    `business_name`, `colour` (#rrggbb) and `postal_address` stand on the public pages and at the foot of marketing. `keep_hashed`:
    addresses are kept as hashes, made with `hash_key`. An address that bounces softly `soft_bounces` times in `soft_bounce_days` days is
    suppressed. `refusal_rules` has by reason how many refusals for good it takes (1, or 2 in 30 days; 0: never). A broadcast is paused
    when more than so many percent of its mails, of a thousand at least, bounced or were complained about. `may_count`: whoever makes a
    mass mail may have its clicks and opens counted.
    """

    __tablename__ = "consent_settings"
    id: Mapped[int] = mapped_column(primary_key=True)
    unknown_is_in: Mapped[bool] = mapped_column(default=True, server_default=true())
    unknown_is_in_europe: Mapped[bool] = mapped_column(default=False, server_default=false())
    business_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    colour: Mapped[str] = mapped_column(String(7), default="#2454a6", server_default="#2454a6")
    postal_address: Mapped[str] = mapped_column(String(400), default="", server_default="")
    keep_hashed: Mapped[bool] = mapped_column(default=False, server_default=false())
    hash_key: Mapped[str] = mapped_column(String(64), default=lambda: secrets.token_hex(32))
    soft_bounces: Mapped[int] = mapped_column(default=3, server_default="3")
    soft_bounce_days: Mapped[int] = mapped_column(default=14, server_default="14")
    refusal_rules: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    brake_bounced_percent: Mapped[float] = mapped_column(Float(53), default=2.0, server_default="2.0")
    brake_complained_percent: Mapped[float] = mapped_column(Float(53), default=0.1, server_default="0.1")
    may_count: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class LinkKey(Base):
    """A key with which the tokens in links are made (`secret`, hexadecimal). Its id stands in each token; a broadcast uses the newest one
    that was made a minute before it started, and all are believed. `retired_at` says when another took its place."""

    __tablename__ = "link_key"
    id: Mapped[int] = mapped_column(primary_key=True)
    secret: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
