"""Statuses in our words, in those of WHMCS and in German; yes and no."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from webapp.core.rules.normalise.value import NOTHING, Value, unknown
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.rules.texts import folded, shown

Status = TypeVar("Status", bound=StrEnum)
C, H = ClientStatus, HoldingStatus

CLIENT_WORDS = {
    "inactive": C.FREEZE,
    "closed": C.TERMINATE,
    "fraud": C.BLOCKED,
    "banned": C.BLOCKED,
    "block": C.BLOCKED,
    "frozen": C.FREEZE,
    "suspended": C.SUSPEND,
    "terminated": C.TERMINATE,
    "cancelled": C.TERMINATE,
    "canceled": C.TERMINATE,
    "deleted": C.TERMINATE,
    "unverified": C.PENDING,
    "aktiv": C.ACTIVE,
    "inaktiv": C.FREEZE,
    "ausstehend": C.PENDING,
    "gesperrt": C.BLOCKED,
    "blockiert": C.BLOCKED,
    "eingefroren": C.FREEZE,
    "ausgesetzt": C.SUSPEND,
    "gekundigt": C.TERMINATE,
    "beendet": C.TERMINATE,
    "geschlossen": C.TERMINATE,
}
HOLDING_WORDS = {
    "pending": H.INACTIVE,
    "completed": H.INACTIVE,
    "suspend": H.SUSPENDED,
    "terminate": H.TERMINATED,
    "cancelled": H.TERMINATED,
    "canceled": H.TERMINATED,
    "fraud": H.TERMINATED,
    "expired": H.TERMINATED,
    "aktiv": H.ACTIVE,
    "inaktiv": H.INACTIVE,
    "ausgesetzt": H.SUSPENDED,
    "gesperrt": H.SUSPENDED,
    "gekundigt": H.TERMINATED,
    "beendet": H.TERMINATED,
}
CLIENT_SUGGESTIONS = {
    "archived": C.TERMINATE,
    "delinquent": C.SUSPEND,
    "past due": C.ACTIVE,
    "trialing": C.ACTIVE,
    "in trial": C.ACTIVE,
    "non renewing": C.ACTIVE,
    "unpaid": C.SUSPEND,
    "paused": C.FREEZE,
    "on hold": C.FREEZE,
    "overdue": C.SUSPEND,
    "new": C.PENDING,
    "enabled": C.ACTIVE,
    "disabled": C.SUSPEND,
    "expired": C.TERMINATE,
}
HOLDING_SUGGESTIONS = {
    "pending transfer": H.INACTIVE,
    "pending registration": H.INACTIVE,
    "pending setup": H.INACTIVE,
    "failed setup": H.INACTIVE,
    "in review": H.INACTIVE,
    "incomplete": H.INACTIVE,
    "future": H.INACTIVE,
    "grace": H.ACTIVE,
    "grace period": H.ACTIVE,
    "failed renew": H.ACTIVE,
    "trialing": H.ACTIVE,
    "in trial": H.ACTIVE,
    "past due": H.ACTIVE,
    "non renewing": H.ACTIVE,
    "scheduled cancellation": H.ACTIVE,
    "redemption": H.SUSPENDED,
    "redemption period": H.SUSPENDED,
    "paused": H.SUSPENDED,
    "unpaid": H.SUSPENDED,
    "overdue": H.SUSPENDED,
    "on hold": H.SUSPENDED,
    "transferred away": H.TERMINATED,
    "incomplete expired": H.TERMINATED,
    "deleted": H.TERMINATED,
    "closed": H.TERMINATED,
    "enabled": H.ACTIVE,
    "disabled": H.SUSPENDED,
}
"""Words of billing panels and payment gateways that differ from ours too much to be read without asking."""
_YES = frozenset(["1", "y", "yes", "true", "t", "on", "x", "ja", "wahr", "oui", "si", "sim", "tak", "ano"])
_NO = frozenset(["0", "n", "no", "false", "f", "off", "nein", "falsch", "non", "nao", "nie", "ne"])


@lru_cache(maxsize=1024)
def client_status(text: str) -> Value[ClientStatus]:
    """A client's status. A word that is not one of ours, as WHMCS's "Closed", is read as ours with a note."""
    return _status(text, ClientStatus, CLIENT_WORDS)


@lru_cache(maxsize=1024)
def holding_status(text: str) -> Value[HoldingStatus]:
    """The status of a service or an addon."""
    return _status(text, HoldingStatus, HOLDING_WORDS)


@lru_cache(maxsize=1024)
def status_key(text: str) -> str:
    """The form in which status words are the same: "Pending Transfer", "pending_transfer" and "PENDING-TRANSFER"."""
    return " ".join(re.split(r"[\s_-]+", folded(text).strip(" _-")))


def suggested(kind: type[StrEnum], key: str) -> str:
    """What a word of another panel most likely means, by its key; "" if there is none. It is only proposed: a person says it."""
    return (CLIENT_SUGGESTIONS if kind is ClientStatus else HOLDING_SUGGESTIONS).get(key, "")


def _status(text: str, kind: type[Status], words: dict[str, Status]) -> Value[Status]:
    word = status_key(text)
    if not word:
        return NOTHING
    if word in {status.value for status in kind}:
        return Value(kind(word))
    if word in words:
        return Value(words[word], f"“{shown(text, 40)}” read as {words[word].value.capitalize()}")
    known = ", ".join(status.value.capitalize() for status in kind)
    return unknown(f"“{shown(text, 40)}” is not a status; known are {known}")


@lru_cache(maxsize=256)
def flag(text: str) -> Value[bool]:
    """Yes or no."""
    word = folded(text.strip())
    if not word:
        return NOTHING
    if word in _YES or word in _NO:
        return Value(word in _YES)
    return unknown(f"“{shown(text, 40)}” is neither yes nor no: left out")
