"""The largest mail that anybody of an audience gets, as far as that can be known without making all."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.audience import Term
from webapp.core.client_set import NOBODY
from webapp.core.content import previews, tag_catalogue
from webapp.core.content.compiling import compiled
from webapp.core.content.languages import content_of
from webapp.core.content.previews.mail import NO_DELIVERY
from webapp.core.rules import message
from webapp.core.rules.message import Preview
from webapp.core.tables.broadcasts import Broadcast

LOOKED_AT, PARTS = 400, 20
"""Among so many recipients, in parts spread over all, the largest mail is looked for; the extremes come beside them."""
MADE = 3
"""Mails that are made: of those with the most to say."""
SMALL = 40_000
"""Octets of HTML. What a tag says cannot make a mail of this size one that Gmail cuts, where it says it once."""


@dataclass(frozen=True, slots=True)
class LargestMail:
    """Its octets of HTML, and who gets it."""

    octets: int
    whom: str


def largest(
    session: Session, broadcast: Broadcast, first: Preview, now: datetime, public_url: str, *, language: str = ""
) -> LargestMail:
    """The largest mail with the text in a language, "" for the main one. `first` is the mail of its first recipient, `public_url` the
    console's address as recipients reach it. Raises DomainError where a mail cannot be made."""
    size = _octets(first)
    if size < SMALL and "{%" not in content_of(broadcast, language).html:
        return LargestMail(size, "the first recipient")
    of = audience.audience_of(broadcast)
    rows = audience.recipients_among(session, of, now.date(), _candidates(session, broadcast, language))
    content = compiled(session, broadcast, public_url, language=language)
    keys = [
        (
            row.client.id,
            row.holding.service.id if row.holding else None,
            row.holding.assignment.id if row.holding and row.holding.assignment else None,
        )
        for row in rows
    ]
    values = tag_catalogue.load_values(session, keys, content.tags, broadcast=broadcast, now=now, language=language)
    longest = sorted(zip(rows, values, strict=True), key=lambda pair: -sum(map(len, pair[1])))[:MADE]
    found = LargestMail(size, "the first recipient")
    for row, said in longest:
        mail = message.decoded(content.mail(NO_DELIVERY, row.client.address or "", now, said).data)
        if (octets := _octets(mail)) > found.octets:
            found = LargestMail(octets, row.name)
    return found


def _candidates(session: Session, broadcast: Broadcast, language: str) -> list[int]:
    of = audience.audience_of(broadcast)
    receivers = audience.select_terms(session, of).terms[Term.WILL_RECEIVE]
    receivers = audience.receivers_by_text(session, of.texts, receivers).get(language, NOBODY)
    total = len(receivers)
    ids = {extreme.client_id for extreme in previews.extremes_of(session, broadcast, text=language, look_at=LOOKED_AT)}
    for part in range(PARTS):
        ids.update(receivers.page(part * total // PARTS, LOOKED_AT // PARTS))
    return sorted(ids)


def _octets(mail: Preview) -> int:
    return len((mail.html or "").encode())
