"""The record of test sends. Written by `core/content/trial_sends.py`."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.tables.base import Base, BigId, UtcDateTime


class TestSend(Base):
    """One mail of a test: who sent it, when, to whom, as whom, and of which broadcast, also after user or broadcast are gone. `is_accepted`
    is NULL until the relay has answered, and stays so where the process ended before; `answer` is in our words and the relay's. `variant`
    says as whom it was made where it is one of several ("longest name")."""

    __tablename__ = "test_send"
    __test__ = False  # no class of tests, whatever pytest thinks of its name
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id", ondelete="SET NULL"), index=True)
    broadcast_name: Mapped[str] = mapped_column(String(300))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    user_email: Mapped[str] = mapped_column(String(320))
    sender: Mapped[str] = mapped_column(String(600))
    address: Mapped[str] = mapped_column(String(320))
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    is_accepted: Mapped[bool | None]
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    variant: Mapped[str] = mapped_column(String(60), default="", server_default="")
