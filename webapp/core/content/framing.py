"""What is around a broadcast's mails because of what it is for and whose it is: how to decline, who sends, its brand, and the tokens of
each mail's own links."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from webapp.core.branding import brands
from webapp.core.consent import event_sources, settings, tokens
from webapp.core.consent.tokens import TokenPurpose, Tokens
from webapp.core.rules.consent import Purpose
from webapp.core.rules.message import Counting, Frame
from webapp.core.tables.broadcasts import Broadcast


class OwnTokens(NamedTuple):
    """What makes the tokens of a broadcast's links."""

    unsubscribe: Tokens
    browser: Tokens
    click: Tokens
    open: Tokens


def frame_of(session: Session, broadcast: Broadcast, public_url: str) -> Frame:
    """The frame of the broadcast's mails. `public_url` is the console's address as recipients reach it."""
    named_by = event_sources.headers_of_mails(session)
    brand = brands.of_broadcast(session, broadcast)
    look = None if brand is None else brands.look_of(session, brand)
    if broadcast.purpose is None:
        return Frame(public_url, named_by=named_by, counting=_counting(broadcast), brand=look)
    is_marketing = broadcast.purpose is Purpose.MARKETING
    known = settings.read(session)
    topic = "" if broadcast.topic_id is None else f"topic-{broadcast.topic_id}"
    return Frame(
        public_url,
        is_marketing=is_marketing,
        is_important=not is_marketing,
        list_name=(topic or "marketing") if is_marketing else "important",
        broadcast_id=broadcast.id,
        business_name=known.business_name,
        postal_address=known.postal_address,
        named_by=named_by,
        counting=_counting(broadcast),
        brand=look,
    )


def _counting(broadcast: Broadcast) -> Counting | None:
    """What is counted of its mails. Of one that has not started, nothing: its mails are previews and tests, whose links lead where they
    say."""
    if broadcast.started_at is None or not (broadcast.counts_clicks or broadcast.counts_opens):
        return None
    return Counting(broadcast.secret, broadcast.counts_clicks, broadcast.counts_opens)


def tokens_of(session: Session, broadcast: Broadcast) -> OwnTokens | None:
    """The tokens of the broadcast's links; None before it has started, when its mails are previews and tests."""
    if broadcast.started_at is None:
        return None
    key = tokens.key_of(session, broadcast.started_at)
    purposes = (TokenPurpose.UNSUBSCRIBE, TokenPurpose.BROWSER, TokenPurpose.CLICK, TokenPurpose.OPEN)
    return OwnTokens(*(Tokens(key.id, key.secret, one) for one in purposes))
