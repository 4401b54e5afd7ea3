"""Whose fault is a reply? SMTP stage + reply -> what becomes of the delivery, and whether the relay itself is ill.

The first digit says whether an answer is final (RFC 5321 section 4.2.1), the subject of the enhanced code (RFC 3463 section 3) whose
fault it is: X.1 and X.2 the recipient's, X.3 to X.7 the relay's, the sender's or policy's. Nobody is marked failed for the latter.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal, NamedTuple

from webapp.core.rules.lifecycle import DeliveryState


class Stage(StrEnum):
    """The step of an SMTP conversation (RFC 5321) in which it ended. STARTTLS stands for the TLS handshake of port 465, too."""

    CONNECT = "connect"
    BANNER = "banner"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"
    RENDER = "render"

    __hash__ = str.__hash__  # that of Enum is a call in Python, and each mail looks up some stages


class Cause(StrEnum):
    """What took the place of a reply."""

    LOST = "connection_lost"
    UNREACHABLE = "unreachable"
    SILENT = "no_answer"
    GARBLED = "garbled_answer"
    CERTIFICATE = "bad_certificate"
    NOT_OFFERED = "not_offered"
    PLAINTEXT = "plaintext_sign_in"
    UNSENDABLE = "unsendable_address"
    ASCII_ONLY = "ascii_only"
    WITHDRAWN = "withdrawn"


class Reply(NamedTuple):
    """How an exchange ended: the stage, the relay's code and text (lines joined by a newline), or what took the reply's place.

    `code` is None when no usable reply came; `error` then says why in plain words ("connection lost", "no answer for 300 s") and
    `cause` says it to the program. Only stage DOT with code None leaves open whether the mail was taken.
    """

    stage: Stage
    code: int | None
    text: str
    error: str | None = None
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The judgement of a reply.

    `state` is the delivery's next one: accepted, deferred, held, failed, uncertain, or pending (it was never handed over: take it again
    freely). `reason` is a code of at most 40 characters, `words` the same for people. `scope` says whom it is about: an outcome of
    scope "relay" counts towards the breaker, and one that `opens_breaker` opens it at once. For a reply without a mail
    (`Exchange.trouble`) `state` means nothing.
    """

    state: DeliveryState
    reason: str
    scope: Literal["recipient", "relay"]
    words: str
    opens_breaker: bool = False


ACCEPTED = Outcome(DeliveryState.ACCEPTED, "accepted", "recipient", "accepted by the relay")

_ENHANCED = re.compile(r"\s*[245]\.([1-7])\.(\d{1,3})(?!\S)")
_ENHANCED_LAST = re.compile(r"\(#[245]\.([1-7])\.(\d{1,3})\)\s*$")
"""Where relays of the qmail family put it, against RFC 2034 section 4."""

_RELAYING = re.compile(r"\brelay(ing)?\b", re.IGNORECASE)
"""A refusal of RCPT that says this without an enhanced code is about who may use the relay, and holds for every recipient."""

_SENDER_DETAILS = frozenset({(1, 7), (1, 8)})
"""X.1.7 and X.1.8 speak of the sender's address, though their subject is "addressing"; Postfix gives them to RCPT."""
_TOO_BIG = (3, 4)
_POLICY = 7

_FAMILIES: dict[tuple[int, int], tuple[str, str]] = {
    (1, 1): ("no_such_mailbox", "no such mailbox"),
    (1, 2): ("no_such_domain", "no such domain"),
    (1, 3): ("bad_address", "the address cannot be used"),
    (1, 4): ("ambiguous_address", "the address is ambiguous"),
    (1, 6): ("mailbox_moved", "the mailbox has moved away"),
    (1, 7): ("sender_refused", "the relay refuses the sender's address"),
    (1, 8): ("sender_refused", "the relay refuses the sender's address"),
    (1, 10): ("domain_takes_no_mail", "the domain takes no mail"),
    (2, 1): ("mailbox_disabled", "the mailbox takes no mail"),
    (2, 2): ("mailbox_full", "mailbox full"),
    (2, 3): ("too_big_for_mailbox", "the mail is too big for the mailbox"),
    (2, 4): ("list_trouble", "the mailing list behind the address fails"),
    (3, 1): ("relay_full", "the relay's disk is full"),
    (3, 2): ("relay_closed", "the relay takes no mail at present"),
    (3, 4): ("too_big", "the mail is too big for the relay"),
    (4, 1): ("next_host_silent", "the relay does not reach the recipient's server"),
    (4, 3): ("directory_trouble", "the relay cannot look up the recipient's server"),
    (4, 4): ("no_route", "the relay knows no way to the recipient's server"),
    (4, 5): ("relay_busy", "the relay is busy"),
    (4, 6): ("mail_loop", "the mail runs in a loop"),
    (7, 8): ("sign_in_refused", "the relay refuses user name or password"),
    (7, 28): ("too_much_mail", "the relay finds this too much mail at a time"),
}
_SUBJECTS: dict[int, tuple[str, str]] = {
    1: ("address_refused", "the address is refused"),
    2: ("mailbox_trouble", "trouble with the mailbox"),
    3: ("relay_trouble", "trouble at the relay"),
    4: ("network_trouble", "the relay has trouble with the network"),
    5: ("protocol_trouble", "the relay does not understand us"),
    6: ("content_refused", "the relay refuses the content"),
    7: ("policy", "the relay refuses: policy"),
}
_NOT_NOW = ("recipient_not_now", "the recipient cannot be reached just now")
_CAUSES: dict[Cause, str] = {
    Cause.LOST: "connection lost before the mail was handed over",
    Cause.UNREACHABLE: "the relay cannot be reached",
    Cause.SILENT: "the relay did not answer in time",
    Cause.GARBLED: "the relay's answer was not understood",
    Cause.CERTIFICATE: "the relay's certificate is not to be trusted",
    Cause.NOT_OFFERED: "the relay does not offer what the settings demand",
    Cause.PLAINTEXT: "the password is not sent without encryption",
    Cause.UNSENDABLE: "the address has characters that cannot be sent",
    Cause.ASCII_ONLY: "the relay does not take addresses with letters outside ASCII",
    Cause.WITHDRAWN: "called back before it was handed over",
}
_FATAL = frozenset({Cause.CERTIFICATE, Cause.NOT_OFFERED, Cause.PLAINTEXT})
_MAILBOX_CODES = frozenset({550, 551, 553})


def judge(reply: Reply) -> Outcome:
    """What a reply means for its delivery and for the relay. Pure, total: any reply gets an outcome."""
    code = reply.code
    if code is None:
        return _without_code(reply.stage, reply.cause)
    if 200 <= code <= 299 and reply.stage is Stage.DOT:
        return ACCEPTED
    if not 400 <= code <= 599:
        return _without_code(reply.stage, Cause.GARBLED)
    enhanced = _ENHANCED.match(reply.text) or _ENHANCED_LAST.search(reply.text)
    subject, detail = (int(enhanced[1]), int(enhanced[2])) if enhanced else (0, 0)
    if not subject and code in _MAILBOX_CODES and _RELAYING.search(reply.text):
        subject = _POLICY
    return _refused(reply.stage, code, subject, detail)


def _without_code(stage: Stage, cause: Cause | None) -> Outcome:
    if stage is Stage.RENDER:
        return Outcome(DeliveryState.FAILED, "not_rendered", "recipient", "the mail could not be made")
    if stage is Stage.DOT:
        return Outcome(DeliveryState.UNCERTAIN, "no_final_answer", "relay", "no answer after the mail was handed over")
    cause = cause or Cause.LOST
    words = _CAUSES[cause]
    if cause in (Cause.UNSENDABLE, Cause.ASCII_ONLY):
        if stage is Stage.RCPT:
            return Outcome(DeliveryState.FAILED, cause.value, "recipient", words)
        return Outcome(DeliveryState.HELD, "sender_refused", "relay", words, opens_breaker=True)
    scope: Literal["recipient", "relay"] = "recipient" if cause is Cause.WITHDRAWN else "relay"
    return Outcome(DeliveryState.PENDING, cause.value, scope, words, opens_breaker=cause in _FATAL)


@lru_cache(maxsize=1024)
def _refused(stage: Stage, code: int, subject: int, detail: int) -> Outcome:
    final = code >= 500
    if (subject, detail) == _TOO_BIG or (code == 552 and stage is Stage.MAIL and not subject):
        reason, words = _FAMILIES[_TOO_BIG]  # RFC 1870 section 6: 552 answers the announced size
        return Outcome(DeliveryState.FAILED if final else DeliveryState.DEFERRED, reason, "recipient", words)
    if _recipients_fault(stage, code, subject, detail):
        if subject or final:
            reason, words = _in_words(subject or 1, detail)
        else:
            reason, words = _NOT_NOW
        return Outcome(DeliveryState.FAILED if final else DeliveryState.DEFERRED, reason, "recipient", words)
    sender = stage is Stage.MAIL or (subject, detail) in _SENDER_DETAILS
    if stage is Stage.AUTH and final:
        reason, words = _FAMILIES[7, 8]
    elif sender and (final or subject == 1) and code != 421:
        reason, words = _FAMILIES[1, 7]
    elif code == 421 and not subject:
        reason, words = _FAMILIES[3, 2]
    else:
        reason, words = _in_words(subject or 3, detail)
    at_once = final and (sender or stage is Stage.AUTH)
    return Outcome(DeliveryState.HELD, reason, "relay", words, opens_breaker=at_once)


def _recipients_fault(stage: Stage, code: int, subject: int, detail: int) -> bool:
    """Until RCPT nothing can be the recipient's fault; from there the subject decides, and the code where there is none."""
    if stage not in (Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT) or (subject, detail) in _SENDER_DETAILS:
        return False
    if subject:
        return subject <= 2
    return stage is Stage.RCPT and (code in _MAILBOX_CODES or (code < 500 and code != 421))


def _in_words(subject: int, detail: int) -> tuple[str, str]:
    return _FAMILIES.get((subject, detail)) or _SUBJECTS[subject]


WORDS: dict[str, str] = {
    ACCEPTED.reason: ACCEPTED.words,
    "not_rendered": "the mail could not be made",
    "no_final_answer": "no answer after the mail was handed over",
    **dict(_FAMILIES.values()),
    **dict(_SUBJECTS.values()),
    _NOT_NOW[0]: _NOT_NOW[1],
    **{cause.value: words for cause, words in _CAUSES.items()},
}
"""Every reason that `judge` may give, in words: what a stored reason is shown as."""
