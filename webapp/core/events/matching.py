"""Which delivery an event speaks of. Nobody can have it speak of another's: a delivery is named by a token, by a source that has proved who
it is, or by a Message-ID whose second half only its broadcast's secret can make."""

from collections.abc import Iterator
from hmac import compare_digest

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.rules.bounces.identity import MARK
from webapp.core.rules.message import message_id
from webapp.core.rules.relay_event import RelayEvent
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import CLIENTS, Delivery

LARGEST_ID = 2**63


def find(session: Session, event: RelayEvent) -> Delivery | None:
    """The delivery, by its id where that was proved, else by the marks in its Message-ID and in our own field."""
    if event.delivery_id is not None and 0 < event.delivery_id < LARGEST_ID:
        found = session.get(Delivery, event.delivery_id)
        if found is not None:
            return found
    for delivery_id, mark in _marks(event):
        secret = session.scalar(select(Broadcast.secret).where(Broadcast.id == delivery_id // CLIENTS))
        if secret is not None and compare_digest(message_id(delivery_id, secret, "").rstrip("@"), mark):
            found = session.get(Delivery, delivery_id)
            if found is not None:
                return found
    return None


def _marks(event: RelayEvent) -> Iterator[tuple[int, str]]:
    for match in MARK.finditer(f"{event.message_id[:2_000]} {event.mail_id[:2_000]}"):
        number = int(match.group(1).partition(".")[0])
        if number < LARGEST_ID:
            yield number, match.group(1)
