"""The part of the hot path that both databases share: the body of an operation, and often its statement, with `?` for its values.

The differences stand in `on_sqlite.py` and `on_postgresql.py`: a statement of the same name, or the whole operation, with the reason.
`hot_path.HotPath` says what the operations do.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.engine.interfaces import DBAPICursor

from webapp.core.ledger.rows import Counted, DueRow, KnownUse, Standing
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.pacing import Reading, Use

STANDING = "SELECT state, frozen_at IS NOT NULL, batch_size, interval_s, probing, purpose FROM broadcast WHERE id = ?"
CLAIMED_OF_ONE = "SELECT coalesce(sum(count), 0) FROM tally WHERE broadcast_id = ? AND state = 'claimed'"
CLAIMED_OF_ALL = """
SELECT coalesce(sum(t.count), 0) FROM sender s
JOIN tally t ON t.broadcast_id = s.broadcast_id AND t.sender_id = s.id AND t.state = 'claimed' WHERE s.ended_at IS NULL
"""
CLAIMED_IN_LINE = """
SELECT count(*) FROM delivery d WHERE d.state = 'claimed' AND d.due_at = ?
  AND d.broadcast_id IN (SELECT s.broadcast_id FROM sender s WHERE s.ended_at IS NULL)
"""
LEFT_SINCE = "SELECT coalesce(sum(accepted + other), 0), min(minute) FROM minute_count WHERE minute > ?"
USES = "SELECT id, taken_at, boot, ticks, count FROM pace_use WHERE broadcast_id = ? ORDER BY id DESC LIMIT ?"
FORGET_USES = "DELETE FROM pace_use WHERE broadcast_id = ? AND id < ?"
ADD_USE = "INSERT INTO pace_use (broadcast_id, taken_at, boot, ticks, count) VALUES (?, ?, ?, ?, ?)"
COUNT_MINUTE = """
INSERT INTO minute_count (broadcast_id, sender_id, minute, accepted, other) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (broadcast_id, sender_id, minute)
DO UPDATE SET accepted = minute_count.accepted + excluded.accepted, other = minute_count.other + excluded.other
"""


class OnBoth(ABC):
    """The operations that both databases do alike, on a driver's cursor."""

    RENEW: ClassVar[str]
    LOCK_STANDING: ClassVar[str]
    JOIN_USE: ClassVar[str]

    def __init__(self, cursor: DBAPICursor) -> None:
        self._cursor = cursor

    @abstractmethod
    def _marked(self, statement: str) -> str:
        """A statement of this file with the driver's own marks of values."""

    @abstractmethod
    def _stored(self, moment: datetime) -> object:
        """An instant as the database stores it."""

    @abstractmethod
    def _instant(self, stored: Any) -> datetime:
        """A stored instant, in UTC."""

    def _run(self, statement: str, *values: object) -> DBAPICursor:
        self._cursor.execute(self._marked(statement), values)
        return self._cursor

    def _one(self, statement: str, *values: object) -> Any:
        """The row of a statement that always has one."""
        return self._run(statement, *values).fetchone()

    def renew(self, sender_id: int, epoch: int, expires_at: datetime) -> bool:
        return self._run(self.RENEW, self._stored(expires_at), sender_id, epoch).rowcount == 1

    def standing(self, broadcast_id: int) -> Standing | None:
        return self._standing(STANDING, broadcast_id)

    def lock_standing(self, broadcast_id: int) -> Standing | None:
        return self._standing(self.LOCK_STANDING, broadcast_id)

    def _standing(self, statement: str, broadcast_id: int) -> Standing | None:
        row = self._run(statement, broadcast_id).fetchone()
        if row is None:
            return None
        state, is_frozen, batch_size, interval_s, is_probing, purpose = row
        is_marketing = purpose == Purpose.MARKETING
        return Standing(BroadcastState(state), bool(is_frozen), batch_size, interval_s, bool(is_probing), is_marketing)

    def left_since(self, since: datetime) -> Counted:
        mails, first = self._one(LEFT_SINCE, self._stored(since))
        return Counted(mails, None if first is None else self._instant(first))

    def uses(self, broadcast_id: int, limit: int) -> list[KnownUse]:
        rows = self._run(USES, broadcast_id, limit).fetchall()
        return [
            KnownUse(use_id, Use(Reading(self._instant(taken_at), boot, ticks), count))
            for use_id, taken_at, boot, ticks, count in rows
        ]

    def forget_uses(self, broadcast_id: int, before_id: int) -> None:
        self._run(FORGET_USES, broadcast_id, before_id)

    def join_use(self, broadcast_id: int, use: Use, since: float) -> bool:
        at = use.at
        values = (self._stored(at.wall), at.ticks, use.count, broadcast_id, at.boot, since, at.ticks)
        return self._run(self.JOIN_USE, *values).rowcount == 1

    def add_uses(self, broadcast_id: int, uses: Iterable[Use]) -> None:
        rows = [(broadcast_id, self._stored(use.at.wall), use.at.boot, use.at.ticks, use.count) for use in uses]
        self._cursor.executemany(self._marked(ADD_USE), rows)

    def count_minute(self, broadcast_id: int, sender_id: int, minute: datetime, accepted: int, other: int) -> None:
        self._run(COUNT_MINUTE, broadcast_id, sender_id, self._stored(minute), accepted, other)

    def _due_rows(self, rows: Iterable[Sequence[Any]]) -> list[DueRow]:
        return [
            DueRow(
                key,
                client,
                service,
                addon,
                address,
                values,
                stamped and self._instant(stamped),
                attempts,
                barred,
                language,
            )
            for key, client, service, addon, address, values, stamped, attempts, barred, language in rows
        ]
