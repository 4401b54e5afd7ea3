"""Why a delivery is in its state, in plain words: the stored reason, whoever gave it."""

from webapp.core.rules import outcome
from webapp.core.rules.lifecycle import DeliveryState, SkipReason

_OF_STATES = {
    DeliveryState.PENDING: "waits for its turn",
    DeliveryState.CLAIMED: "being handed to the relay",
    DeliveryState.HELD: "waits for the relay to recover",
    DeliveryState.DEFERRED: "not taken yet, tried again later",
    DeliveryState.FAILED: "refused for good",
    DeliveryState.UNCERTAIN: outcome.WORDS["no_final_answer"],
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
}


def in_words(state: DeliveryState, reason: str | None) -> str:
    """The reason of a delivery for people, without a capital or a full stop; "" for plain acceptance.

    A code that nobody knows any more is shown as it is, with blanks for underscores.
    """
    if reason is None or (state == DeliveryState.ACCEPTED and reason == outcome.ACCEPTED.reason):
        return _OF_STATES.get(state, "")
    if reason in _SKIPS:
        return SkipReason(reason).label
    return outcome.WORDS.get(reason) or _OF_THE_LEDGER.get(reason) or reason.replace("_", " ")
