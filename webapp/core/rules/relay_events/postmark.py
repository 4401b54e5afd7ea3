"""Postmark. https://postmarkapp.com/developer/webhooks/webhooks-overview

It signs nothing: the password in the address is the proof. Its MessageID is its own, so mails are told apart by the Metadata that the
header X-PM-Metadata-mail-id becomes.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.rules.relay_events import passwords, reading

SOURCE = "postmark"

K = EventKind
BOUNCES = {
    "HardBounce": K.BOUNCED,
    "BadEmailAddress": K.BOUNCED,
    "ManuallyDeactivated": K.OTHER,
    "SoftBounce": K.SOFT_BOUNCED,
    "Transient": K.SOFT_BOUNCED,
    "DnsError": K.SOFT_BOUNCED,
    "Blocked": K.SOFT_BOUNCED,
    "Unknown": K.SOFT_BOUNCED,
    "SpamNotification": K.SOFT_BOUNCED,
    "VirusNotification": K.SOFT_BOUNCED,
    "DMARCPolicy": K.SOFT_BOUNCED,
    "Unconfirmed": K.SOFT_BOUNCED,
    "SMTPApiError": K.SOFT_BOUNCED,
    "SpamComplaint": K.COMPLAINED,
    "AutoResponder": K.ANSWERED,
    "AddressChange": K.ANSWERED,
    "ChallengeVerification": K.CHALLENGED,
    "Unsubscribe": K.UNSUBSCRIBED,
}
"""`Type` of a bounce: https://postmarkapp.com/developer/api/bounce-api#bounce-types. A filter's word
(SpamNotification) is no complaint of a person. What is not here is OTHER."""

SUPPRESSIONS = {"HardBounce": K.BOUNCED, "SpamComplaint": K.COMPLAINED}
TIMES = ("BouncedAt", "DeliveredAt", "ChangedAt", "ReceivedAt")


def verify(raw: bytes, headers: Mapping[str, str], key: str, now: datetime) -> None:
    """Refused without the password of which `key` is kept, or when the body is no JSON."""
    passwords.verify(headers, key)
    reading.parsed(raw)


def events(raw: bytes) -> list[RelayEvent]:
    """The one event of a call."""
    told = reading.some(reading.parsed(raw))
    record = reading.words(told.get("RecordType"), 40)
    kind, at = _kind(told, record), next((told[name] for name in TIMES if told.get(name)), None)
    address = told.get("Email") or told.get("Recipient")
    of = reading.mail(address, mail_id=reading.some(told.get("Metadata")).get("mail-id"))
    number = reading.words(told.get("ID"), 40)
    key = f"{record}.{number}" if number else reading.digest(record, told.get("MessageID"), address, at, kind)
    said = [reading.words(told.get(which)) for which in ("Details", "Description")]
    name, status = " ".join(filter(None, (record, reading.words(told.get("Type"), 40)))), reading.status_in(*said)
    words = next(filter(None, said), "")
    return [reading.event(kind, SOURCE, key, raw, name=name, said=words, status=status, at=reading.written(at), of=of)]


def _kind(told: Mapping[str, Any], record: str) -> EventKind:
    match record:
        case "Bounce":
            return BOUNCES.get(reading.words(told.get("Type"), 40), K.OTHER)
        case "SpamComplaint":
            return K.COMPLAINED
        case "Delivery":
            return K.DELIVERED
        case "SubscriptionChange" if told.get("SuppressSending") is True:
            reason = reading.words(told.get("SuppressionReason"), 40)
            if reason == "ManualSuppression" and told.get("Origin") == "Recipient":
                return K.UNSUBSCRIBED
            return SUPPRESSIONS.get(reason, K.OTHER)
    return K.OTHER
