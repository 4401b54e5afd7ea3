"""What this installation has sent, as far as anybody can know it, and whether it may send: a restored back-up must not mail people again.

A back-up that is restored knows nothing of what was sent after it was made, and would send it again. So what was sent leaves a mark outside
the database, too: while a process sends, it makes `generation` grow here, first when it begins and then every few seconds, and *after* each
such commit writes the number into the instance folder and into Redis (the markers). A database whose generation is behind a marker's is
older than what has left. Then everything is held, until a person says how to go on.

Why this gives no false alarm:

- *A commit that fails* leaves no marker, since a marker is written only after its commit. So no marker is ever ahead of the database from
  which it came; who compares reads the markers first, and the database in a transaction that begins after that.
- *Redis emptied, the folder lost*: no marker, no alarm; the other one still tells. With both lost nobody can know.
- *Several machines* have markers of different age. An older one says nothing; the newest decides.
- *Another database* with the old folder or Redis (`demo --fresh`, a new installation): a marker bears the id of its database, which was
  made with it and goes with each copy.
- *A clock that is set back*: the generation is a count, instants are words for people only.

What it does not see: a back-up made within the last seconds (`cadence.PULSE_S`) before its sending process was killed, when no sign
of life came after it; and what a copy of the database sent on a machine with a folder and a Redis of its own.

What a restored database had claimed becomes uncertain at the release, whatever a journal that was written later may lack; what waits in it
may have been sent. That cannot be known, so it stays in words on each mass mail that was open then.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.installation import HoldKind, Installation

THE_ROW = 1
WOULD_SEND = (BroadcastState.SCHEDULED, BroadcastState.SENDING)
"""States from which mails leave without anybody's word."""


@dataclass(frozen=True, slots=True)
class HighWaterMark:
    """How far a database had got when its sending processes last gave a sign of life; `at` is when (None: nobody knows)."""

    database_id: str
    generation: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is sent but the broadcasts in `released`. Of a restored database `known_until` is the last sending that it knows of, and
    `sent_until` the last that it does not."""

    kind: HoldKind
    at: datetime
    by: str
    reason: str
    known_until: datetime | None
    sent_until: datetime | None
    released: frozenset[int]

    @property
    def is_restored(self) -> bool:
        return self.kind is HoldKind.RESTORED


@dataclass(frozen=True, slots=True)
class Restore:
    """A back-up that was restored, and released. What was sent between `known_until` and `sent_until` may have been sent twice."""

    known_until: datetime | None
    sent_until: datetime | None
    noticed_at: datetime


def sign_of_life(session: Session, now: datetime) -> HighWaterMark:
    """Count a sign of life of a sending process. What it returns is written to the markers once this is committed."""
    counted = (
        update(Installation)
        .where(Installation.id == THE_ROW)
        .values(generation=Installation.generation + 1, sent_at=now)
        .returning(Installation.database_id, Installation.generation)
        .execution_options(synchronize_session=False)
    )
    database_id, generation = session.execute(counted).one()
    return HighWaterMark(database_id, generation, now)


def sign(session: Session) -> HighWaterMark:
    """How far this database has got."""
    row = _row(session)
    return HighWaterMark(row.database_id, row.generation, row.sent_at)


def hold_of(session: Session) -> Hold | None:
    """What holds everything at present."""
    row = _row(session)
    if row.held_kind is None or row.held_at is None:
        return None
    known = row.sent_at if row.held_kind is HoldKind.RESTORED else None
    released = frozenset(row.released)
    return Hold(row.held_kind, row.held_at, row.held_by, row.held_reason, known, row.marker_at, released)


def is_held(session: Session, broadcast_id: int) -> bool:
    """Whether nothing of this broadcast may leave."""
    hold = hold_of(session)
    return hold is not None and broadcast_id not in hold.released


def is_unsettled(session: Session, *, lock: bool = False) -> bool:
    """Whether this is a restored database of which nobody has released anything yet. With `lock` that stays so until the transaction
    ends."""
    row = _row(session, lock=lock)
    return row.held_kind is HoldKind.RESTORED and row.generation <= row.marker_generation


def is_behind(session: Session, marks: Iterable[HighWaterMark]) -> bool:
    """Whether mails have left of which this database does not know, and nobody has noticed yet: call `notice`. The marks were read before
    the session's transaction began."""
    row = _row(session)
    newest = _newest(row, marks)
    return newest is not None and newest.generation > max(row.generation, row.marker_generation)


def notice(session: Session, marks: Iterable[HighWaterMark], now: datetime) -> bool:
    """Hold everything if this database is older than what was sent. True if that was news."""
    row = _row(session, lock=True)
    newest = _newest(row, marks)
    if newest is None or newest.generation <= max(row.generation, row.marker_generation):
        return False
    row.held_kind, row.held_at, row.held_by, row.held_reason, row.released = HoldKind.RESTORED, now, "", "", []
    row.marker_generation, row.marker_at = newest.generation, newest.at
    session.flush()
    return True


def hold(session: Session, by: str, reason: str, now: datetime) -> None:
    """Hold everything, in somebody's words. What is held because it was restored stays so."""
    row = _row(session, lock=True)
    if row.held_kind is not HoldKind.RESTORED:
        row.held_kind, row.held_at, row.held_by, row.held_reason = HoldKind.BY_HAND, now, by[:300], reason
    row.released = []
    session.flush()


def let_go(
    session: Session, broadcast_ids: Collection[int] | None, marks: Iterable[HighWaterMark], by: str, now: datetime
) -> HighWaterMark | None:
    """Hold these broadcasts no more, or none at all (None). Returns what is to be written to the markers once this is committed; None when
    nothing was held. For `core/sending/releasing.py`, which first settles what a restored database had claimed."""
    row = _row(session, lock=True)
    if row.held_kind is None:
        return None
    if is_unsettled(session):
        _remember_restore(row, marks, by, now)
    if broadcast_ids is None:
        row.held_kind = row.held_at = None
        row.held_by, row.held_reason, row.released = "", "", []
    else:
        row.released = sorted({*row.released, *broadcast_ids})
    session.flush()
    return sign(session)


def would_send(session: Session) -> list[Broadcast]:
    """The broadcasts from which mails would leave if nothing were held, by id."""
    return list(session.scalars(select(Broadcast).where(Broadcast.state.in_(WOULD_SEND)).order_by(Broadcast.id)))


def restores_of(session: Session, broadcast: Broadcast) -> list[Restore]:
    """The restored back-ups in which this broadcast was open: some of its mails may have been sent twice."""
    if broadcast.scheduled_at is None:
        return []
    found = []
    for one in _row(session).restores:
        restore = Restore(_instant(one["known_until"]), _instant(one["sent_until"]), _at(one["noticed_at"]))
        began_before = broadcast.scheduled_at < restore.noticed_at
        was_open = broadcast.finished_at is None or broadcast.finished_at > restore.noticed_at
        if began_before and was_open:
            found.append(restore)
    return found


def _remember_restore(row: Installation, marks: Iterable[HighWaterMark], by: str, now: datetime) -> None:
    """Keep in words what cannot be known, and let this database be ahead of all that was sent."""
    newest = _newest(row, marks)
    known, sent, noticed = row.sent_at, row.marker_at, row.held_at or now
    one = {"known_until": known and known.isoformat(), "sent_until": sent and sent.isoformat()}
    row.restores = [*row.restores, {**one, "noticed_at": noticed.isoformat(), "by": by}]
    row.generation = max(row.marker_generation, newest.generation if newest else 0) + 1
    row.sent_at = now


def _newest(row: Installation, marks: Iterable[HighWaterMark]) -> HighWaterMark | None:
    ours = [mark for mark in marks if mark.database_id == row.database_id]
    return max(ours, key=lambda mark: mark.generation, default=None)


def _row(session: Session, *, lock: bool = False) -> Installation:
    return session.get_one(Installation, THE_ROW, populate_existing=True, with_for_update=lock or None)


def _instant(text: str | None) -> datetime | None:
    return _at(text) if text else None


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
