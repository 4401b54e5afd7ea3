"""Brevo. https://developers.brevo.com/docs/transactional-webhooks

It signs nothing: the token, or the password in the address, is the proof (.../docs/secured-webhooks). One event a call, or a list of up to
500 (.../docs/batch-webhooks). It names no events, so an event's name is made of what tells it from others.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.rules.relay_events import passwords, reading
from webapp.core.rules.relay_events.reading import Refused

SOURCE = "brevo"

EVENTS = {
    "hard_bounce": EventKind.BOUNCED,
    "invalid_email": EventKind.BOUNCED,
    "invalid": EventKind.BOUNCED,
    "soft_bounce": EventKind.SOFT_BOUNCED,
    "blocked": EventKind.SOFT_BOUNCED,
    "error": EventKind.SOFT_BOUNCED,
    "deferred": EventKind.DELAYED,
    "spam": EventKind.COMPLAINED,
    "complaint": EventKind.COMPLAINED,
    "delivered": EventKind.DELIVERED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
}


def verify(raw: bytes, headers: Mapping[str, str], key: str, now: datetime) -> None:
    """Refused without the token of which `key` is kept, or when the body is no JSON."""
    passwords.verify(headers, key)
    reading.parsed(raw)


def events(raw: bytes) -> list[RelayEvent]:
    """The events of a call, one or many."""
    told = reading.parsed(raw)
    if not isinstance(told, list):
        return [_event(told, raw)]
    if len(told) > reading.MOST_EVENTS:
        raise Refused("It has more events than one call can have.", is_final=True)
    return [_event(one, reading.again(one)) for one in told]


def _event(given: object, raw: bytes) -> RelayEvent:
    told: Mapping[str, Any] = reading.some(given)
    name = reading.words(told.get("event"), 40)
    times = [told.get(which) for which in ("ts_event", "ts", "ts_epoch", "date")]
    key = reading.digest(name, told.get("message-id"), told.get("email"), *times) if told else reading.digest_of(raw)
    of = reading.mail(told.get("email"), told.get("message-id"), told.get("X-Mailin-custom"))
    said = reading.words(told.get("reason"))
    status, at = reading.status_in(said), reading.instant(times[0])
    return reading.event(EVENTS.get(name), SOURCE, key, raw, name=name, said=said, status=status, at=at, of=of)
