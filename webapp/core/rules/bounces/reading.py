"""What a mail that came back says: one kind of event, with code, words and address, and what names the mail of ours that it speaks of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flufl.bounce import all_failures

from webapp.core.rules.bounces import answers, delivery_status, feedback, identity, structure, wordings
from webapp.core.rules.bounces.codes import ENHANCED, BounceFinding, judge
from webapp.core.rules.bounces.delivery_status import ReportedRecipient
from webapp.core.rules.bounces.structure import LARGEST, Returned
from webapp.core.rules.relay_event import LONGEST_WORDS, EventKind

__all__ = ["LARGEST", "BounceReading", "read"]


@dataclass(frozen=True, slots=True)
class BounceReading:
    """What a mail says. `status` is an enhanced code (RFC 3463), given or made of the words; `address` the recipient as it was reported;
    `marks` name mails of ours, each with what proves it (`identity.MARK`); `recipients` are the addresses that this mail was sent to,
    `own_id` is its own Message-ID."""

    kind: EventKind
    status: str = ""
    words: str = ""
    address: str = ""
    marks: Sequence[str] = ()
    recipients: Sequence[str] = ()
    own_id: str = ""


def read(raw: bytes) -> BounceReading:
    """Judge a mail. Never raises; looks at no more than `LARGEST` octets, in time that grows with them.

    Reports in a standard form come first. Then what a program says in the name of a person, unless it calls itself a mail system; then the
    forms that servers have of their own.
    """
    returned = structure.parsed(raw)
    kind, status, words, address = _judged(returned)
    return BounceReading(
        kind,
        status,
        " ".join(words.split())[:LONGEST_WORDS],
        address[:320],
        identity.marks(returned),
        identity.recipients(returned),
        returned.field("Message-ID")[:300],
    )


def _judged(returned: Returned) -> tuple[EventKind, str, str, str]:
    complaint = feedback.found_in(returned)
    if complaint is not None:
        kind = EventKind.COMPLAINED if complaint.is_complaint else EventKind.OTHER
        return kind, "", complaint.words, complaint.address
    if reported := delivery_status.recipients(returned):
        return _of_notification(returned, reported)
    failed = returned.field("X-Failed-Recipients")
    if not failed and next(returned.of_kind("message/disposition-notification"), None) is not None:
        return _of_disposition(returned)
    is_system = answers.is_from_a_mail_system(returned)
    if not failed and not is_system:
        if answers.is_challenge(returned):
            return EventKind.CHALLENGED, "", returned.field("Subject"), ""
        if answers.is_answer(returned):
            return EventKind.ANSWERED, "", returned.field("Subject"), ""
    found = _of_words(returned, failed)
    if found is not None:
        return found
    if answers.is_challenge(returned):
        return EventKind.CHALLENGED, "", returned.field("Subject"), ""
    return EventKind.OTHER, "", returned.field("Subject"), ""


_SEVERITY = (EventKind.BOUNCED, EventKind.SOFT_BOUNCED, EventKind.DELAYED, EventKind.DELIVERED)


def _of_notification(returned: Returned, reported: Sequence[ReportedRecipient]) -> tuple[EventKind, str, str, str]:
    """Ours have one recipient each, so several reported ones are what an address was expanded to: the worst of them is told."""
    judged = []
    for one in reported:
        kind = delivery_status.kind_of_action(one.action)
        said = one.diagnostic
        if kind is EventKind.DELIVERED:
            finding = BounceFinding(kind, one.status)
        else:
            if wordings.cause_of(said) is None and not _is_telling(one.status):
                said = f"{said} {_first_words(returned)}"
            finding = judge(one.status, said, is_final=kind is not EventKind.DELAYED)
        judged.append((_SEVERITY.index(finding.kind), finding, one))
    _, finding, one = min(judged, key=lambda entry: entry[0])
    return finding.kind, finding.status, one.diagnostic or _first_words(returned), one.address


def _is_telling(status: str) -> bool:
    found = ENHANCED.search(status)
    return bool(found) and found.group(2) not in ("0", "5", "3")  # type: ignore[union-attr]


def _of_disposition(returned: Returned) -> tuple[EventKind, str, str, str]:
    """A notification of what became of a mail in its mailbox (RFC 8098). Some servers say by one that the mailbox took nothing."""
    said = _first_words(returned)
    if re.search(r"automatically rejected|could not be delivered|over ?quota|quota exceeded", said, re.IGNORECASE):
        finding = judge("", said, is_final=True)
        return finding.kind, finding.status, said, _address_in(returned.own_text)
    return EventKind.ANSWERED, "", returned.field("Subject"), ""


def _of_words(returned: Returned, failed: str) -> tuple[EventKind, str, str, str] | None:
    """A server's own form: known to flufl.bounce, or plain by its subject and its words."""
    text = _without_original(returned.own_text)
    temporary, permanent = _by_known_forms(returned)
    is_return = bool(failed or temporary or permanent)
    is_return = is_return or wordings.is_subject_of_a_return(returned.field("Subject"))
    is_return = is_return or answers.is_from_a_mail_system(returned)
    if not is_return:
        return None
    said = _about_recipient(text)
    cause = wordings.cause_of(said) or wordings.cause_of(text)
    is_delayed = wordings.says_delayed(text) or (bool(temporary) and not permanent and cause is None)
    if cause is None and not (failed or temporary or permanent) and not is_delayed and not ENHANCED.search(said):
        return None
    whole = said if wordings.cause_of(said) else f"{said}\n{text}"
    finding = judge("", whole, is_final=not is_delayed)
    if cause is None and not finding.status and finding.kind is EventKind.SOFT_BOUNCED and permanent and not temporary:
        finding = BounceFinding(EventKind.BOUNCED, "5.0.0")
    address = failed.split(",")[0].strip(" <>") or next(iter(sorted(permanent | temporary)), "")
    address = address or _address_in(said) or _address_in(text)
    return finding.kind, finding.status, said or returned.field("Subject"), address


def _by_known_forms(returned: Returned) -> tuple[set[str], set[str]]:
    """Addresses that flufl.bounce finds refused for a while, and for good."""
    try:
        temporary, permanent = all_failures(returned.message)
    except Exception:  # its detectors read what strangers write, and what they stumble over is no bounce that they know
        return set(), set()
    return {_ascii(one) for one in temporary} - {""}, {_ascii(one) for one in permanent} - {""}


def _ascii(address: bytes | str) -> str:
    text = address.decode("ascii", "replace") if isinstance(address, bytes) else address
    return text if "@" in text else ""


_ADDRESS = re.compile(r"[^\s<>;,:\"'()\[\]]{1,64}@[^\s<>;,:\"'()\[\]]{1,255}")
_OF_A_HEADER = re.compile(r"[> |\t]*(?:[A-Za-z][A-Za-z0-9-]{1,40}:|[ \t]+\S)")
_SURELY = re.compile(
    r"[> |\t]*(?:message-id|mime-version|received|dkim-signature|return-path|x-[a-z-]+-id):", re.IGNORECASE
)


def _without_original(text: str) -> str:
    """The words without the mail that is quoted behind them, whose header ends them: what our mail says is not what the server says."""
    lines = text.split("\n")
    at = next((place for place, line in enumerate(lines) if _SURELY.match(line)), None)
    if at is None:
        return text
    while at and _OF_A_HEADER.match(lines[at - 1]):
        at -= 1
    return "\n".join(lines[:at])


def _about_recipient(text: str) -> str:
    """The lines that say why: those with a code or a known cause, and what stands beside the address; without what is quoted of ours."""
    text = _without_original(text)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    lines = [line for line in lines if line][:80]
    telling = [line for line in lines if ENHANCED.search(line) or re.search(r"(?<![\d.])[45]\d\d[ -]", line)]
    causes = [line for line in lines if wordings.cause_of(line)]
    return " ".join(dict.fromkeys([*telling[:4], *causes[:3]]))[: wordings.LONGEST]


def _first_words(returned: Returned) -> str:
    return _about_recipient(returned.own_text) or " ".join(returned.own_text[:300].split())


def _address_in(text: str) -> str:
    found = _ADDRESS.search(text)
    return found.group().rstrip(".") if found else ""
