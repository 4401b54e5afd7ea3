"""Domains that mails come from: what was found about them in DNS, how their mails leave, and our keys that sign for them. Written by
`core/domains/`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.rules.dkim import Algorithm
from webapp.core.tables.base import Base, EnumText, UtcDateTime, one_of


class DomainCheck(Base):
    """A domain (in ASCII) and what was found when it was looked at last; `rules/sender_domains/findings.py` reads `findings`. `selectors`
    are those that the relay signs with, as pairs of selector and domain ("": this one). `looked_at` is when somebody began to look, so
    that two do not look at once."""

    __tablename__ = "domain_check"
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    selectors: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MailRoute(Base):
    """One row (id 1) once somebody has said how mails leave: from which addresses, and what the relay wants to be included in SPF."""

    __tablename__ = "mail_route"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leaves_from: Mapped[list[str]] = mapped_column(JSON, default=list)
    spf_include: Mapped[str] = mapped_column(String(253), default="")

    __table_args__ = (CheckConstraint("id = 1", name="one"),)


class DkimKey(Base):
    """A key of ours. `private` is sealed, and gone once the key is retired; `public` is as the record has it.

    It waits for DNS to show it, then signs mails whose Date is from `signs_from` to before `signs_until`; its record has to stay in DNS
    until `retired_at`, as mails of its time are verified until then. `seen_at` is when DNS showed it last.
    """

    __tablename__ = "dkim_key"
    id: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(String(253))
    selector: Mapped[str] = mapped_column(String(63))
    algorithm: Mapped[Algorithm] = mapped_column(EnumText(Algorithm))
    private: Mapped[str | None] = mapped_column(Text)
    public: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signs_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signs_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        one_of("algorithm", Algorithm),
        UniqueConstraint("domain", "selector"),
        CheckConstraint("private IS NOT NULL OR retired_at IS NOT NULL", name="private"),
        Index("ix_dkim_key_domain_retired_at", "domain", "retired_at"),
    )
