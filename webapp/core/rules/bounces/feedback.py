"""Complaints as providers forward them: the abuse reporting format (RFC 5965)."""

import re
from dataclasses import dataclass

from webapp.core.rules.bounces.structure import Returned, text_of

KIND = "message/feedback-report"

COMPLAINTS = {"abuse", "fraud", "opt-out", "opt-out-list", "other", "virus", "miscategorized"}
"""Types of feedback (RFC 5965 section 7.3, RFC 6430) that say that somebody does not want such mails; not-spam says the opposite, and
auth-failure (RFC 6591) speaks of signatures."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A report: its type in lower case, and the recipient as far as the provider tells, which many do not."""

    type: str
    address: str
    words: str

    @property
    def is_complaint(self) -> bool:
        return self.type in COMPLAINTS


_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*(?:\n[ \t]+\S.*)*)", re.M)
_ADDRESS = re.compile(r"[^\s<>;,\"()]{1,64}@[^\s<>;,\"()]{1,255}")


def found_in(returned: Returned) -> Feedback | None:
    """The report that a mail is; None where it is none. One whose type is missing counts as abuse: that is what such reports are for."""
    part = next(returned.of_kind(KIND), None)
    if part is None:
        return _older_form(returned)
    if part.is_multipart():
        inner = part.get_payload()
        text = inner[0].as_string() if isinstance(inner, list) and inner else ""  # type: ignore[union-attr]
    else:
        text = text_of(part)
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(text[:20_000]):
        fields.setdefault(name.lower(), " ".join(value.split()))
    address = _ADDRESS.search(fields.get("original-rcpt-to", "") or fields.get("removal-recipient", ""))
    kind = fields.get("feedback-type", "abuse").lower().split(" ")[0]
    agent = fields.get("user-agent", "")
    return Feedback(kind, address.group() if address else "", f"{kind} report{f' of {agent}' if agent else ''}")


def _older_form(returned: Returned) -> Feedback | None:
    """Complaints of providers that attach the mail without a report: a field of their own says what it is."""
    if returned.field("X-HmXmrOriginalRecipient"):
        return Feedback("abuse", returned.field("X-HmXmrOriginalRecipient"), "abuse report")
    loop, subject = returned.field("X-Loop").lower(), returned.field("Subject").lower()
    if loop == "scomp" or subject.startswith("email feedback report for ip "):
        return Feedback("abuse", "", "abuse report")
    return None
