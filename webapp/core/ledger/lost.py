"""Machines that are away with mails they had claimed: which mails, and the decision of a person who knows that a machine is lost."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp.core.cadence import AWAY_S, HOST_GRACE, LEASE_S
from webapp.core.errors import Conflict
from webapp.core.ledger.recovery import recover
from webapp.core.ports import JournalFinding
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.pacing import Reading
from webapp.core.tables.deliveries import Delivery, Sender

OTHERS = "Meanwhile there are more or fewer mails in doubt. Look at them, and decide again."


@dataclass(frozen=True, slots=True)
class LostHost:
    """A machine that nobody has heard of since `heard_at`. Its `senders` (ids) had claimed `mails` mails of a broadcast. These become
    uncertain by themselves at `decided_at`; None while no worker has noticed that the machine is away."""

    machine: str
    host: str
    senders: tuple[int, ...]
    mails: int
    heard_at: datetime
    decided_at: datetime | None


def lost_hosts(
    session: Session,
    broadcast_id: int,
    now: datetime,
    grace: timedelta = HOST_GRACE,
    here: Collection[str] = (),
) -> list[LostHost]:
    """The machines that are away with mails of this broadcast, the one last heard of first. `here` are the journals that lie on this
    machine: a worker reads them as soon as it runs."""
    claimed = (
        select(Delivery.sender_id, func.count().label("mails"))
        .where(Delivery.broadcast_id == broadcast_id, Delivery.state == DeliveryState.CLAIMED)
        .group_by(Delivery.sender_id)
        .subquery()
    )
    query = (
        select(Sender, claimed.c.mails)
        .join(claimed, claimed.c.sender_id == Sender.id)
        .where(*_is_away(broadcast_id, now))
        .order_by(Sender.expires_at.desc())
    )
    found: dict[str, list[tuple[Sender, int]]] = {}
    for sender, mails in session.execute(query):
        if sender.journal not in here:
            found.setdefault(sender.machine or sender.host, []).append((sender, mails))
    return [_host(machine, those, grace) for machine, those in found.items()]


def give_up(
    session: Session, broadcast_id: int, sender_ids: Iterable[int], reading: Reading, *, seen: int | None = None
) -> int:
    """The machine of these senders will not come back: make the mails that they had claimed uncertain at once. Returns how many.

    `seen` is how many there were when the person decided. Raises Conflict when there are others by now, or the machine is back; then roll
    back.
    """
    ids = list(sender_ids)
    away = select(Sender).where(Sender.id.in_(ids), *_is_away(broadcast_id, reading.wall))
    senders = session.scalars(away.execution_options(populate_existing=True)).all()
    rows = select(func.count()).where(
        Delivery.broadcast_id == broadcast_id, Delivery.state == DeliveryState.CLAIMED, Delivery.sender_id.in_(ids)
    )
    mails = session.scalar(rows) or 0
    if len(senders) != len(ids) or (seen is not None and mails != seen):
        raise Conflict(OTHERS)
    for sender in senders:
        if not recover(session, sender, JournalFinding(is_here=False), reading):
            raise Conflict(OTHERS)
    return mails


def _is_away(broadcast_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    over = Sender.expires_at < now - timedelta(seconds=AWAY_S)
    return Sender.broadcast_id == broadcast_id, Sender.ended_at.is_(None), over


def _host(machine: str, those: list[tuple[Sender, int]], grace: timedelta) -> LostHost:
    senders = [sender for sender, _ in those]
    suspected = [sender.suspected_at for sender in senders]
    return LostHost(
        machine,
        senders[0].host,
        tuple(sorted(sender.id for sender in senders)),
        sum(mails for _, mails in those),
        max(sender.expires_at for sender in senders) - timedelta(seconds=LEASE_S),
        None if None in suspected else max(at for at in suspected if at) + grace,
    )
