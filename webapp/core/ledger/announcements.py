"""Announcements: senders that have mails in hand learn of a pause or cancel at once, not with their next group."""

from sqlalchemy import text
from sqlalchemy.orm import Session

CHANNEL = "broadcast"
"""PostgreSQL's notification channel; its payload is the broadcast's id. On SQLite senders watch the database's change counter."""


def announce(session: Session, broadcast_id: int) -> None:
    """Tell the senders, at the commit, that the broadcast's state has changed."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_notify(:channel, :id)"), {"channel": CHANNEL, "id": str(broadcast_id)})
