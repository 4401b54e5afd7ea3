"""What an enhanced status code (RFC 3463) and the words beside it amount to: whether the address is dead, or only this mail came back.

A code that names its subject decides. One that says no more than "failed" (X.0.0, X.5.0 …), and one of policy, is read with the words
beside it, since servers disagree on which code a mailbox that is not there has.
"""

import re
from typing import NamedTuple

from webapp.core.rules.bounces import wordings
from webapp.core.rules.bounces.wordings import BounceCause
from webapp.core.rules.relay_event import EventKind

ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
BASIC = re.compile(r"(?<![\d.\w-])([45]\d\d)(?=[ \-:#]|$)")

_DEAD = {"1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2.1", "4.4", "4.310", "4.312"}
"""Subject and detail of codes that say there is no such address. 4.310 and 4.312 are Exchange's: no such domain."""

_SAYS_LITTLE = {"0.0", "2.0", "3.0", "3.5", "4.0", "5.0", "5.1", "5.4"}

_CODES = {
    BounceCause.NO_MAILBOX: "1.1",
    BounceCause.NO_DOMAIN: "1.2",
    BounceCause.DISABLED: "2.1",
    BounceCause.FULL: "2.2",
    BounceCause.TOO_LARGE: "3.4",
    BounceCause.LOOP: "4.6",
    BounceCause.EXPIRED: "4.7",
    BounceCause.POLICY: "7.1",
}


class BounceFinding(NamedTuple):
    """What became of a mail, with the code that says it best; "" where nothing does."""

    kind: EventKind
    status: str


def judge(status: str, words: str, *, is_final: bool) -> BounceFinding:
    """`status` as it was reported, "" for none; `is_final`: no further attempt is made.

    >>> judge("5.1.1", "", is_final=True)
    BounceFinding(kind=<EventKind.BOUNCED: 'bounced'>, status='5.1.1')
    >>> judge("5.0.0", "552 mailbox for zoe is full", is_final=True)
    BounceFinding(kind=<EventKind.SOFT_BOUNCED: 'soft_bounced'>, status='5.2.2')
    """
    code = best_code(status, words)
    if not is_final:
        return BounceFinding(EventKind.DELAYED, code)
    cause = wordings.cause_of(words)
    letter, _, rest = code.partition(".")
    if cause is not None and (not code or rest in _SAYS_LITTLE or _is_policy_of_a_mailbox(rest, cause)):
        letter = letter or ("4" if cause is BounceCause.EXPIRED else "5")
        rest = _CODES[cause]
        code = f"{letter}.{rest}"
    if letter == "4" and cause is not BounceCause.NO_DOMAIN:
        return BounceFinding(EventKind.SOFT_BOUNCED, code)
    if rest in _DEAD or cause is BounceCause.NO_DOMAIN:
        return BounceFinding(EventKind.BOUNCED, f"5.{rest}")
    is_vague = not rest or rest in ("0.0", "5.0", "5.1", "5.4", "3.0")
    return BounceFinding(EventKind.BOUNCED if is_vague and letter == "5" else EventKind.SOFT_BOUNCED, code)


def best_code(status: str, words: str) -> str:
    """The code that says most: that of the words where the reported one says little, else made of the reply's first three digits."""
    own = ENHANCED.search(status)
    code = ".".join(own.groups()) if own else ""
    if code and code.partition(".")[2] not in ("0.0", "3.0", "5.0"):
        return _plain(code)
    found = ENHANCED.search(words)
    if found and found.group(1) != "2":
        return _plain(".".join(found.groups()))
    if code:
        return _plain(code)
    basic = BASIC.search(words)
    return f"{basic.group(1)[0]}.0.0" if basic else ""


def _plain(code: str) -> str:
    return ".".join(str(int(part)) for part in code.split("."))


def _is_policy_of_a_mailbox(rest: str, cause: BounceCause) -> bool:
    """Whether a code of policy (X.7) or of delivery is used for what the words say of the mailbox."""
    return (rest == "4.1" or rest.startswith("7.")) and cause in (
        BounceCause.NO_MAILBOX,
        BounceCause.NO_DOMAIN,
        BounceCause.DISABLED,
    )


def in_plain_words(status: str) -> str:
    """What a code says, for people, without a capital or a full stop; "" for one that says nothing."""
    rest = status.partition(".")[2]
    return _WORDS.get(rest) or _SUBJECTS.get(rest.partition(".")[0], "")


_WORDS = {
    "1.0": "no such address",
    "1.1": "no such mailbox",
    "1.2": "no such domain",
    "1.3": "the address cannot be used",
    "1.4": "the address is ambiguous",
    "1.6": "the mailbox has moved",
    "1.10": "the domain takes no mail",
    "1.7": "the sender's address was refused",
    "1.8": "the sender's address was refused",
    "2.1": "the mailbox is disabled",
    "2.2": "the mailbox is full",
    "2.3": "the mail is too large",
    "3.4": "the mail is too large",
    "4.4": "no server takes mail for the domain",
    "4.310": "no such domain",
    "4.312": "no such domain",
    "4.6": "the mail went round in a circle",
    "4.14": "the mail went round in a circle",
    "4.7": "given up after days of trying",
    "4.300": "given up after days of trying",
    "4.316": "given up after days of trying",
}
_SUBJECTS = {
    "1": "the address was refused",
    "2": "the mailbox takes no mail at present",
    "3": "the recipient's server cannot take it",
    "4": "the recipient's server was not reached",
    "6": "the recipient's server could not read it",
    "7": "refused by the recipient's rules",
}
