"""SendGrid. https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features

A list of events, signed as a whole: ECDSA with P-256 and SHA-256 over the time and the body as it came, with the key whose public half
SendGrid shows.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.rules.relay_events import reading
from webapp.core.rules.relay_events.reading import Refused

SOURCE = "sendgrid"
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

LASTS = timedelta(hours=25)
"""SendGrid tries for 24 hours, and does not say whether it signs each time."""

EVENTS = {
    "delivered": EventKind.DELIVERED,
    "deferred": EventKind.DELAYED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
}
DROPPED = {
    "bounced address": EventKind.BOUNCED,
    "invalid": EventKind.BOUNCED,
    "spam reporting address": EventKind.COMPLAINED,
    "unsubscribed address": EventKind.UNSUBSCRIBED,
}
"""Why SendGrid did not even try. Other reasons (content, a limit) are about the mail."""


def public_key(text: str) -> ec.EllipticCurvePublicKey:
    """The verification key as SendGrid shows it: base64 of a SubjectPublicKeyInfo, with or without the lines of PEM. ValueError for
    anything else."""
    bare = "".join(re.sub(r"-----[A-Z ]+-----", "", text).split())
    try:
        key = load_der_public_key(base64.b64decode(bare, validate=True))
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("another kind of key")
    return key


def verify(raw: bytes, headers: Mapping[str, str], key: str, now: datetime) -> None:
    """Refused unless the signature is SendGrid's, whose public key is `key`."""
    signature, time = headers.get(SIGNATURE) or "", headers.get(TIMESTAMP) or ""
    if not signature or not time:
        raise Refused("It bears no signature of SendGrid's. Switch on “Signature verification” there.")
    try:
        signed = base64.b64decode(signature, validate=True)
        public_key(key).verify(signed, time.encode("latin-1", "replace") + raw, ec.ECDSA(SHA256()))
    except (ValueError, InvalidSignature):
        raise Refused("Its signature does not fit the verification key and what was sent.") from None
    reading.in_time(reading.instant(time), now, LASTS)


def events(raw: bytes) -> list[RelayEvent]:
    """The events of a call."""
    told = reading.parsed(raw)
    told = told if isinstance(told, list) else [told]
    if len(told) > reading.MOST_EVENTS:
        raise Refused("It has more events than one call can have.", is_final=True)
    return [_event(reading.some(one), reading.again(one)) for one in told]


def _event(told: Mapping[str, Any], raw: bytes) -> RelayEvent:
    key = reading.words(told.get("sg_event_id"), 200) or reading.digest_of(raw)
    said = reading.words(told.get("reason")) or reading.words(told.get("response"))
    status, at = reading.status_in(told.get("status"), said), reading.instant(told.get("timestamp"))
    of = reading.mail(told.get("email"), told.get("smtp-id"), told.get("mail-id"))
    name = reading.words(told.get("event"), 40)
    return reading.event(_kind(told), SOURCE, key, raw, name=name, said=said, status=status, at=at, of=of)


def _kind(told: Mapping[str, Any]) -> EventKind | None:
    match reading.words(told.get("event"), 40):
        case "bounce":
            return EventKind.BOUNCED if told.get("type", "bounce") == "bounce" else EventKind.SOFT_BOUNCED
        case "dropped":
            return DROPPED.get(reading.words(told.get("reason"), 60).lower(), EventKind.SOFT_BOUNCED)
        case name:
            return EVENTS.get(name)
