"""Refusals for good that say that a mailbox is not there: how many of them it takes until its address is not mailed any more."""

from collections.abc import Mapping
from datetime import timedelta
from enum import IntEnum
from typing import Any

from webapp.core.rules import outcome

WITHIN = timedelta(days=30)
"""Two refusals count together when they are not further apart."""


class RefusalRule(IntEnum):
    """How many refusals it takes. Stored as its number."""

    NEVER = 0
    ONCE = 1
    TWICE = 2

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    RefusalRule.ONCE: "At once",
    RefusalRule.TWICE: f"At the second within {WITHIN.days} days",
    RefusalRule.NEVER: "Never",
}

USUAL: Mapping[str, RefusalRule] = {
    "no_such_mailbox": RefusalRule.ONCE,
    "mailbox_disabled": RefusalRule.TWICE,
    "domain_takes_no_mail": RefusalRule.TWICE,
}
"""The reasons (of `rules/outcome.py`) that count, each with the rule until somebody sets another. A mailbox that is not there does not come
back (RFC 3463, X.1.1); one that is disabled (X.2.1) and a domain without mail (X.1.10, RFC 7505) may be a mistake of a day."""


def rules_of(stored: Mapping[str, Any]) -> dict[str, RefusalRule]:
    """The rule for each reason, as set; one that is not set, or cannot be read, is the usual one."""
    numbers: dict[Any, RefusalRule] = {rule.value: rule for rule in RefusalRule}
    return {reason: numbers.get(stored.get(reason), usual) for reason, usual in USUAL.items()}


def label(reason: str) -> str:
    """A reason in words, as a heading has it."""
    words = outcome.REASON_WORDS[reason]
    return words[:1].upper() + words[1:]
