"""What tests of declining share."""

from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from tests import engine, factories
from webapp.core.consent import tokens
from webapp.core.consent.tokens import TokenPurpose, Tokens
from webapp.core.rules.consent import Purpose
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import Topic


def topic(session: Session, name: str = "Events", **columns: Any) -> Topic:
    """A topic beside others of the test; those that come with the schema are gone."""
    session.execute(delete(Topic).where(Topic.name.in_(("Newsletter", "Product news", "Offers"))))
    row = Topic(name=name, **columns)
    session.add(row)
    session.flush()
    return row


def marketing(session: Session, mails: int = 3, **columns: Any) -> Broadcast:
    """A marketing broadcast to so many new clients who said yes, frozen and sending. Commits."""
    for _ in range(mails):
        factories.client(session, marketing_opt_in=True)
    return engine.sending_broadcast(session, 0, purpose=Purpose.MARKETING, **columns)


def token_of(session: Session, delivery_id: int, purpose: TokenPurpose = TokenPurpose.UNSUBSCRIBE) -> str:
    """The token that the mail of a delivery has."""
    broadcast = session.get_one(Broadcast, delivery_id >> 32)
    assert broadcast.started_at is not None
    key = tokens.key_of(session, broadcast.started_at)
    return Tokens(key.id, key.secret, purpose).of(delivery_id)
