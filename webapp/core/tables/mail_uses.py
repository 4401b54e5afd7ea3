"""Opens and clicks of mails, where somebody chose that they are counted. Targets are written by `core/content/link_targets.py`, uses by
`core/events/`."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, BigId, UtcDateTime


class LinkTarget(Base):
    """Where a counted link of a broadcast's mails leads. `mark` stands in its address, `number` says which link of the mail it is, from 1
    on. `target` is the address with its tags, `tags` names the values of a delivery (`Delivery.merge_values`) in their order.
    """

    __tablename__ = "link_target"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    mark: Mapped[str] = mapped_column(String(12), primary_key=True)
    number: Mapped[int]
    target: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JSON)

    __table_args__ = (UniqueConstraint("broadcast_id", "number"),)


class MailUse(Base):
    """That a mail was opened (`link` 0), or one of its links followed (the number of its target): once for each delivery and link, `times`
    in all, of which `by_machine` were probably not its reader's doing."""

    __tablename__ = "mail_use"
    delivery_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    link: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    times: Mapped[int] = mapped_column(default=1)
    by_machine: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_mail_use_first", "first_at", "delivery_id"),)


class UseSum(Base):
    """What is left of uses that are no longer kept: of a broadcast and a link (0: opens, -1: any link) the number of mails that a reader
    used, of those that only a machine did, and how often in all."""

    __tablename__ = "use_sum"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    link: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    readers: Mapped[int] = mapped_column(default=0)
    machines: Mapped[int] = mapped_column(default=0)
    times: Mapped[int] = mapped_column(default=0)
