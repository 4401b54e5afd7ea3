"""What somebody reports of a mail after the relay took it: that it bounced, was complained about, was delivered. Bounces come as mails
(`rules/bounces/`), other reports from the relay's own interface; both end as a `RelayEvent`, which `core/events/` records."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_KEY, LONGEST_WORDS, LONGEST_STATUS, LARGEST_RAW = 200, 500, 12, 65_536
"""Characters of an event's key, its words and its status, and octets of what was received, that are kept."""

RAW_KEPT = timedelta(days=30)
"""So long what was received is kept; what it says stays."""


class EventKind(StrEnum):
    """What happened. BOUNCED: the address takes no mail and will not; SOFT_BOUNCED: this mail was returned, another may arrive;
    DELAYED: not taken yet, tried on; DELIVERED: the recipient's server took it; CHALLENGED and ANSWERED: a program asked or answered
    for the recipient. OTHER is anything else, kept and heeded by nobody."""

    BOUNCED = "bounced"
    SOFT_BOUNCED = "soft_bounced"
    DELAYED = "delayed"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    DELIVERED = "delivered"
    CHALLENGED = "challenged"
    ANSWERED = "answered"
    OTHER = "other"


class Fact(StrEnum):
    """What is counted of a delivery, once each: that its mail was returned, complained about, or delivered."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    DELIVERED = "delivered"

    @property
    def label(self) -> str:
        return self.value.capitalize()

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    Fact.BOUNCED: "The relay took the mail, and it came back later.",
    Fact.COMPLAINED: "The recipient called the mail spam.",
    Fact.DELIVERED: "The recipient's server took the mail, as a report says; of the others nobody knows.",
}

FACTS = {
    EventKind.BOUNCED: Fact.BOUNCED,
    EventKind.SOFT_BOUNCED: Fact.BOUNCED,
    EventKind.COMPLAINED: Fact.COMPLAINED,
    EventKind.DELIVERED: Fact.DELIVERED,
}
SHOWS_TAKEN = frozenset(EventKind) - {EventKind.OTHER}
"""Kinds that there cannot be of a mail which the relay did not take."""


@dataclass(frozen=True, slots=True)
class RelayEvent:
    """One report about one recipient of one mail.

    `source` is a short word for where it came from ("mail", "ses" …), `event_key` names it there: the same event never has two, so
    that a repeat is known. `at` is when it happened, if that was said. Of the mail it says as much as it knows: `delivery_id`, which
    must have been proved (by a token or a signature); `message_id`, without angle brackets, and `mail_id`, the content of our own X-…-Id
    field, which prove themselves; `address`, as it was written there. `is_authentic`: the source has proved who it is, so that its
    address counts even where it names no mail of ours. `status` is an enhanced code (RFC 3463), `words` what it said, `raw` what was
    received.
    """

    kind: EventKind
    source: str
    event_key: str
    at: datetime | None = None
    address: str = ""
    message_id: str = ""
    mail_id: str = ""
    delivery_id: int | None = None
    is_authentic: bool = False
    status: str = ""
    words: str = ""
    raw: bytes = b""
