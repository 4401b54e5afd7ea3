"""The hot path on PostgreSQL.

Rows travel as one JSON object {delivery id: value}, of which `json_each_text` gives back each value as text: the driver takes much longer
to write an array of texts. Several senders write at a time, so rows are locked where two must not do the same, and passed by where one
would wait for the other.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from webapp.core.ledger.bars import BARRED
from webapp.core.ledger.on_both import CLAIMED_IN_LINE, CLAIMED_OF_ALL, CLAIMED_OF_ONE, STANDING, OnBoth
from webapp.core.ledger.rows import ClaimedNow, DueRow
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.pacing import Reading

LOCK_LIMITS = "SELECT 1 FROM sending_limits FOR NO KEY UPDATE"

# Rows that another sender is claiming are left to it.
_ROWS = """
SELECT d.id, d.client_id, d.service_id, d.addon_assignment_id, d.address, d.merge_values, d.stamped_at, d.attempts, {barred},
       d.language
FROM delivery d WHERE d.broadcast_id = %s AND d.state = 'pending' AND {due} LIMIT %s FOR NO KEY UPDATE OF d SKIP LOCKED
"""
DUE = {key: _ROWS.format(barred=one, due="d.due_at <= %s ORDER BY d.due_at DESC, d.id") for key, one in BARRED.items()}
UNTRIED = {key: _ROWS.format(barred=one, due="d.due_at = %s ORDER BY d.id") for key, one in BARRED.items()}

# Rows are found by their id: what else is asked of them is written so that no index answers it, and RENEW, which begins every transaction
# of a sender, forbids to read tables from end to end. Left alone, PostgreSQL goes by statistics that are older than the broadcast, and
# walks all its rows for each group.
_CLAIM = """
UPDATE delivery d SET state = 'claimed', sender_id = %(sender)s, epoch = %(epoch)s, attempts = d.attempts + 1, reason = NULL,
       stamped_at = coalesce(d.stamped_at, %(now)s), merge_values = coalesce(d.merge_values, r.value), changed_at = %(now)s
FROM json_each_text(%(rows)s::json) AS r(id, value)
WHERE d.id = r.id::bigint AND d.state || '' = 'pending' AND d.broadcast_id + 0 = %(broadcast)s
  AND ({barred}) IS NULL
  AND EXISTS (SELECT 1 FROM broadcast b WHERE b.id = %(broadcast)s AND b.state = 'sending' AND b.frozen_at IS NOT NULL)
  AND EXISTS (SELECT 1 FROM sender s WHERE s.id = %(sender)s AND s.epoch = %(epoch)s AND s.ended_at IS NULL)
RETURNING d.id
"""
CLAIM = {key: _CLAIM.format(barred=one) for key, one in BARRED.items()}

SUPPRESS = """
UPDATE delivery SET state = 'suppressed', reason = %s, changed_at = %s
WHERE id = ANY(%s::bigint[]) AND state = 'pending'
"""

ACCEPT = """
UPDATE delivery d SET state = 'accepted', reason = NULL, reply_code = %s, reply_text = r.text, stage = 'dot', sender_id = NULL,
       changed_at = %s
FROM json_each_text(%s::json) AS r(id, text)
WHERE d.id = r.id::bigint AND d.state || '' = 'claimed' AND d.sender_id + 0 = %s
"""

# All rows in one statement: each one more is a round trip.
TALLY = """
INSERT INTO tally (broadcast_id, sender_id, state, count)
SELECT %s, %s, r.state, r.change FROM unnest(%s::text[], %s::int[]) AS r(state, change)
ON CONFLICT (broadcast_id, sender_id, state) DO UPDATE SET count = tally.count + excluded.count
"""


class OnPostgresql(OnBoth):
    """`HotPath` on PostgreSQL."""

    # Also for the rest of the transaction, without a round trip: see CLAIM.
    RENEW = """
    UPDATE sender SET expires_at = ?, suspected_at = NULL, suspected_boot = NULL, suspected_ticks = NULL
    WHERE id = ? AND epoch = ? AND ended_at IS NULL RETURNING set_config('enable_seqscan', 'off', true)
    """
    LOCK_STANDING = STANDING + " FOR NO KEY UPDATE"
    # A row that another sender is adding to is left to it: who waited here might hold what the other needs next.
    JOIN_USE = """
    UPDATE pace_use SET taken_at = ?, ticks = ?, count = count + ?
    WHERE id = (SELECT id FROM pace_use WHERE broadcast_id = ? ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
      AND boot = ? AND ticks BETWEEN ? AND ?
    """

    def _marked(self, statement: str) -> str:
        return statement.replace("?", "%s")

    def _stored(self, moment: datetime) -> datetime:
        return moment

    def _instant(self, stored: datetime) -> datetime:
        return stored.astimezone(UTC)  # it comes in the time zone of the connection

    def lock_limits(self) -> None:
        self._run(LOCK_LIMITS)

    def claimed_now(self, broadcast_id: int, reading: Reading) -> ClaimedNow:
        # The senders may be on several machines, whose wall clocks differ: the database's is the same for all.
        counting, values = (CLAIMED_OF_ONE, (broadcast_id,)) if broadcast_id else (CLAIMED_OF_ALL, ())
        wall, mails = self._one(f"SELECT clock_timestamp(), ({counting})", *values)
        return ClaimedNow(replace(reading, wall=self._instant(wall)), mails)

    def claimed_in_line(self, line: datetime, reading: Reading) -> ClaimedNow:
        wall, mails = self._one(f"SELECT clock_timestamp(), ({CLAIMED_IN_LINE})", line)
        return ClaimedNow(replace(reading, wall=self._instant(wall)), mails)

    def due(self, broadcast_id: int, now: datetime, limit: int, *, is_marketing: bool) -> list[DueRow]:
        return self._due_rows(self._run(DUE[is_marketing], broadcast_id, now, limit).fetchall())

    def untried(self, broadcast_id: int, due_at: datetime, limit: int, *, is_marketing: bool) -> list[DueRow]:
        return self._due_rows(self._run(UNTRIED[is_marketing], broadcast_id, due_at, limit).fetchall())

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
        given = {"sender": sender_id, "epoch": epoch, "now": now, "broadcast": broadcast_id, "rows": json.dumps(values)}
        self._cursor.execute(CLAIM[is_marketing], given)
        # The ids come back: an address may have been suppressed a moment ago, in a transaction beside this one.
        return {delivery_id for [delivery_id] in self._cursor.fetchall()}

    def suppress(self, now: datetime, reason: str, ids: Collection[int]) -> int:
        self._cursor.execute(SUPPRESS, (reason, now, list(ids)))
        return self._cursor.rowcount

    def accept(self, sender_id: int, now: datetime, code: int, texts: Mapping[int, str]) -> int:
        self._cursor.execute(ACCEPT, (code, now, json.dumps(texts), sender_id))
        return self._cursor.rowcount

    def tally(self, broadcast_id: int, sender_id: int, changes: Mapping[DeliveryState, int]) -> None:
        # In one order, so that no two transactions wait for each other.
        moved = sorted((str(state), change) for state, change in changes.items() if change)
        self._cursor.execute(
            TALLY, (broadcast_id, sender_id, [state for state, _ in moved], [change for _, change in moved])
        )
