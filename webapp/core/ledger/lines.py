"""Lines: rows whose recipient's domain has a limit stand in the line of that limit until it lets them leave, and hold nobody else up.

A claim that meets such a row in the order of what is due moves it into its line, once; from there it is claimed when its receiver takes
mails. So every mail to the receiver that is under way was claimed out of its line, still says so by its `due_at`, and is counted by that.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.ledger import order, pace
from webapp.core.ledger.hot_path import hot
from webapp.core.ledger.rows import DueRow
from webapp.core.ledger.waiting import MOVED_AT_ONCE, postpone
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.pacing import Opening, Reading
from webapp.core.rules.receivers import ReceiverLimit, by_domain
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery

MOST_LOOKS = 5
MOST_ROWS = 1_000
"""A claim looks at most so often, at so many rows, for rows that may leave; then others may have the database."""

NO_ROOMS: Mapping[int, int] = MappingProxyType({})


class Picked(NamedTuple):
    """A row that may be claimed, in how many seconds its receiver takes it, and the id of that receiver's limit, if it has one."""

    row: DueRow
    delay: float = 0.0
    receiver: int | None = None


@dataclass(slots=True)
class Lined:
    """What a look at rows and lines has found. `exhausted`: no other row is due. `is_cut_short`: it has looked at as many as it may.
    `waits`: rows stand in a line, and their receiver takes none of them now; `next_in` seconds until one does, None when nobody knows."""

    picked: list[Picked] = field(default_factory=list)
    exhausted: bool = False
    is_cut_short: bool = False
    waits: bool = False
    next_in: float | None = None


@dataclass(slots=True)
class OpenedLine:
    """The line of a limit in a broadcast. `delays` says in how many seconds each of the next mails may leave, `next_in` in how many the one
    after them; `picked` is how many were picked, and `may_have_rows` is False when there are no others."""

    limit: ReceiverLimit
    delays: list[float]
    next_in: float | None
    picked: int = 0
    may_have_rows: bool = True


class LedgerLines:
    """The lines of a broadcast in one claim. `rooms`: how many mails more to receivers with a limit of connections the sender can use, by
    the id of the limit; those that are not in it take any number. `shares` is how many senders share a receiver."""

    def __init__(
        self,
        session: Session,
        broadcast_id: int,
        limits: tuple[ReceiverLimit, ...],
        reading: Reading,
        *,
        lead: float,
        shares: int,
        rooms: Mapping[int, int] = NO_ROOMS,
        resting: Mapping[str, datetime] = MappingProxyType({}),
        is_marketing: bool = False,
    ) -> None:
        self._session, self._broadcast_id, self._reading = session, broadcast_id, reading
        self._lead, self._shares, self._rooms, self._resting = lead, shares, rooms, resting
        self._is_marketing = is_marketing
        self._limit_of = by_domain(limits)
        self._limits = {limit.id: limit for limit in limits}
        self._lines: dict[int, OpenedLine] = {}

    def look(self, limit: int, untried_at: datetime | None) -> Lined:
        """Up to `limit` rows that may be claimed: first those that have stood in a line, then what is due, in its order. Rows that were
        never tried come first where `untried_at` says when they are due."""
        found = Lined()
        for receiver in standing_in(self._session, self._broadcast_id):
            if receiver in self._limits:
                self._take_from(receiver, limit, found.picked)
        self._look_at_due(limit, untried_at, found)
        found.picked.sort(key=lambda one: one.delay)
        waiting = [line for line in self._lines.values() if line.may_have_rows]
        found.waits = bool(waiting)
        found.next_in = min((line.next_in for line in waiting if line.next_in is not None), default=None)
        return found

    def _look_at_due(self, limit: int, untried_at: datetime | None, found: Lined) -> None:
        path, now, size = hot(self._session), self._reading.wall, 0
        wanted = limit - len(found.picked)
        for look in range(MOST_LOOKS if wanted > 0 else 0):
            # Twice as many whenever all of them had to be set aside: neighbours in a list are often of one domain.
            size = max(wanted, min(2 * size, MOST_ROWS))
            rows: Sequence[DueRow] = ()
            if untried_at is not None and look == 0:
                rows = path.untried(self._broadcast_id, untried_at, size, is_marketing=self._is_marketing)
            is_all = not rows
            rows = rows or path.due(self._broadcast_id, now, size, is_marketing=self._is_marketing)
            kept = self._set_aside(rows, limit, found.picked)
            found.picked += [Picked(row) for row in kept[: limit - len(found.picked)]]
            found.exhausted = is_all and len(rows) < size and len(kept) <= wanted
            if found.exhausted or found.picked:
                return
        found.is_cut_short = wanted > 0

    def _set_aside(self, rows: Sequence[DueRow], limit: int, picked: list[Picked]) -> list[DueRow]:
        """Of due rows those without a limit whose domain is not given time. The others go into their lines, from which those are picked
        that may leave, or wait until their domain has had its time."""
        kept: list[DueRow] = []
        aside: dict[int, list[int]] = {}
        resting: dict[datetime, list[int]] = {}
        for row in rows:
            domain = row.address.rpartition("@")[2].lower()
            if (of := self._limit_of.get(domain)) is not None:
                aside.setdefault(of.id, []).append(row.delivery_id)
            elif (until := self._resting.get(domain)) is not None and until > self._reading.wall:
                resting.setdefault(until, []).append(row.delivery_id)
            else:
                kept.append(row)
        for until, ids in resting.items():
            postpone(self._session, ids, until)
        for receiver, ids in aside.items():
            postpone(self._session, ids, order.line(receiver))
            if receiver in self._lines:
                self._lines[receiver].may_have_rows = True
        for receiver in aside:
            self._take_from(receiver, limit - len(kept), picked)
        return kept

    def _take_from(self, receiver: int, limit: int, picked: list[Picked]) -> None:
        line = self._lines.get(receiver)
        if line is None:
            line = self._lines[receiver] = self._opened(self._limits[receiver])
        wanted = min(len(line.delays), limit - len(picked))
        if wanted <= 0 or not line.may_have_rows:
            return
        # Rows that were picked before are still there, and come first again.
        asked = line.picked + wanted
        found = hot(self._session).untried(
            self._broadcast_id, order.line(receiver), asked, is_marketing=self._is_marketing
        )
        seen = {one.row.delivery_id for one in picked} if line.picked else ()
        fresh = [row for row in found if row.delivery_id not in seen][:wanted]
        picked += [Picked(row, delay, receiver) for row, delay in zip(fresh, line.delays, strict=False)]
        del line.delays[: len(fresh)]
        line.picked += len(fresh)
        line.may_have_rows = len(found) == asked

    def _opened(self, limit: ReceiverLimit) -> OpenedLine:
        """The line of a limit, as its receiver takes mails now."""
        now = self._reading.wall
        until = max((self._resting[one] for one in limit.domains if one in self._resting), default=now)
        room = self._rooms.get(limit.id)
        if until > now:
            return OpenedLine(limit, [], (until - now).total_seconds())
        opened = [Opening(0.0, MOST_ROWS)] if not limit.mails else openings(self._session, limit, self._reading)
        delays: list[float] = []
        next_in = None
        for one in opened:
            if one.delay > self._lead:
                next_in = one.delay
                break
            delays += [one.delay] * -(-one.count // max(self._shares, 1))
        return OpenedLine(limit, delays if room is None else delays[: max(room, 0)], next_in)


def openings(session: Session, limit: ReceiverLimit, reading: Reading) -> list[Opening]:
    """When mails to a receiver may leave. The caller who is to claim them holds the lock of the limits."""
    # In this order: a mail that is settled between the two statements counts twice rather than not at all.
    reading, claimed = hot(session).claimed_in_line(order.line(limit.id), reading)
    return pace.openings_beside(
        session, -limit.id, limit.mails, limit.interval_s, reading, claimed=claimed, lead=float("inf")
    )


def wait(session: Session, limit: ReceiverLimit, reading: Reading) -> float | None:
    """Seconds until a mail to a receiver may leave; None when nobody knows, because mails that are on their way hold all places."""
    if not limit.mails:
        return 0.0
    opened = openings(session, limit, reading)
    return opened[0].delay if opened else None


def use(
    session: Session, limits: Iterable[ReceiverLimit], reading: Reading, left: Iterable[tuple[int | None, float]]
) -> None:
    """Remember mails that left, each as the id of its receiver's limit and how many seconds before `reading` it was settled."""
    ago: dict[int | None, list[float]] = {}
    for receiver, seconds in left:
        ago.setdefault(receiver, []).append(seconds)
    for limit in limits:
        if limit.mails and limit.id in ago:
            pace.use(session, -limit.id, limit.interval_s, reading, ago[limit.id])


def use_for(session: Session, limits: tuple[ReceiverLimit, ...], reading: Reading, addresses: Iterable[str]) -> None:
    """The same for mails to these addresses that leave now and are in no broadcast. The caller holds the lock of the limits."""
    of = by_domain(limits)
    found = [of.get(address.rpartition("@")[2].lower()) for address in addresses]
    use(session, limits, reading, [(limit.id, 0.0) for limit in found if limit])


def standing_in(session: Session, broadcast_id: int) -> list[int]:
    """The ids of the limits in whose lines rows of a broadcast stand, the highest first. Each takes one step down the index."""
    found: list[int] = []
    below: datetime | None = None
    while True:
        query = select(Delivery.due_at).where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.state == DeliveryState.PENDING,
            Delivery.due_at >= order.LINES,
        )
        if below is not None:
            query = query.where(Delivery.due_at < below)
        below = session.scalar(query.order_by(Delivery.due_at.desc()).limit(1))
        receiver = order.receiver_of(below)
        if receiver is None:
            return found
        found.append(receiver)


def in_lines(session: Session, broadcast_id: int) -> dict[int, int]:
    """How many rows of a broadcast stand in each line, by the id of the limit."""
    found = {}
    for receiver in standing_in(session, broadcast_id):
        query = select(func.count()).where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.state == DeliveryState.PENDING,
            Delivery.due_at == order.line(receiver),
        )
        found[receiver] = session.scalar(query) or 0
    return found


def disband(session: Session, broadcast_id: int, receivers: Collection[int], *, limit: int = MOVED_AT_ONCE) -> int:
    """Make rows due again that stand in lines of limits that are no more. Returns how many; call again until it is 0."""
    if not receivers:
        return 0
    hot(session).lock_limits()
    started_at = session.scalar(select(Broadcast.started_at).where(Broadcast.id == broadcast_id))
    assert started_at is not None
    ids = session.scalars(
        select(Delivery.id)
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.state == DeliveryState.PENDING,
            Delivery.due_at.in_([order.line(one) for one in receivers]),
        )
        .limit(limit)
    ).all()
    moved = update(Delivery).where(Delivery.id.in_(ids), Delivery.state == DeliveryState.PENDING)
    return guarded.change(session, moved.values(due_at=order.untried(started_at))) if ids else 0
