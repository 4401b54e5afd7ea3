"""Amazon SES, in messages of SNS (`sns.py`): the notifications of an identity, and the events of a configuration set.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html and .../dg/event-publishing-retrieving-sns-contents.html, which differ
in the name of one field. SES writes a Message-ID of its own; the first one stands in the headers it reports, if it is told to.
"""

from collections.abc import Mapping
from typing import Any

from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.rules.relay_events import reading, sns
from webapp.core.rules.relay_events.reading import Refused

SOURCE = "ses"

K = EventKind
BOUNCE_TYPES = {"Permanent": K.BOUNCED, "Transient": K.SOFT_BOUNCED, "Undetermined": K.SOFT_BOUNCED}
"""Of a permanent one with the subtype Suppressed or OnAccountSuppressionList SES has not even tried: it bounced before."""

NO_COMPLAINTS = frozenset({"not-spam", "auth-failure"})
"""Feedback types that are no complaint of a person (RFC 5965 section 7.3, RFC 6591)."""

PLACES = {
    "Bounce": ("bounce", "bouncedRecipients"),
    "Complaint": ("complaint", "complainedRecipients"),
    "Delivery": ("delivery", "recipients"),
    "DeliveryDelay": ("deliveryDelay", "delayedRecipients"),
    "Reject": ("reject", ""),
}
"""Where the kinds that are heeded say what, and of whom."""


def events(raw: bytes) -> list[RelayEvent]:
    """The events in a verified envelope, one for each recipient; none for what is about the subscription itself."""
    kind, told = sns.envelope(raw)
    if kind is not sns.Kind.NOTIFICATION:
        return []
    number = reading.words(told["MessageId"], 80)
    try:
        message = reading.some(reading.parsed(told["Message"].encode("utf-8", "replace")))
    except Refused:  # "Successfully validated SNS topic for Amazon SES event publishing."
        return [reading.event(None, SOURCE, number, raw, name=reading.words(told["Message"], 80))]
    return _events(message, number, raw)


def _events(message: Mapping[str, Any], number: str, raw: bytes) -> list[RelayEvent]:
    name = reading.words(message.get("eventType") or message.get("notificationType"), 40)
    mail = reading.some(message.get("mail"))
    field, place = PLACES.get(name, ("", ""))
    report = reading.some(message.get(field))
    kind = _kind(name, report)
    people = reading.listed(report.get(place)) or reading.listed(mail.get("destination"))[:1] or [None]
    if len(people) > reading.MOST_EVENTS:
        raise Refused("It is about more recipients than a mail can have.", is_final=True)
    at = reading.written(report.get("timestamp")) or reading.written(mail.get("timestamp"))
    found = []
    for index, one in enumerate(people):
        person = reading.some(one)
        status = reading.status_in(person.get("status"), person.get("diagnosticCode"))
        of, key = _mail(mail, person.get("emailAddress", one)), f"{number}.{index}"
        said = _words(report, person)
        found.append(reading.event(kind, SOURCE, key, raw, name=name, said=said, status=status, at=at, of=of))
    return found


def _kind(name: str, report: Mapping[str, Any]) -> EventKind | None:
    match name:
        case "Bounce":
            if report.get("bounceSubType") == "UnsubscribedRecipient":
                return K.UNSUBSCRIBED
            return BOUNCE_TYPES.get(reading.words(report.get("bounceType"), 40), K.SOFT_BOUNCED)
        case "Complaint":
            return None if reading.words(report.get("complaintFeedbackType"), 40) in NO_COMPLAINTS else K.COMPLAINED
        case "Delivery":
            return K.DELIVERED
        case "DeliveryDelay":
            return K.DELAYED
        case "Reject":
            return K.SOFT_BOUNCED
    return None


def _words(report: Mapping[str, Any], person: Mapping[str, Any]) -> str:
    said = (
        person.get("diagnosticCode"),
        report.get("smtpResponse"),
        report.get("reason"),
        report.get("complaintFeedbackType"),
    )
    types = " ".join(filter(None, (reading.words(report.get(which), 60) for which in ("bounceType", "bounceSubType"))))
    return next(filter(None, map(reading.words, said)), "") or types


def _mail(mail: Mapping[str, Any], address: object) -> reading.ReportedMail:
    """The mail as we know it: by its tag, in which a dot cannot stand, and by the headers that it had when SES took it."""
    tagged = reading.listed(reading.some(mail.get("tags")).get("mail-id"))
    found = reading.words(tagged[0], 80).replace("-", ".", 1) if tagged else ""
    first = reading.some(mail.get("commonHeaders")).get("messageId")
    for header in map(reading.some, reading.listed(mail.get("headers"))[:200]):
        match reading.words(header.get("name"), 40).lower():
            case "message-id":
                first = header.get("value")
            case "x-massmail-id":
                found = found or reading.words(header.get("value"), 80)
    return reading.mail(address, first, found)
