"""Claim: the durable intent to hand mails to the relay. Nothing goes to SMTP before the commit of its claim."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.cadence import PROBE_S
from webapp.core.ledger import ceiling, order, pace
from webapp.core.ledger.hot_path import hot
from webapp.core.ledger.leases import Lease, in_force
from webapp.core.ledger.lines import NO_ROOMS, LedgerLines, Lined, Picked
from webapp.core.ledger.rows import DueRow, Standing
from webapp.core.ledger.waiting import postpone, promote
from webapp.core.rules import pacing
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.limits import NO_LIMITS, Limits
from webapp.core.rules.pacing import Opening, Reading
from webapp.core.tables.broadcasts import Broadcast

MOST_LOOKS = 5
"""A claim looks at most so often for rows whose domain is not resting; then others may have the database."""

Holder = tuple[int, int | None, int | None]
"""The client, service and addon assignment whose data the tags of a mail take."""

LoadValues = Callable[..., Sequence[Sequence[str]]]
"""For each of the holders (given first) the values of the tags of the text in a language (given second; the broadcast's main text where
it is left out), in their order."""


@dataclass(slots=True)
class Claimed:
    """One mail to hand over, `delay` seconds after the reading at its claim. `attempt` counts from 1. `consent` is the look of the watch as
    of which nobody has declined. `language` is that of its text, "" for the broadcast's main one. `receiver` is the id of the limit out of
    whose line it was claimed, None for one without."""

    delivery_id: int
    address: str
    values: Sequence[str]
    stamped_at: datetime
    attempt: int
    delay: float = 0.0
    consent: object = None
    language: str = ""
    receiver: int | None = None


@dataclass(slots=True)
class Claim:
    """What a sender may do. Without `is_sending` nothing more: the broadcast was paused or cancelled, is not frozen yet, or since this
    sender began it feels its way with a relay that was ill.

    `exhausted`: more was allowed, and nothing else was due. `next_in`: seconds until the pace, or a probe under way, allows the next mail;
    None when that is not known (there is no pace, or claimed mails use all of it). `is_behind`: had the sender asked for more mails, it
    could have claimed more to leave at once. `is_cut_short`: it has looked at as many rows as a claim may, and all had to be set aside.

    `line_waits`: all other rows that are due wait for the limits of their receivers; `line_next_in` seconds until one of these may leave,
    None when nobody knows. Then nothing is `exhausted`.
    """

    is_sending: bool
    mails: list[Claimed] = field(default_factory=list)
    exhausted: bool = False
    next_in: float | None = None
    is_behind: bool = False
    is_cut_short: bool = False
    line_waits: bool = False
    line_next_in: float | None = None


def claim(
    session: Session,
    lease: Lease,
    limit: int,
    load_values: LoadValues,
    reading: Reading,
    *,
    lead: float = 0.0,
    promoting: bool = False,
    limits: Limits = NO_LIMITS,
    is_careful: bool = True,
    is_probe: bool = False,
    resting: Mapping[str, datetime] = MappingProxyType({}),
    rooms: Mapping[int, int] = NO_ROOMS,
) -> Claim:
    """Claim up to `limit` due mails under the lease, as far as the broadcast's state and pace allow; those whose address was suppressed
    meanwhile become `suppressed` instead. The lease must have been renewed in this transaction.

    The first claim fixes what a mail says: `load_values` is asked for deliveries that were never claimed before. With a pace, mails may be
    claimed up to `lead` seconds before they may leave; `delay` of each says how many seconds to wait. `promoting` first makes rows pending
    whose time has come. All senders of all broadcasts together keep the ceilings of `limits`. A sender that is not `is_careful` does not
    stop at the relay's first error: it gets nothing of a broadcast that was paused because of the relay. One mail feels the way for such a
    broadcast, and for a claim that `is_probe`; it goes to somebody who was never refused, as long as there is one. Mails to a domain in
    `resting` wait until the instant given there. `rooms` is what `LedgerLines` calls so.
    """
    # What the broadcast allows, under the locks that hold until the commit.
    standing = _standing(session, lease.broadcast_id, limits)
    if standing is None or (standing.is_probing and not is_careful):
        return Claim(is_sending=False)
    # Rows whose time has come, only now: a resume, too, takes the broadcast's lock before those of its rows.
    if promoting:
        promote(session, lease.broadcast_id, reading.wall)
    # When mails may leave, as far as the pace and each ceiling let them.
    limiting = _limiting(session, lease, standing, limits, reading)
    delays, next_in = _delays(limiting, limit, lead)
    limit, is_behind = len(delays), not limiting or next_in == 0.0
    # One mail feels the way, and nobody claims another while it is under way.
    feels_way = standing.is_probing or is_probe
    if feels_way:
        limit, is_behind = min(limit, 1), False
        if hot(session).claimed_now(lease.broadcast_id, reading).mails:
            limit, next_in = 0, max(next_in or 0.0, PROBE_S)
    if limit <= 0:
        return Claim(is_sending=True, next_in=next_in)
    # The rows, and their claim, whose statement checks state, freeze, lease, suppressions and what was declined again.
    lined = Lined()
    if limits.receivers:
        lined = _lined(session, lease, standing, limits, reading, limit, lead, resting, rooms, untried_first=feels_way)
        rows: Sequence[DueRow] = [one.row for one in lined.picked]
        exhausted = lined.exhausted and not lined.waits
        is_behind = is_behind and not lined.exhausted
    else:
        rows, exhausted = _due(
            session, lease.broadcast_id, standing, reading.wall, limit, resting, untried_first=feels_way
        )
    mails = _take(session, lease, rows, load_values, reading.wall, is_marketing=standing.is_marketing)
    if limiting:
        for mail, delay in zip(mails, delays, strict=False):
            mail.delay = delay
    if lined.picked:
        _heed_lines(mails, lined.picked)
    return Claim(
        True,
        mails,
        exhausted=exhausted,
        next_in=next_in,
        is_behind=is_behind and not exhausted,
        is_cut_short=lined.is_cut_short,
        line_waits=lined.waits and lined.exhausted,
        line_next_in=lined.next_in,
    )


def _lined(
    session: Session,
    lease: Lease,
    standing: Standing,
    limits: Limits,
    reading: Reading,
    limit: int,
    lead: float,
    resting: Mapping[str, datetime],
    rooms: Mapping[int, int],
    *,
    untried_first: bool,
) -> Lined:
    """The rows to claim next where recipients' domains have limits."""
    lines = LedgerLines(
        session,
        lease.broadcast_id,
        limits.receivers,
        reading,
        lead=lead,
        shares=in_force(session, None, reading.wall),
        rooms=rooms,
        resting=resting,
        is_marketing=standing.is_marketing,
    )
    return lines.look(limit, _untried_at(session, lease.broadcast_id, reading.wall) if untried_first else None)


def _heed_lines(mails: Sequence[Claimed], picked: Sequence[Picked]) -> None:
    """Let no mail leave before its receiver takes it. Both come in the same order, by the time at which the receivers take them, as the
    delays of pace and ceilings do: so each of their places is used by one mail, then or later."""
    by_id = {one.row.delivery_id: one for one in picked}
    for mail in mails:
        one = by_id[mail.delivery_id]
        mail.delay, mail.receiver = max(mail.delay, one.delay), one.receiver


def _standing(session: Session, broadcast_id: int, limits: Limits) -> Standing | None:
    """Lock what two senders must not use at a time, and say how the broadcast stands; None when it sends nothing."""
    path = hot(session)
    # The ceilings are locked before the broadcast, in the order in which connections are shared out, too.
    if limits.is_shared:
        path.lock_limits()
    # A broadcast is locked only where two senders must not take the same: its pace, or its one probe.
    standing = path.standing(broadcast_id)
    if standing and (standing.is_probing or pacing.is_limited(standing.batch_size, standing.interval_s)):
        standing = path.lock_standing(broadcast_id)
    sends = standing and standing.state is BroadcastState.SENDING and standing.is_frozen
    return standing if sends else None


def _limiting(
    session: Session, lease: Lease, standing: Standing, limits: Limits, reading: Reading
) -> list[list[Opening]]:
    """When mails may leave, as each of the broadcast's pace and the ceilings has it; nothing where there is neither."""
    found: list[list[Opening]] = []
    batch_size, interval_s = standing.batch_size, standing.interval_s
    if pacing.is_limited(batch_size, interval_s):
        found.append(pace.openings(session, lease.broadcast_id, batch_size, interval_s, reading, lead=float("inf")))
    if limits.has_ceiling:
        shares = in_force(session, None, reading.wall)
        found += [_share(opened, shares) for opened in ceiling.openings(session, limits, reading)]
    return found


def _due(
    session: Session,
    broadcast_id: int,
    standing: Standing,
    now: datetime,
    limit: int,
    resting: Mapping[str, datetime],
    *,
    untried_first: bool,
) -> tuple[Sequence[DueRow], bool]:
    """The rows to claim next, in order, and whether they are all that is due."""
    path, is_marketing = hot(session), standing.is_marketing
    rows: Sequence[DueRow] = ()
    if untried_first:
        rows = path.untried(broadcast_id, _untried_at(session, broadcast_id, now), limit, is_marketing=is_marketing)
    for _ in range(MOST_LOOKS):
        rows = rows or path.due(broadcast_id, now, limit, is_marketing=is_marketing)
        if not resting:
            return rows, len(rows) < limit
        kept, waiting = _apart(rows, resting, now)
        for until, ids in waiting.items():
            postpone(session, ids, until)
        if kept or not waiting:
            return kept, len(rows) < limit and not waiting
        rows = ()
    return (), False


def _untried_at(session: Session, broadcast_id: int, now: datetime) -> datetime:
    """When rows of a broadcast that nobody has tried are due."""
    started_at = session.scalar(select(Broadcast.started_at).where(Broadcast.id == broadcast_id))
    return order.untried(started_at or now)


def _apart(
    rows: Sequence[DueRow], resting: Mapping[str, datetime], now: datetime
) -> tuple[list[DueRow], dict[datetime, list[int]]]:
    """The rows that may be claimed, and the ids of the others by the instant until which their domain rests."""
    kept: list[DueRow] = []
    waiting: dict[datetime, list[int]] = {}
    for row in rows:
        until = resting.get(domain_of(row.address))
        if until is None or until <= now:
            kept.append(row)
        else:
            waiting.setdefault(until, []).append(row.delivery_id)
    return kept, waiting


def domain_of(address: str) -> str:
    """The domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()


def _share(opened: Sequence[Opening], shares: int) -> list[Opening]:
    """What one of `shares` senders may take of a ceiling at a time, so that the first one does not take it all."""
    return [Opening(one.delay, -(-one.count // max(shares, 1))) for one in opened]


def _delays(limiting: Iterable[Sequence[Opening]], limit: int, lead: float) -> tuple[list[float], float | None]:
    """In how many seconds (at most `lead`) each of up to `limit` mails may leave, when each of `limiting` allows it; and in how many the
    next one after them, None when that is not known or nothing limits."""
    delays, next_in = [0.0] * limit, None
    for opened in limiting:
        mine: list[float] = []
        following: float | None = None
        for opening in opened:
            count = min(opening.count, limit - len(mine)) if opening.delay <= lead else 0
            mine += [opening.delay] * count
            if count < opening.count:
                following = opening.delay
                break
        if len(mine) < len(delays):
            next_in = following
        elif len(mine) == len(delays):
            next_in = following if next_in is None else max(next_in, following or 0.0)
        delays = [max(both) for both in zip(delays, mine, strict=False)]
    return delays, next_in


def _take(
    session: Session,
    lease: Lease,
    rows: Sequence[DueRow],
    load_values: LoadValues,
    now: datetime,
    *,
    is_marketing: bool,
) -> list[Claimed]:
    path = hot(session)
    barred: dict[str, list[int]] = {}
    for row in rows:
        if row.barred:
            barred.setdefault(row.barred, []).append(row.delivery_id)
    wanted = [row for row in rows if not row.barred] if barred else rows
    fresh = [row for row in wanted if row.merge_values is None]
    values = _values_of(fresh, load_values)
    if len(fresh) < len(wanted):
        values |= {row.delivery_id: json.loads(row.merge_values) for row in wanted if row.merge_values is not None}
    taken: Collection[int] = ()
    if values:
        taken = path.claim(lease.broadcast_id, lease.sender_id, lease.epoch, now, values, is_marketing=is_marketing)
    gone = sum(path.suppress(now, reason, ids) for reason, ids in barred.items())
    if taken or gone:
        changes = {
            DeliveryState.PENDING: -len(taken) - gone,
            DeliveryState.CLAIMED: len(taken),
            DeliveryState.SUPPRESSED: gone,
        }
        path.tally(lease.broadcast_id, lease.sender_id, changes)
    return [
        Claimed(
            row.delivery_id,
            row.address,
            values[row.delivery_id],
            row.stamped_at or now,
            row.attempts + 1,
            language=row.language or "",
        )
        for row in wanted
        if row.delivery_id in taken
    ]


def _values_of(rows: Sequence[DueRow], load_values: LoadValues) -> dict[int, Sequence[str]]:
    """What each mail is to say, by delivery id. A group may hold mails in several languages, whose texts have tags of their own."""
    by_language: dict[str, list[DueRow]] = {}
    for row in rows:
        by_language.setdefault(row.language or "", []).append(row)
    values: dict[int, Sequence[str]] = {}
    for language, group in by_language.items():
        holders = [(row.client_id, row.service_id, row.addon_assignment_id) for row in group]
        loaded = load_values(holders, language) if language else load_values(holders)
        values |= zip((row.delivery_id for row in group), loaded, strict=True)
    return values
