"""Who of a broadcast's recipients has no file of their own, where each is to get one."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select, true
from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.media import own_files
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.clients import Client


def count(session: Session, broadcast: Broadcast, content: Content, today: date) -> int:
    """How many recipients have none, of those who get this text."""
    found = _lacking(broadcast, content, today).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def listed(session: Session, broadcast: Broadcast, content: Content, today: date) -> Iterator[tuple[str, str, str]]:
    """Number, name and address of those who have none, by rising client id."""
    for number, first, last, company, address in session.execute(_lacking(broadcast, content, today)):
        yield number, " ".join(part for part in (first, last) if part) or company, address


def _lacking(broadcast: Broadcast, content: Content, today: date) -> Select[Any]:
    of = audience.audience_of(broadcast)
    who = audience.recipients(of, today).order_by(None).subquery("r")
    gets_it = who.c.language.is_not_distinct_from(content.language or None) if of.texts else true()
    return (
        select(Client.number, Client.first_name, Client.last_name, Client.company, who.c.address)
        .join(who, who.c.client_id == Client.id)
        .where(who.c.skip_reason.is_(None), gets_it, ~own_files.has_one(content.id, Client.number))
        .order_by(Client.id)
    )
