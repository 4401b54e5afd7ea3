"""What this installation is, and whether it may send. Written by `core/settings/installation`."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, EnumText, UtcDateTime, one_of


class HoldKind(StrEnum):
    """Why everything is held: somebody said so, or mails have left of which this database does not know."""

    BY_HAND = "by_hand"
    RESTORED = "restored"


class Installation(Base):
    """One row (id 1). `database_id` is made with the database and goes with each copy of it. `generation` grows with each sign of life of
    a sending process, the last of them at `sent_at`; markers outside the database keep it, too (`core/settings/installation`).

    While `held_kind` is set nothing is sent but the broadcasts whose ids stand in `released`. `held_by` and `held_reason` are words for
    people. `marker_generation` and `marker_at` tell of the newest sending that a restored database does not know of. `restores` remembers
    those that were released: a list of {"known_until", "sent_until", "noticed_at", "by"}, instants in ISO 8601 (None: nobody knows).
    """

    __tablename__ = "installation"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    database_id: Mapped[str] = mapped_column(String(32))
    generation: Mapped[int] = mapped_column(BigInteger, default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_kind: Mapped[HoldKind | None] = mapped_column(EnumText(HoldKind))
    held_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_by: Mapped[str] = mapped_column(String(300), default="")
    held_reason: Mapped[str] = mapped_column(Text, default="")
    marker_generation: Mapped[int] = mapped_column(BigInteger, default=0)
    marker_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released: Mapped[list[int]] = mapped_column(JSON, default=list)
    restores: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)

    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("(held_kind IS NULL) = (held_at IS NULL)", name="held"),
        one_of("held_kind", HoldKind),
    )
