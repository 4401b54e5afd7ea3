"""Why a delivery is in its state, in plain words: the stored reason, whoever gave it."""

from datetime import datetime, timedelta

from webapp.core.rules import outcome
from webapp.core.rules.bounces.codes import in_plain_words
from webapp.core.rules.lifecycle import DeliveryState, SkipReason
from webapp.core.rules.relay_event import EventKind

_OF_STATES = {
    DeliveryState.PENDING: "waits for its turn",
    DeliveryState.CLAIMED: "being handed to the relay",
    DeliveryState.HELD: "waits for the relay to recover",
    DeliveryState.DEFERRED: "not taken yet, tried again later",
    DeliveryState.FAILED: "refused for good",
    DeliveryState.UNCERTAIN: outcome.REASON_WORDS["no_final_answer"],
    DeliveryState.SUPPRESSED: "the address was suppressed before it left",
    DeliveryState.CANCELLED: "cancelled before it left",
}
_SKIPS = frozenset(SkipReason)
_OF_THE_LEDGER = {
    "gave_up": "not taken at any attempt, given up",
    "failed_again": "it failed; an administrator has it sent again",
    "sent_again": "no answer came; an administrator has it sent again",
    "counted_accepted": "no answer came; an administrator counts it as accepted",
    "counted_failed": "no answer came; an administrator counts it as failed",
    "reported_taken": "no answer came; a later report shows that it was taken",
}


def in_words(state: DeliveryState, reason: str | None) -> str:
    """The reason of a delivery for people, without a capital or a full stop; "" for plain acceptance.

    A code that nobody knows any more is shown as it is, with blanks for underscores.
    """
    if reason is None or (state == DeliveryState.ACCEPTED and reason == outcome.ACCEPTED.reason):
        return _OF_STATES.get(state, "")
    if reason in _SKIPS:
        return SkipReason(reason).label
    return outcome.REASON_WORDS.get(reason) or _OF_THE_LEDGER.get(reason) or reason.replace("_", " ")


_REPORTS = {
    EventKind.BOUNCED: "bounced",
    EventKind.SOFT_BOUNCED: "bounced",
    EventKind.DELAYED: "delayed on its way",
    EventKind.COMPLAINED: "complained about",
    EventKind.UNSUBSCRIBED: "marketing declined",
    EventKind.DELIVERED: "delivered",
    EventKind.CHALLENGED: "the sender was asked to identify itself",
    EventKind.ANSWERED: "answered by a program",
    EventKind.OTHER: "another report",
}
_WITH_WHY = frozenset({EventKind.BOUNCED, EventKind.SOFT_BOUNCED, EventKind.DELAYED})


def reported(kind: EventKind, status: str, words: str, after: timedelta | None) -> str:
    """What was reported of a mail, so long after the relay took it (None: not known), without a capital or a full stop.

    >>> reported(EventKind.BOUNCED, "5.1.1", "550 5.1.1 User unknown", timedelta(seconds=185))
    'bounced after 3 min: no such mailbox'
    """
    said = _REPORTS[kind] + (f" {_how_soon(after)}" if after is not None else "")
    why = (in_plain_words(status) or " ".join(words.split())[:120]) if kind in _WITH_WHY else ""
    return f"{said}: {why}" if why else said


def taken_at(state: DeliveryState, changed_at: datetime, stamped_at: datetime | None) -> datetime | None:
    """When the relay took a mail, as well as its row tells; None for one that was never begun."""
    return changed_at if state is DeliveryState.ACCEPTED else stamped_at


def _how_soon(length: timedelta) -> str:
    seconds = length.total_seconds()
    if seconds < 1:
        return "at once"
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= (2 * size if unit == "days" else size):
            return f"after {seconds // size:.0f} {unit}"
    return f"after {seconds:.0f} s"
