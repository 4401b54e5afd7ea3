"""Links from a pattern, which are tags. Written by `core/settings/tag_links.py`."""

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, UtcDateTime


class TagLink(Base):
    """`{{ name }}` in a message, from `made_at` to before `ended_at`; `rules/message/pattern_links.py` says what may stand in it.

    A row never changes: another pattern is another row, so that mails of a broadcast that started before say what they said then.
    """

    __tablename__ = "tag_link"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(80))
    pattern: Mapped[str] = mapped_column(String(1000))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "uq_tag_link_name",
            "name",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
