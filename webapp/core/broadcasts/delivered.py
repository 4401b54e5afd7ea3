"""One delivery's mail, byte for byte as it was handed to the relay, and its attempts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.consent.tokens import TokenPurpose, delivery_of
from webapp.core.content import tag_catalogue
from webapp.core.content.compiling import compiled
from webapp.core.errors import DomainError, NotFound
from webapp.core.rules import reasons
from webapp.core.rules.lifecycle import WAITING, BroadcastState, DeliveryState
from webapp.core.rules.message import Preview, decoded
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Attempt, Delivery

_UNMADE = {
    DeliveryState.CANCELLED: "the mass mail was cancelled before its turn came",
    DeliveryState.SUPPRESSED: "its address was suppressed before its turn came",
}
"""Why there is no mail, by the states in which a row may end without ever having been taken up."""


@dataclass(frozen=True, slots=True)
class LedgerMail:
    """`data` is the whole message (RFC 5322), `shown` what a mail program shows of it. Who looks at `shown` and follows its links is not
    counted, unless it was made for its recipient. `final`: these are the bytes that were or would be sent; otherwise the row was not taken
    up yet, and this is what it would be with the client's present data. `files` are the names of its attachments and about how many octets
    each has; the octets of these, and of pictures, follow after the first `own_octets`."""

    data: bytes
    shown: Preview
    final: bool
    files: tuple[tuple[str, int], ...] = ()
    own_octets: int | None = None

    def header(self, name: str) -> str:
        """The readable content of a field, "" if there is none."""
        return next((value for field, value in self.shown.headers if field == name), "")

    @property
    def source(self) -> str:
        """As text, without the octets of pictures and attachments."""
        text = self.data[: self.own_octets].decode("utf-8", "replace").replace("\r\n", "\n")
        left = len(self.data) - (self.own_octets or len(self.data))
        return f"{text}\n[{left:,} octets of pictures and attachments follow]\n" if left else text


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: what became of it, and the relay's own words."""

    number: int
    state: DeliveryState
    words: str
    reply: str
    ended_at: datetime


def get(session: Session, broadcast_id: int, delivery_id: int) -> Delivery:
    """The row. Raises NotFound, also for a delivery of another broadcast."""
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or delivery.broadcast_id != broadcast_id:
        raise NotFound("This mass mail has no such recipient.")
    return delivery


def unmade(broadcast: Broadcast, delivery: Delivery) -> str | None:
    """Why there is no mail and never will be, as a whole sentence; None where there is one, or one may still be made."""
    if delivery.address is None or delivery.state is DeliveryState.SKIPPED:
        return f"This client matched, but gets none: {reasons.in_words(delivery.state, delivery.reason)}."
    if _is_made(delivery):
        return None
    if delivery.stamped_at is not None and delivery.state not in WAITING:
        return "What this mail said to its client is no longer kept. To whom it went, when, and with which outcome stays here."
    is_to_be_cancelled = delivery.state in WAITING and broadcast.state is BroadcastState.CANCELLED
    why = _UNMADE.get(DeliveryState.CANCELLED if is_to_be_cancelled else delivery.state)
    return f"No mail was made: {why}." if why else None


def was_never_sent(delivery: Delivery) -> bool:
    """Whether a mail was made whose turn had come, and it was cancelled or suppressed before it was handed to the relay."""
    return delivery.state in _UNMADE and _is_made(delivery) and not delivery.attempts


def _is_made(delivery: Delivery) -> bool:
    return delivery.merge_values is not None and delivery.stamped_at is not None


def mail(
    session: Session,
    broadcast: Broadcast,
    delivery: Delivery,
    now: datetime,
    public_url: str,
    *,
    for_recipient: bool = False,
) -> LedgerMail | None:
    """The mail of a delivery; None where `unmade` says why there is none. `public_url` is the console's address as recipients reach it.
    `for_recipient`: it is shown to whoever got it. Raises DomainError when it cannot be made."""
    if unmade(broadcast, delivery):
        return None
    assert delivery.address is not None
    language = delivery.language or ""
    content = compiled(session, broadcast, public_url, language=language)
    if delivery.merge_values is not None and delivery.stamped_at is not None:
        values, stamped_at, final = json.loads(delivery.merge_values), delivery.stamped_at, True
    else:
        row = (delivery.client_id, delivery.service_id, delivery.addon_assignment_id)
        values = tag_catalogue.load_values(
            session, [row], content.tags, broadcast=broadcast, now=now, language=language
        )[0]
        stamped_at, final = now, False
    made = content.mail(delivery.id, delivery.address, stamped_at, values)
    files = tuple((one.name, one.octets) for one in content.files_of(delivery.client_id))
    seen = made
    if not for_recipient and (broadcast.counts_clicks or broadcast.counts_opens):
        plain = compiled(session, broadcast, public_url, language=language, counting=False)
        known = dict(zip(content.tags, values, strict=True))
        seen = plain.mail(delivery.id, delivery.address, stamped_at, [known[name] for name in plain.tags])
    return LedgerMail(made.whole, decoded(seen.data, seen.size), final, files, len(made.data))


def by_token(session: Session, token: str, now: datetime, public_url: str) -> LedgerMail | None:
    """The mail that a token opens in the browser: one that has gone out, as it was. None for what is no such token, and where what the
    mail said is no longer kept."""
    delivery_id = delivery_of(session, TokenPurpose.BROWSER, token)
    delivery = session.get(Delivery, delivery_id) if delivery_id is not None else None
    if delivery is None or not _is_made(delivery):
        return None
    broadcast = session.get_one(Broadcast, delivery.broadcast_id)
    try:
        return mail(session, broadcast, delivery, now, public_url, for_recipient=True)
    except DomainError:
        return None


def attempts(session: Session, delivery: Delivery) -> Sequence[Try]:
    """Every attempt, first to last. An acceptance at the first attempt stands in the delivery itself."""
    rows = session.scalars(select(Attempt).where(Attempt.delivery_id == delivery.id).order_by(Attempt.number)).all()
    tries = [
        Try(
            row.number,
            row.state,
            reasons.in_words(row.state, None),
            _reply(row.reply_code, row.reply_text),
            row.ended_at,
        )
        for row in rows
    ]
    if delivery.state is DeliveryState.ACCEPTED and not any(row.state is DeliveryState.ACCEPTED for row in rows):
        reply = _reply(delivery.reply_code, delivery.reply_text)
        tries.append(Try(max(delivery.attempts, 1), delivery.state, "", reply, delivery.changed_at))
    return tries


def _reply(code: int | None, text: str | None) -> str:
    return " ".join(part for part in (str(code or ""), *(text or "").split()) if part)
