"""Opens and clicks of a broadcast's mails, as people read them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, distinct, func, select
from sqlalchemy.orm import Session

from webapp.core.rules.mail_uses import ANY_LINK, OPENED
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import CLIENTS, delivery_id
from webapp.core.tables.mail_uses import LinkTarget, MailUse, UseSum


@dataclass(frozen=True, slots=True)
class UseFigures:
    """How many mails readers used, how many only machines did, and how often in all."""

    readers: int = 0
    machines: int = 0
    times: int = 0

    def __add__(self, other: "UseFigures") -> "UseFigures":
        return UseFigures(self.readers + other.readers, self.machines + other.machines, self.times + other.times)


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """One link of the mails: its number, the address with its tags, and its figures."""

    number: int
    target: str
    clicks: UseFigures


@dataclass(frozen=True, slots=True)
class BroadcastUses:
    """What is known of the uses of a broadcast's mails. `clicks` are those on any link. What is not counted is None."""

    clicks: UseFigures | None
    opens: UseFigures | None
    links: Sequence[LinkFigures]


@dataclass(frozen=True, slots=True)
class DeliveryUses:
    """What is known of one mail: when it was opened first, when a link was followed first, and how often; None and 0 for never. Those that
    were probably a machine's are counted apart."""

    opened_at: datetime | None = None
    opens: int = 0
    fetches: int = 0
    clicked_at: datetime | None = None
    clicks: int = 0
    machine_clicks: int = 0


@dataclass(frozen=True, slots=True)
class UseLine:
    """A use of one mail, for its page: `target` is the link, "" for an opening."""

    target: str
    times: int
    by_machine: int
    first_at: datetime
    last_at: datetime


_BY_READER = case((MailUse.times > MailUse.by_machine, 1), else_=0)


def of_broadcast(session: Session, broadcast: Broadcast) -> BroadcastUses | None:
    """The uses of a broadcast's mails; None where none are counted. Reads every use that is kept singly."""
    if broadcast.started_at is None or not (broadcast.counts_clicks or broadcast.counts_opens):
        return None
    found = _kept(session, broadcast.id)
    for link, readers, machines, times in session.execute(
        select(UseSum.link, UseSum.readers, UseSum.machines, UseSum.times).where(UseSum.broadcast_id == broadcast.id)
    ):
        found[link] = found.get(link, UseFigures()) + UseFigures(readers, machines, times)
    links = session.execute(
        select(LinkTarget.number, LinkTarget.target)
        .where(LinkTarget.broadcast_id == broadcast.id)
        .order_by(LinkTarget.number)
    )
    return BroadcastUses(
        found.get(ANY_LINK, UseFigures()) if broadcast.counts_clicks else None,
        found.get(OPENED, UseFigures()) if broadcast.counts_opens else None,
        [LinkFigures(number, target, found.get(number, UseFigures())) for number, target in links],
    )


def _kept(session: Session, broadcast_id: int) -> dict[int, UseFigures]:
    """The figures by link of what is kept singly, and of any link together."""
    mine = _of(broadcast_id)
    rows = session.execute(
        select(MailUse.link, func.sum(_BY_READER), func.count(), func.sum(MailUse.times))
        .where(mine)
        .group_by(MailUse.link)
    )
    found = {
        link: UseFigures(int(by_reader), count - int(by_reader), int(times)) for link, by_reader, count, times in rows
    }
    clicked = select(func.count(distinct(MailUse.delivery_id))).where(mine, MailUse.link != OPENED)
    readers = session.scalar(clicked.where(MailUse.times > MailUse.by_machine)) or 0
    times = sum(figures.times for link, figures in found.items() if link != OPENED)
    found[ANY_LINK] = UseFigures(readers, (session.scalar(clicked) or 0) - readers, times)
    return found


def of_deliveries(session: Session, delivery_ids: Collection[int]) -> Mapping[int, DeliveryUses]:
    """The uses of single mails; those without any are left out."""
    if not delivery_ids:
        return {}
    opened = MailUse.link == OPENED
    own = MailUse.times - MailUse.by_machine
    rows = session.execute(
        select(
            MailUse.delivery_id,
            func.min(case((opened, MailUse.first_at))),
            func.sum(case((opened, own), else_=0)),
            func.sum(case((opened, MailUse.by_machine), else_=0)),
            func.min(case((~opened, MailUse.first_at))),
            func.sum(case((~opened, own), else_=0)),
            func.sum(case((~opened, MailUse.by_machine), else_=0)),
        )
        .where(MailUse.delivery_id.in_(delivery_ids))
        .group_by(MailUse.delivery_id)
    )
    return {key: DeliveryUses(*values) for key, *values in rows}


def of_delivery(session: Session, delivery: int) -> Sequence[UseLine]:
    """What is kept of the uses of one mail, in the order in which they began."""
    rows = session.execute(
        select(MailUse, LinkTarget.target)
        .outerjoin(LinkTarget, (LinkTarget.broadcast_id == delivery // CLIENTS) & (LinkTarget.number == MailUse.link))
        .where(MailUse.delivery_id == delivery)
        .order_by(MailUse.first_at, MailUse.link)
    )
    return [UseLine(target or "", use.times, use.by_machine, use.first_at, use.last_at) for use, target in rows]


def _of(broadcast_id: int) -> ColumnElement[bool]:
    return MailUse.delivery_id.between(delivery_id(broadcast_id, 0), delivery_id(broadcast_id, CLIENTS - 1))
