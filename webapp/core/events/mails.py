"""A mail that came back becomes an event."""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b

from sqlalchemy.orm import Session

from webapp.core.events.recording import Recorded, record
from webapp.core.rules.bounces import BounceReading, ReturnPath, read
from webapp.core.rules.relay_event import LARGEST_RAW, RelayEvent

SOURCE = "mail"

TokenReader = Callable[[str], int | None]
"""From the token in a return path to the delivery that it names; None for one that nobody made."""


def take(
    session: Session,
    raw: bytes,
    now: datetime,
    *,
    recipients: Sequence[str] = (),
    return_path: ReturnPath | None,
    token_reader: TokenReader,
) -> Recorded:
    """Record what a mail says that came back. `recipients` are those of its envelope, where they are known; else its header names them.

    The caller commits. The same mail again, by whichever way it comes, is known.
    """
    reading = read(raw)
    addresses = [*recipients, *reading.recipients]
    delivery_id = return_path.delivery_in(addresses, token_reader) if return_path else None
    return record(session, event_of(reading, raw, delivery_id), now)


def event_of(reading: BounceReading, raw: bytes, delivery_id: int | None) -> RelayEvent:
    """What the mail says, as an event. It bears no time of its own: that of its header is a stranger's."""
    own = f"{reading.own_id} {reading.kind} {reading.address}" if reading.own_id else ""
    key = blake2b(own.encode("utf-8", "replace") or raw, digest_size=24).hexdigest()
    return RelayEvent(
        reading.kind,
        SOURCE,
        key,
        address=reading.address,
        message_id=" ".join(reading.marks),
        delivery_id=delivery_id,
        status=reading.status,
        words=reading.words,
        raw=raw[:LARGEST_RAW],
    )
