"""The states of broadcasts and deliveries, and the only legal transitions between them.

The database enforces the same tables (see `core/tables/triggers.py`); nothing else in the program lists them again.
"""

from enum import StrEnum


class BroadcastState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    NEEDS_ATTENTION = "needs_attention"
    FINISHED = "finished"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


class DeliveryState(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    HELD = "held"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


B, D = BroadcastState, DeliveryState

BROADCAST_TRANSITIONS: dict[BroadcastState, frozenset[BroadcastState]] = {
    B.DRAFT: frozenset({B.SCHEDULED, B.CANCELLED}),
    B.SCHEDULED: frozenset({B.DRAFT, B.SENDING, B.CANCELLED}),
    B.SENDING: frozenset({B.PAUSED, B.NEEDS_ATTENTION, B.FINISHED, B.CANCELLED}),
    B.PAUSED: frozenset({B.SENDING, B.CANCELLED}),
    B.NEEDS_ATTENTION: frozenset({B.SENDING, B.FINISHED, B.CANCELLED}),
    B.FINISHED: frozenset({B.SENDING}),
    B.CANCELLED: frozenset(),
}

DELIVERY_TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    D.PENDING: frozenset({D.CLAIMED, D.SUPPRESSED, D.CANCELLED, D.FAILED}),
    D.CLAIMED: frozenset({D.ACCEPTED, D.DEFERRED, D.HELD, D.FAILED, D.UNCERTAIN, D.PENDING}),
    D.DEFERRED: frozenset({D.PENDING, D.CLAIMED, D.SUPPRESSED, D.CANCELLED, D.FAILED}),
    D.HELD: frozenset({D.PENDING, D.CLAIMED, D.DEFERRED, D.SUPPRESSED, D.CANCELLED, D.FAILED}),
    D.UNCERTAIN: frozenset({D.PENDING, D.ACCEPTED, D.FAILED, D.CANCELLED}),
    D.ACCEPTED: frozenset(),
    D.FAILED: frozenset({D.PENDING, D.HELD}),
    D.SKIPPED: frozenset(),
    D.SUPPRESSED: frozenset(),
    D.CANCELLED: frozenset(),
}

CHANGEABLE = frozenset({B.DRAFT})
"""States in which content, audience, start and pace may be edited. What is scheduled becomes a draft first, when somebody says so."""

NOT_BEGUN = frozenset({B.DRAFT, B.SCHEDULED})
"""States in which nobody can have got anything yet."""

BORN = frozenset({D.PENDING, D.SKIPPED})
"""States in which a delivery may be inserted, at the freeze."""

OPEN = frozenset({D.PENDING, D.CLAIMED, D.DEFERRED, D.HELD})
"""States from which the sender still has work to do."""

WAITING = frozenset({D.PENDING, D.DEFERRED, D.HELD})
"""Open, and not in the hands of a sender: what a cancel takes back."""


class SkipReason(StrEnum):
    """Why a matching client gets no mail, decided at the freeze. `label` is shown in the console."""

    NO_ADDRESS = "no_address"
    INVALID_ADDRESS = "invalid_address"
    SAME_ADDRESS = "same_address"
    OPTED_OUT = "opted_out"
    SUPPRESSED = "suppressed"
    WITHOUT_TEXT = "without_text"
    LEFT_OUT = "left_out"
    NO_FILE = "no_file"

    @property
    def label(self) -> str:
        return {
            SkipReason.NO_ADDRESS: "no address",
            SkipReason.INVALID_ADDRESS: "address cannot be used",
            SkipReason.SAME_ADDRESS: "same address as another recipient",
            SkipReason.OPTED_OUT: "declined marketing",
            SkipReason.SUPPRESSED: "address is suppressed",
            SkipReason.WITHOUT_TEXT: "no text in the client’s language",
            SkipReason.LEFT_OUT: "left out by hand",
            SkipReason.NO_FILE: "no file of their own",
        }[self]
