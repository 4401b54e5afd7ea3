"""Where the counted links of a broadcast's mails lead: kept when its sending begins, and found again by whoever follows one."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.consent import settings
from webapp.core.consent.tokens import TokenPurpose, delivery_of
from webapp.core.rules.mail_uses import COUNTED_FOR, OPENED
from webapp.core.rules.message import link_counter
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import CLIENTS, Delivery
from webapp.core.tables.mail_uses import LinkTarget


class Followed(NamedTuple):
    """A link that somebody follows: of which delivery, which of its links, and whether that is to be counted now. `address` is where it
    leads, None where that is no longer known."""

    delivery_id: int
    link: int
    address: str | None
    is_counted: bool


def keep(session: Session, broadcast_id: int, targets: Mapping[str, str], tags: Sequence[str]) -> None:
    """Keep what the counted links of a broadcast lead to, by their marks. `tags` names the values that its deliveries have, in their order.
    To be committed before the first mail leaves; what is kept stays as it is."""
    known = set(session.scalars(select(LinkTarget.mark).where(LinkTarget.broadcast_id == broadcast_id)))
    new = [mark for mark in targets if mark not in known]
    if not new:
        return
    last = session.scalar(select(func.max(LinkTarget.number)).where(LinkTarget.broadcast_id == broadcast_id)) or 0
    rows = [
        {"broadcast_id": broadcast_id, "mark": mark, "number": number, "target": targets[mark], "tags": list(tags)}
        for number, mark in enumerate(new, last + 1)
    ]
    # Several senders may begin at once: they keep the same.
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(dialect.insert(LinkTarget).on_conflict_do_nothing(), rows)


def follow(session: Session, token: str, mark: str, now: datetime) -> Followed | None:
    """The link that a token and a mark name; None for what names none."""
    delivery_id = delivery_of(session, TokenPurpose.CLICK, token)
    if delivery_id is None:
        return None
    kept = session.get(LinkTarget, (delivery_id // CLIENTS, mark[:20]))
    if kept is None:
        return None
    delivery = session.get(Delivery, delivery_id)
    values = json.loads(delivery.merge_values) if delivery is not None and delivery.merge_values else None
    address = link_counter.filled(kept.target, kept.tags, values)
    return Followed(delivery_id, kept.number, address, _is_counted(session, delivery, now))


def opened(session: Session, token: str, now: datetime) -> Followed | None:
    """The mail whose picture a token names, as the link `OPENED`; None for what names none."""
    delivery_id = delivery_of(session, TokenPurpose.OPEN, token)
    if delivery_id is None:
        return None
    return Followed(delivery_id, OPENED, None, _is_counted(session, session.get(Delivery, delivery_id), now))


def _is_counted(session: Session, delivery: Delivery | None, now: datetime) -> bool:
    """Whether a use of a mail is counted now: it left not long ago, its broadcast counts, and the business still allows it."""
    if delivery is None or delivery.stamped_at is None or now - delivery.stamped_at >= COUNTED_FOR:
        return False
    broadcast = session.get_one(Broadcast, delivery.broadcast_id)
    return (broadcast.counts_clicks or broadcast.counts_opens) and settings.read(session).may_count
