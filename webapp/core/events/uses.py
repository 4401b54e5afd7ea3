"""Opens and clicks of mails become rows, one for each delivery and link; after a while only their sums are left. No fact of the ledger
changes for them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.rules.mail_uses import ANY_LINK, BURST, COUNTED_FOR, OPENED, is_burst
from webapp.core.tables.deliveries import CLIENTS
from webapp.core.tables.mail_uses import LinkTarget, MailUse, UseSum


def count(session: Session, delivery_id: int, link: int, now: datetime, *, by_machine: bool = False) -> None:
    """Count a use of a mail. `link` is the number of a target, or `OPENED`."""
    values = {"delivery_id": delivery_id, "link": link, "first_at": now, "last_at": now}
    machines = int(by_machine)
    made = _insert(session, MailUse).values(**values, times=1, by_machine=machines)
    more = {"times": MailUse.times + 1, "by_machine": MailUse.by_machine + machines, "last_at": now}
    session.execute(made.on_conflict_do_update(index_elements=[MailUse.delivery_id, MailUse.link], set_=more))


def is_in_burst(session: Session, delivery_id: int, now: datetime) -> bool:
    """Whether the clicks on a mail's links within the last seconds are probably a machine's. Ask it when the last click is committed: of
    clicks at the same time each then sees all before it."""
    recent = select(func.count()).where(*_recent(delivery_id, now))
    links = select(func.count()).where(LinkTarget.broadcast_id == delivery_id // CLIENTS)
    return is_burst(session.scalar(recent) or 0, session.scalar(links) or 0)


def mark_burst(session: Session, delivery_id: int, now: datetime) -> None:
    """Mark the clicks of the last seconds as a machine's: all of a link that nobody followed before, else one more."""
    one_more = case((MailUse.by_machine < MailUse.times, MailUse.by_machine + 1), else_=MailUse.times)
    machines = case((MailUse.first_at >= now - BURST, MailUse.times), else_=one_more)
    session.execute(update(MailUse).where(*_recent(delivery_id, now)).values(by_machine=machines))


def forget_old(session: Session, now: datetime, most: int) -> int:
    """Add up the uses of up to `most` mails that are counted no longer, and remove them. Returns of how many."""
    old = select(MailUse.delivery_id).where(MailUse.first_at < now - COUNTED_FOR).distinct().limit(most)
    ids = list(session.scalars(old))
    if not ids:
        return 0
    rows = session.scalars(select(MailUse).where(MailUse.delivery_id.in_(ids)).order_by(MailUse.delivery_id)).all()
    for (broadcast_id, link), sums in _sums(rows).items():
        values = dict(zip(("readers", "machines", "times"), sums, strict=True))
        made = _insert(session, UseSum).values(broadcast_id=broadcast_id, link=link, **values)
        more = {name: getattr(UseSum, name) + number for name, number in values.items()}
        session.execute(made.on_conflict_do_update(index_elements=[UseSum.broadcast_id, UseSum.link], set_=more))
    session.execute(delete(MailUse).where(MailUse.delivery_id.in_(ids)))
    return len(ids)


def _sums(rows: Iterable[MailUse]) -> dict[tuple[int, int], list[int]]:
    """By broadcast and link: the mails that a reader used, those that only a machine did, and how often in all."""
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    clicked: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        by_reader = row.times > row.by_machine
        _add(sums[row.delivery_id // CLIENTS, row.link], by_reader, row.times)
        if row.link != OPENED:
            clicked[row.delivery_id][0] += by_reader
            clicked[row.delivery_id][1] += row.times
    for delivery_id, (links, times) in clicked.items():
        _add(sums[delivery_id // CLIENTS, ANY_LINK], links > 0, times)
    return sums


def _add(sums: list[int], by_reader: bool, times: int) -> None:
    sums[0] += by_reader
    sums[1] += not by_reader
    sums[2] += times


def _recent(delivery_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return MailUse.delivery_id == delivery_id, MailUse.link > OPENED, MailUse.last_at >= now - BURST


def _insert(session: Session, table: type) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(table)
