"""Stamps by which a copy of the clients in memory knows what has changed. Written by the database itself, with triggers."""

from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, BigId

BLOCK_BITS = 14
"""Clients are stamped in blocks of 16,384 consecutive ids."""

ADDRESSES, SUPPRESSIONS = -1, -2
"""Stand in the place of a block: any client's address changed; the suppressions or who declined a topic changed."""


class AudienceStamp(Base):
    """A block's stamps differ whenever anything has changed by which its clients can be filtered: their country, language, status,
    address, choice of marketing or holdings.

    `stamp` never comes twice. `writer` is the writing transaction on PostgreSQL, where each has rows of its own so that none waits
    for another (and clears away those of finished ones), and 0 on SQLite, which has one writer at a time.
    """

    __tablename__ = "audience_stamp"
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    writer: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    stamp: Mapped[int] = mapped_column(BigId)
