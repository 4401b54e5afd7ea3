"""Mailgun. https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks

The signature stands in the body and covers the time and a token, not the event. So it says who made it, and not what of: a token counts
for the body with which it came first, and for no other; `core/consent/event_sources.py` sees to that.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.rules.relay_events import reading
from webapp.core.rules.relay_events.reading import Refused

SOURCE = "mailgun"

LASTS = timedelta(hours=9)
"""Mailgun tries for 7.5 hours (5, 10, 15 min, 1, 2, 4 h), with the signature of the first time; five minutes would refuse all its repeats.
.../user-manual/webhooks/webhook-retries"""

LONGEST_TOKEN = 100

SEVERITIES = {"permanent": EventKind.BOUNCED, "temporary": EventKind.DELAYED}
EVENTS = {
    "delivered": EventKind.DELIVERED,
    "complained": EventKind.COMPLAINED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    "rejected": EventKind.SOFT_BOUNCED,
}
REASONS = {
    "suppress-bounce": EventKind.BOUNCED,
    "suppress-complaint": EventKind.COMPLAINED,
    "suppress-unsubscribe": EventKind.UNSUBSCRIBED,
    "old": EventKind.SOFT_BOUNCED,
}
"""What a failure's reason says better than its severity: it was not tried because of an earlier report, or for too long."""


def verify(raw: bytes, headers: Mapping[str, str], key: str, now: datetime) -> None:
    """Refused unless the signature is Mailgun's, by the HTTP webhook signing key `key`, of the account or of the one above it."""
    signed = reading.some(reading.some(reading.parsed(raw)).get("signature"))
    time, token = signed.get("timestamp"), signed.get("token")
    time = str(time) if isinstance(time, int) and not isinstance(time, bool) and 0 <= time < 1 << 40 else time
    if not isinstance(time, str) or not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
        raise Refused("It bears no signature of Mailgun's.")
    made = hmac.new(key.encode(), (time + token).encode("utf-8", "replace"), "sha256").hexdigest().encode()
    given = (signed.get("signature"), signed.get("parent-signature"))
    if not any(_is_same(made, one) for one in given):
        raise Refused("Its signature was not made with this signing key.")
    reading.in_time(reading.instant(time), now, LASTS)


def _is_same(made: bytes, given: object) -> bool:
    return isinstance(given, str) and hmac.compare_digest(made, given.encode("utf-8", "replace"))


def events(raw: bytes) -> list[RelayEvent]:
    """The one event of a call."""
    body = reading.some(reading.parsed(raw))
    key = reading.words(reading.some(body.get("signature")).get("token"), LONGEST_TOKEN) or reading.digest_of(raw)
    told = reading.some(body.get("event-data"))
    status = reading.some(told.get("delivery-status"))
    code = reading.status_in(status.get("enhanced-code"), status.get("message"), status.get("description"))
    reject = reading.some(told.get("reject"))
    said = (status.get("message"), status.get("description"), reject.get("reason"), told.get("reason"))
    kind, name = _kind(told, code), reading.words(told.get("event"), 40)
    words = next(filter(None, map(reading.words, said)), "")
    at = reading.instant(told.get("timestamp"))
    return [reading.event(kind, SOURCE, key, raw, name=name, said=words, status=code, at=at, of=_mail(told))]


def _kind(told: Mapping[str, Any], code: str) -> EventKind | None:
    name = reading.words(told.get("event"), 40)
    if name != "failed":
        return EVENTS.get(name)
    reason = REASONS.get(reading.words(told.get("reason"), 40))
    kind = reason or SEVERITIES.get(reading.words(told.get("severity"), 40), EventKind.SOFT_BOUNCED)
    # A permanent failure by policy (X.7), system (X.3) or content (X.6) says nothing about the mailbox (RFC 3463 section 3).
    if not reason and kind is EventKind.BOUNCED and code[:4] in ("5.7.", "5.3.", "5.6."):
        return EventKind.SOFT_BOUNCED
    return kind


def _mail(told: Mapping[str, Any]) -> reading.ReportedMail:
    headers = reading.some(reading.some(told.get("message")).get("headers"))
    mail_id = reading.some(told.get("user-variables")).get("mail-id")
    return reading.mail(told.get("recipient") or headers.get("to"), headers.get("message-id"), mail_id)
