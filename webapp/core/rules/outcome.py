"""Whose fault may a reply be? SMTP stage + reply -> what becomes of the delivery, as far as this one reply can tell.

The first digit says whether an answer is final (RFC 5321 section 4.2.1), the subject of the enhanced code (RFC 3463 section 3) whose
fault it may be: X.1 and X.2 are the recipient's, what comes before RCPT is the relay's, and X.3 to X.7 from there on may be either's.
That is decided by evidence: what the relay does with the mails of others, in `rules/evidence.py`. The words of a reply never decide alone.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

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


class Blame(StrEnum):
    """Whose fault a reply is, or may be."""

    RECIPIENT = "recipient"
    RELAY = "relay"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The judgement of a reply.

    `state` is the delivery's next one: accepted, deferred, held, failed, uncertain, or pending (it was never handed over: take it again
    freely). What may be either's is held, parked until the evidence decides. `reason` is a code of at most 40 characters, `words` the same
    for people. `is_final`: the relay would say it again (a 5xx answer, a bad certificate). For a reply without a mail
    (`Exchange.trouble`) `state` means nothing.
    """

    state: DeliveryState
    reason: str
    blame: Blame
    words: str
    is_final: bool = False

    def as_recipients(self) -> "Outcome":
        """What may be either's, once it is known to be the recipient's."""
        state = DeliveryState.FAILED if self.is_final else DeliveryState.DEFERRED
        return replace(self, state=state, blame=Blame.RECIPIENT)


ACCEPTED = Outcome(DeliveryState.ACCEPTED, "accepted", Blame.RECIPIENT, "accepted by the relay")

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
_AT_ONCE = frozenset({450, 451, 452, 550, 551, 552, 553})
"""Codes that without an enhanced one speak of the mailbox when they answer RCPT (RFC 5321 section 4.2.3; 552: it is full)."""

_DEMANDS_TLS = re.compile(r"\b(starttls|tls|ssl|encrypt\w*)\b", re.IGNORECASE)
_DEMANDS: dict[str, str] = {
    "tls_demanded": "the relay demands TLS: set MAIL_USE_TLS",
    "sign_in_demanded": "the relay demands a sign-in: set MAIL_USERNAME and MAIL_PASSWORD",
}


def judge(reply: Reply) -> Outcome:
    """What a reply means for its delivery, and whose fault it may be. Pure, total: any reply gets an outcome."""
    code = reply.code
    if code is None:
        return _without_code(reply.stage, reply.cause)
    if 200 <= code <= 299 and reply.stage is Stage.DOT:
        return ACCEPTED
    if not 400 <= code <= 599:
        return _without_code(reply.stage, Cause.GARBLED)
    enhanced = _ENHANCED.match(reply.text) or _ENHANCED_LAST.search(reply.text)
    subject, detail = (int(enhanced[1]), int(enhanced[2])) if enhanced else (0, 0)
    if not subject and code in _AT_ONCE and code >= 500 and _RELAYING.search(reply.text):
        subject = _POLICY
    if reply.stage is Stage.MAIL and code in (
        503,
        530,
    ):  # RFC 4954 section 6, RFC 3207 section 4; what is missing say only the words
        reason = "tls_demanded" if _DEMANDS_TLS.search(reply.text) else "sign_in_demanded"
        return Outcome(DeliveryState.HELD, reason, Blame.RELAY, _DEMANDS[reason], is_final=True)
    return _refused(reply.stage, code, subject, detail)


def _without_code(stage: Stage, cause: Cause | None) -> Outcome:
    if stage is Stage.RENDER:
        words = "the mail could not be made"
        return Outcome(DeliveryState.FAILED, "not_rendered", Blame.RECIPIENT, words, is_final=True)
    if stage is Stage.DOT:
        words = "no answer after the mail was handed over"
        return Outcome(DeliveryState.UNCERTAIN, "no_final_answer", Blame.RELAY, words)
    cause = cause or Cause.LOST
    words = _CAUSES[cause]
    if cause in (Cause.UNSENDABLE, Cause.ASCII_ONLY):
        if stage is Stage.RCPT:
            return Outcome(DeliveryState.FAILED, cause.value, Blame.RECIPIENT, words, is_final=True)
        return Outcome(DeliveryState.HELD, "sender_refused", Blame.RELAY, words, is_final=True)
    blame = Blame.RECIPIENT if cause is Cause.WITHDRAWN else Blame.RELAY
    return Outcome(DeliveryState.PENDING, cause.value, blame, words, is_final=cause in _FATAL)


@lru_cache(maxsize=1024)
def _refused(stage: Stage, code: int, subject: int, detail: int) -> Outcome:
    final = code >= 500
    if (subject, detail) == _TOO_BIG or (code == 552 and stage is Stage.MAIL and not subject):
        reason, words = _FAMILIES[_TOO_BIG]  # RFC 1870 section 6: 552 answers the announced size
        return Outcome(DeliveryState.HELD, reason, Blame.EITHER, words, final)
    blame = _blame(stage, code, subject, detail)
    if blame is Blame.RECIPIENT:
        if code == 552 and not subject:
            subject, detail = 2, 2
        reason, words = _in_words(subject or 1, detail) if subject or final else _NOT_NOW
        return Outcome(DeliveryState.FAILED if final else DeliveryState.DEFERRED, reason, blame, words, final)
    sender = stage is Stage.MAIL or (subject, detail) in _SENDER_DETAILS
    if stage is Stage.AUTH and final:
        reason, words = _FAMILIES[7, 8]
    elif sender and (final or subject == 1) and code != 421:
        reason, words = _FAMILIES[1, 7]
    elif code == 421 and not subject:
        reason, words = _FAMILIES[3, 2]
    else:
        reason, words = _in_words(subject or 3, detail)
    return Outcome(DeliveryState.HELD, reason, blame, words, final)


def _blame(stage: Stage, code: int, subject: int, detail: int) -> Blame:
    """Until RCPT nothing can be the recipient's fault; from there the subject decides, and the code where there is none."""
    if stage not in (Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT) or (subject, detail) in _SENDER_DETAILS:
        return Blame.RELAY
    if subject in (1, 2) or (not subject and stage is Stage.RCPT and code in _AT_ONCE):
        return Blame.RECIPIENT
    # "Not yet" to one recipient by policy is greylisting (RFC 6647 section 4.1): whoever comes first gets it, so nobody else is evidence.
    if subject == _POLICY and stage is Stage.RCPT and code in _AT_ONCE and code < 500:
        return Blame.RECIPIENT
    return Blame.EITHER


def _in_words(subject: int, detail: int) -> tuple[str, str]:
    return _FAMILIES.get((subject, detail)) or _SUBJECTS[subject]


REASON_WORDS: dict[str, str] = {
    ACCEPTED.reason: ACCEPTED.words,
    "not_rendered": "the mail could not be made",
    "no_final_answer": "no answer after the mail was handed over",
    **dict(_FAMILIES.values()),
    **dict(_SUBJECTS.values()),
    _NOT_NOW[0]: _NOT_NOW[1],
    **_DEMANDS,
    **{cause.value: words for cause, words in _CAUSES.items()},
}
"""Every reason that `judge` may give, in words: what a stored reason is shown as."""
