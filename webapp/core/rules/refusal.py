"""A refusal: what the relay said of one recipient, in words that can be compared with those of others."""

import re
from typing import NamedTuple

from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import Blame, Cause, Outcome, Reply, Stage

LONGEST_WORDS = 500

_NUMBERS = re.compile(r"\b(?=\w*\d)[\w-]{4,}\b|\d+")
_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@,;:]+>?")


class Addressee(NamedTuple):
    """Whom a mail was for: the delivery, the domain of the address, and which attempt it was (from 1)."""

    delivery_id: int
    domain: str
    attempt: int


class Refusal(NamedTuple):
    """A recipient's refusal since the last mail that was taken. `key` is the same for equal words, `words` are the relay's and what they
    mean. `is_parked`: it may be either's fault."""

    delivery_id: int
    domain: str
    key: str
    words: str
    attempt: int
    is_parked: bool
    is_final: bool


def refusal_of(outcome: Outcome, reply: Reply, recipient: Addressee) -> Refusal | None:
    """What did not go well as a refusal; None where it tells nothing about anybody else: not yet, or our own judgement of an address."""
    is_parked = outcome.blame is Blame.EITHER
    speaks = reply.code is not None or reply.stage is Stage.RENDER
    if not speaks or outcome.blame is Blame.RELAY or not (is_parked or outcome.state is DeliveryState.FAILED):
        return None
    words = in_relays_words(outcome, reply)[:LONGEST_WORDS]
    return Refusal(
        recipient.delivery_id,
        recipient.domain,
        equal_words(reply),
        words,
        recipient.attempt,
        is_parked,
        outcome.is_final,
    )


def equal_words(reply: Reply) -> str:
    """The same for answers that differ only in the address, in numbers and in codes made of letters and digits."""
    words = _NUMBERS.sub("#", _ADDRESS.sub("@", reply.text or reply.error or ""))
    return f"{reply.stage} {reply.code} {' '.join(words.lower().split())}"[:200]


def in_relays_words(outcome: Outcome, reply: Reply) -> str:
    """What it means, and what the relay itself said."""
    words = outcome.words[:1].upper() + outcome.words[1:]
    if reply.code is not None:
        return f"{words}. The relay said, at {reply.stage.value.upper()}: {reply.code} {reply.text}".strip()
    if reply.error:
        where = "" if reply.cause is Cause.UNREACHABLE else f" ({reply.stage.value})"
        return f"{words}{where}: {reply.error.removeprefix('cannot connect: ')}"
    return f"{words} ({reply.stage.value})"
