"""The return path of each mail (MAIL FROM), by which a bounce names the delivery whatever else it says."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from webapp.core.consent import tokens
from webapp.core.consent.tokens import TokenPurpose, Tokens
from webapp.core.rules.bounces import ReturnPath
from webapp.core.tables.broadcasts import Broadcast


def maker(session: Session, broadcast: Broadcast, pattern: ReturnPath | None) -> Callable[[int], str] | None:
    """What makes the return path of a delivery of this broadcast; None where they are the sender's own: without a pattern, and before the
    broadcast has started, when its mails are previews and tests."""
    if pattern is None or broadcast.started_at is None:
        return None
    key = tokens.key_of(session, broadcast.started_at)
    token_of = Tokens(key.id, key.secret, TokenPurpose.BOUNCE).of
    before, after = pattern.before, pattern.after
    return lambda delivery_id: f"{before}{token_of(delivery_id)}{after}"
