"""What stands above all broadcasts. Written by `core/settings/limits.py` and `core/settings/receivers.py`."""

from sqlalchemy import JSON, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base


class SendingLimits(Base):
    """One row (id 1) once somebody has set limits; see `rules/limits.Limits` for their meaning. Its lock is that of the ceilings."""

    __tablename__ = "sending_limits"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    per_second: Mapped[int] = mapped_column(default=0)
    per_day: Mapped[int] = mapped_column(default=0)
    connections: Mapped[int] = mapped_column(default=0)
    retry_minutes: Mapped[list[float]] = mapped_column(JSON)
    retry_spread: Mapped[int]
    give_up_hours: Mapped[int]
    wait_minutes: Mapped[int] = mapped_column(default=720, server_default="720")

    __table_args__ = (CheckConstraint("id = 1 AND per_second >= 0 AND per_day >= 0 AND connections >= 0", name="sane"),)


class DomainLimit(Base):
    """A limit for a group of recipients' domains; see `rules/receivers.ReceiverLimit`. Rows of the ledger and uses of the pace name it by
    its id, so no id is ever given twice, and a limit for other domains is another row."""

    __tablename__ = "domain_limit"
    id: Mapped[int] = mapped_column(primary_key=True)
    domains: Mapped[list[str]] = mapped_column(JSON)
    mails: Mapped[int] = mapped_column(default=0)
    interval_s: Mapped[int] = mapped_column(default=1)
    connections: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        CheckConstraint("mails >= 0 AND connections >= 0 AND mails + connections > 0 AND interval_s > 0", name="sane"),
        {"sqlite_autoincrement": True},
    )
