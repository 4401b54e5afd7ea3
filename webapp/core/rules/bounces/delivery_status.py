"""Delivery status notifications (RFC 3464; RFC 6533 for addresses outside ASCII): what became of a mail, by recipient."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message

from webapp.core.rules.bounces.structure import MOST_PARTS, Returned, field_of, text_of
from webapp.core.rules.relay_event import EventKind

KINDS = ("message/delivery-status", "message/global-delivery-status")

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*(?:\n[ \t]+\S.*)*)", re.M)
_TYPED = re.compile(r"^\s*[A-Za-z0-9-]{1,30}\s*;\s*")
_ADDRESS = re.compile(r"[^\s<>;,\"()]{1,64}@[^\s<>;,\"()]{1,255}")


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient of a notification. `action` is the first word of its field, in lower case."""

    action: str
    status: str
    address: str
    diagnostic: str


def recipients(returned: Returned) -> Sequence[ReportedRecipient]:
    """Those who are reported of, in their order; none where it is no such notification."""
    found = [block for part in returned.of_kind(*KINDS) for block in _blocks(part)]
    return [_recipient(fields) for fields in found[:MOST_PARTS] if "action" in fields or "status" in fields]


def kind_of_action(action: str) -> EventKind | None:
    """What an action other than a failure amounts to (RFC 3464 section 2.3.3)."""
    if action in ("delivered", "relayed", "expanded"):
        return EventKind.DELIVERED
    return EventKind.DELAYED if action == "delayed" else None


def _recipient(fields: Mapping[str, str]) -> ReportedRecipient:
    address = next(
        (
            found.group().strip("'.")
            for name in ("original-recipient", "final-recipient", "x-actual-recipient")
            if (found := _ADDRESS.search(_TYPED.sub("", fields.get(name, ""))))
        ),
        "",
    )
    diagnostic = _TYPED.sub("", fields.get("diagnostic-code", "")) or fields.get("x-supplementary-info", "")
    action = fields.get("action", "").strip().lower()
    word = re.match(r"[a-z]+", action)
    status = fields.get("status", "").strip()
    if not word and status[:1] == "2":
        return ReportedRecipient("delivered", status, address, diagnostic)
    return ReportedRecipient(word.group() if word else "failed", status, address, " ".join(diagnostic.split()))


def _blocks(part: Message) -> Iterator[Mapping[str, str]]:
    """The groups of fields of a part: the first is the message's, each further one a recipient's; some servers leave the blank line out."""
    if part.is_multipart():
        for block in part.get_payload():
            if isinstance(block, Message):
                fields = {str(name).lower(): field_of(block, str(name)) for name in block.keys()[:40]}
                yield fields
                # What follows a line that is no field is read by the parser as the block's text.
                if not block.is_multipart() and (rest := str(block.get_payload() or "").strip()):
                    yield from _blocks_of_text(rest)
    else:
        yield from _blocks_of_text(text_of(part))


def _blocks_of_text(text: str) -> Iterator[Mapping[str, str]]:
    for group in re.split(r"\n[ \t]*\n", text)[:MOST_PARTS]:
        yield {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(group)}
