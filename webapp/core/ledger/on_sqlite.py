"""The hot path on SQLite.

Rows travel as one JSON object {delivery id: value}, of which `json_each` gives back each value as text. One statement for a group also lets
the other thread run meanwhile, because the driver lets go of the interpreter once per step and not once per row.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from webapp.core.ledger.bars import BARRED
from webapp.core.ledger.on_both import CLAIMED_IN_LINE, CLAIMED_OF_ALL, CLAIMED_OF_ONE, STANDING, OnBoth
from webapp.core.ledger.rows import ClaimedNow, DueRow
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.pacing import Reading

# One text for all rows: with each row of a result the driver lets go of the interpreter, and takes it back from the thread that talks to
# the relay.
_ROWS = """
SELECT json_group_array(json_array(
    id, client_id, service_id, addon_assignment_id, address, merge_values, stamped_at, attempts, barred, language))
FROM (SELECT d.id, d.client_id, d.service_id, d.addon_assignment_id, d.address, d.merge_values, d.stamped_at, d.attempts,
             {barred} AS barred, d.language
      FROM delivery d
      WHERE d.broadcast_id = ? AND d.state = 'pending' AND {due} LIMIT ?)
"""
DUE = {key: _ROWS.format(barred=one, due="d.due_at <= ? ORDER BY d.due_at DESC, d.id") for key, one in BARRED.items()}
UNTRIED = {key: _ROWS.format(barred=one, due="d.due_at = ? ORDER BY d.id") for key, one in BARRED.items()}

# NOT INDEXED: rows are found by their id. Left alone, SQLite walks all rows of that state, once for each of the group.
_CLAIM = """
UPDATE delivery AS d NOT INDEXED SET state = 'claimed', sender_id = :sender, epoch = :epoch, attempts = attempts + 1, reason = NULL,
       stamped_at = coalesce(stamped_at, :now), merge_values = coalesce(merge_values, j.value), changed_at = :now
FROM json_each(:rows) AS j
WHERE d.id = CAST(j.key AS INTEGER) AND d.state = 'pending' AND d.broadcast_id = :broadcast AND ({barred}) IS NULL
  AND EXISTS (SELECT 1 FROM broadcast b WHERE b.id = :broadcast AND b.state = 'sending' AND b.frozen_at IS NOT NULL)
  AND EXISTS (SELECT 1 FROM sender s WHERE s.id = :sender AND s.epoch = :epoch AND s.ended_at IS NULL)
"""
CLAIM = {key: _CLAIM.format(barred=one) for key, one in BARRED.items()}

# SQLite has no arrays: the ids are the keys of a JSON object.
SUPPRESS = """
UPDATE delivery NOT INDEXED SET state = 'suppressed', reason = :reason, changed_at = :now
FROM json_each(:rows) AS j WHERE delivery.id = CAST(j.key AS INTEGER) AND delivery.state = 'pending'
"""

ACCEPT = """
UPDATE delivery NOT INDEXED SET state = 'accepted', reason = NULL, reply_code = :code, reply_text = j.value, stage = 'dot',
       sender_id = NULL, changed_at = :now
FROM json_each(:rows) AS j
WHERE delivery.id = CAST(j.key AS INTEGER) AND delivery.state = 'claimed' AND delivery.sender_id = :sender
"""

# A row each: nothing has to travel, so one statement for all of them would spare nothing.
TALLY = """
INSERT INTO tally (broadcast_id, sender_id, state, count) VALUES (?, ?, ?, ?)
ON CONFLICT (broadcast_id, sender_id, state) DO UPDATE SET count = count + excluded.count
"""


class OnSqlite(OnBoth):
    """`HotPath` on SQLite. It has one writer at a time: in a writing transaction nothing else needs to be locked."""

    RENEW = """
    UPDATE sender SET expires_at = ?, suspected_at = NULL, suspected_boot = NULL, suspected_ticks = NULL
    WHERE id = ? AND epoch = ? AND ended_at IS NULL
    """
    LOCK_STANDING = STANDING
    JOIN_USE = """
    UPDATE pace_use SET taken_at = ?, ticks = ?, count = count + ?
    WHERE id = (SELECT max(id) FROM pace_use WHERE broadcast_id = ?) AND boot = ? AND ticks BETWEEN ? AND ?
    """

    def _marked(self, statement: str) -> str:
        return statement

    def _stored(self, moment: datetime) -> str:
        """As `UtcDateTime` stores it."""
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")

    def _instant(self, stored: str) -> datetime:
        return datetime.fromisoformat(stored).replace(tzinfo=UTC)

    def lock_limits(self) -> None:
        """Nothing to do: there is one writer at a time."""

    def claimed_now(self, broadcast_id: int, reading: Reading) -> ClaimedNow:
        # The reading stays: the database is a file of this machine, and so are all its senders.
        [mails] = self._one(CLAIMED_OF_ONE, broadcast_id) if broadcast_id else self._one(CLAIMED_OF_ALL)
        return ClaimedNow(reading, mails)

    def claimed_in_line(self, line: datetime, reading: Reading) -> ClaimedNow:
        [mails] = self._one(CLAIMED_IN_LINE, self._stored(line))
        return ClaimedNow(reading, mails)

    def due(self, broadcast_id: int, now: datetime, limit: int, *, is_marketing: bool) -> list[DueRow]:
        [found] = self._one(DUE[is_marketing], broadcast_id, self._stored(now), limit)
        return self._due_rows(json.loads(found))

    def untried(self, broadcast_id: int, due_at: datetime, limit: int, *, is_marketing: bool) -> list[DueRow]:
        [found] = self._one(UNTRIED[is_marketing], broadcast_id, self._stored(due_at), limit)
        return self._due_rows(json.loads(found))

    def claim(
        self,
        broadcast_id: int,
        sender_id: int,
        epoch: int,
        now: datetime,
        values: Mapping[int, Sequence[str]],
        *,
        is_marketing: bool,
    ) -> Collection[int]:
        given = {
            "sender": sender_id,
            "epoch": epoch,
            "now": self._stored(now),
            "broadcast": broadcast_id,
            "rows": json.dumps(values),
        }
        self._cursor.execute(CLAIM[is_marketing], given)
        # Nothing comes back row by row. The transaction is the only writer, so a row that was due a moment ago still is.
        claimed = self._cursor.rowcount
        if claimed not in (0, len(values)):
            raise RuntimeError(f"{claimed} of {len(values)} due rows could be claimed by the only writer")
        return values.keys() if claimed else ()

    def suppress(self, now: datetime, reason: str, ids: Collection[int]) -> int:
        given = {"now": self._stored(now), "reason": reason, "rows": json.dumps(dict.fromkeys(ids, ""))}
        self._cursor.execute(SUPPRESS, given)
        return self._cursor.rowcount

    def accept(self, sender_id: int, now: datetime, code: int, texts: Mapping[int, str]) -> int:
        given = {"sender": sender_id, "now": self._stored(now), "code": code, "rows": json.dumps(texts)}
        self._cursor.execute(ACCEPT, given)
        return self._cursor.rowcount

    def tally(self, broadcast_id: int, sender_id: int, changes: Mapping[DeliveryState, int]) -> None:
        rows = [(broadcast_id, sender_id, str(state), change) for state, change in changes.items() if change]
        self._cursor.executemany(TALLY, rows)
