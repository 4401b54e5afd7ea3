"""The hot path on PostgreSQL: each group of rows in one statement, on the driver's own cursor.

Rows travel as one JSON object {delivery id: value}, of which `json_each_text` gives back each value as text: the driver takes much longer
to write an array of texts.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from webapp.core.rules.pacing import Reading, Use

TERMS = "SELECT state, frozen_at IS NOT NULL, batch_size, interval_s, probing FROM broadcast WHERE id = %s"
LOCK = TERMS + " FOR NO KEY UPDATE"
CLAIMED_NOW = """
SELECT clock_timestamp(), coalesce((SELECT sum(count) FROM tally WHERE broadcast_id = %s AND state = 'claimed'), 0)::int
"""
CLAIMED_BY_ALL = """
SELECT clock_timestamp(), coalesce(sum(t.count), 0)::int FROM sender s
JOIN tally t ON t.broadcast_id = s.broadcast_id AND t.sender_id = s.id AND t.state = 'claimed' WHERE s.ended_at IS NULL
"""
LEFT_SINCE = "SELECT coalesce(sum(accepted + other), 0)::bigint, min(minute) FROM minute_count WHERE minute > %s"
LOCK_LIMITS = "SELECT 1 FROM sending_limits FOR NO KEY UPDATE"
USES = "SELECT id, taken_at, boot, ticks, count FROM pace_use WHERE broadcast_id = %s ORDER BY id DESC LIMIT %s"
FORGET = "DELETE FROM pace_use WHERE broadcast_id = %s AND id < %s"
USE = "INSERT INTO pace_use (broadcast_id, taken_at, boot, ticks, count) VALUES (%s, %s, %s, %s, %s)"

# A row that another sender is adding to is left to it: who waited here might hold what the other needs next.
JOIN_USE = """
UPDATE pace_use SET taken_at = %s, ticks = %s, count = count + %s
WHERE id = (SELECT id FROM pace_use WHERE broadcast_id = %s ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
  AND boot = %s AND ticks BETWEEN %s AND %s
"""

DUE = """
SELECT d.id, d.client_id, d.service_id, d.addon_assignment_id, d.address, d.merge_values, d.stamped_at, d.attempts,
       EXISTS (SELECT 1 FROM suppression s WHERE s.address_key = d.address_key)
FROM delivery d WHERE d.broadcast_id = %s AND d.state = 'pending' AND d.due_at <= %s
ORDER BY d.due_at DESC, d.id LIMIT %s FOR NO KEY UPDATE OF d SKIP LOCKED
"""
UNTRIED = DUE.replace("d.due_at <= %s\nORDER BY d.due_at DESC, d.id", "d.due_at = %s\nORDER BY d.id")

# Rows are found by their id: what else is asked of them is written so that no index answers it, and RENEW, which begins every transaction
# of a sender, forbids to read tables from end to end. Left alone, PostgreSQL goes by statistics that are older than the broadcast, and
# walks all its rows for each group.
CLAIM = """
UPDATE delivery d SET state = 'claimed', sender_id = %(sender)s, epoch = %(epoch)s, attempts = d.attempts + 1, reason = NULL,
       stamped_at = coalesce(d.stamped_at, %(now)s), merge_values = coalesce(d.merge_values, r.value), changed_at = %(now)s
FROM json_each_text(%(rows)s::json) AS r(id, value)
WHERE d.id = r.id::bigint AND d.state || '' = 'pending' AND d.broadcast_id + 0 = %(broadcast)s
  AND NOT EXISTS (SELECT 1 FROM suppression s WHERE s.address_key = d.address_key)
  AND EXISTS (SELECT 1 FROM broadcast b WHERE b.id = %(broadcast)s AND b.state = 'sending' AND b.frozen_at IS NOT NULL)
  AND EXISTS (SELECT 1 FROM sender s WHERE s.id = %(sender)s AND s.epoch = %(epoch)s AND s.ended_at IS NULL)
RETURNING d.id
"""

SUPPRESS = """
UPDATE delivery SET state = 'suppressed', reason = 'suppressed', changed_at = %s
WHERE id = ANY(%s::bigint[]) AND state = 'pending'
"""

ACCEPT = """
UPDATE delivery d SET state = 'accepted', reason = NULL, reply_code = %s, reply_text = r.text, stage = 'dot', sender_id = NULL,
       changed_at = %s
FROM json_each_text(%s::json) AS r(id, text)
WHERE d.id = r.id::bigint AND d.state || '' = 'claimed' AND d.sender_id + 0 = %s
"""

RENEW = """
UPDATE sender SET expires_at = %s, suspected_at = NULL, suspected_boot = NULL, suspected_ticks = NULL
WHERE id = %s AND epoch = %s AND ended_at IS NULL RETURNING set_config('enable_seqscan', 'off', true)
"""

TALLY = """
INSERT INTO tally (broadcast_id, sender_id, state, count)
SELECT %s, %s, r.state, r.change FROM unnest(%s::text[], %s::int[]) AS r(state, change)
ON CONFLICT (broadcast_id, sender_id, state) DO UPDATE SET count = tally.count + excluded.count
"""

MINUTE = """
INSERT INTO minute_count (broadcast_id, sender_id, minute, accepted, other) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (broadcast_id, sender_id, minute)
DO UPDATE SET accepted = minute_count.accepted + excluded.accepted, other = minute_count.other + excluded.other
"""


def as_instant(stored: datetime) -> datetime:
    return stored.astimezone(UTC)


def renew(cursor: Any, sender_id: int, epoch: int, expires_at: datetime) -> bool:
    cursor.execute(RENEW, (expires_at, sender_id, epoch))
    return bool(cursor.rowcount == 1)


def terms(cursor: Any, broadcast_id: int) -> tuple[str, bool, int, int, bool] | None:
    """State, whether frozen, batch size, interval, whether probing."""
    row: tuple[str, bool, int, int, bool] | None = cursor.execute(TERMS, (broadcast_id,)).fetchone()
    return row


def lock_terms(cursor: Any, broadcast_id: int) -> tuple[str, bool, int, int, bool] | None:
    """The same, and no other sender of this broadcast takes its pace until the end of the transaction."""
    row: tuple[str, bool, int, int, bool] | None = cursor.execute(LOCK, (broadcast_id,)).fetchone()
    return row


def lock_limits(cursor: Any) -> None:
    """No other sender takes from the ceilings until the end of the transaction."""
    cursor.execute(LOCK_LIMITS)


def claimed_now(cursor: Any, broadcast_id: int, reading: Reading) -> tuple[Reading, int]:
    """The reading with the database's wall clock, which all machines share, and how many mails of the broadcast, or for 0 of all, are
    claimed by anybody."""
    asked = (CLAIMED_NOW, (broadcast_id,)) if broadcast_id else (CLAIMED_BY_ALL,)
    wall, claimed = cursor.execute(*asked).fetchone()
    return replace(reading, wall=wall), claimed


def left_since(cursor: Any, since: datetime) -> tuple[int, datetime | None]:
    """How many mails of all broadcasts were counted in the minutes after `since`, and the first of these."""
    row: tuple[int, datetime | None] = cursor.execute(LEFT_SINCE, (since,)).fetchone()
    return row


def uses(cursor: Any, broadcast_id: int, limit: int) -> list[tuple[int, Use]]:
    """The last uses of the pace with their ids, newest first."""
    rows = cursor.execute(USES, (broadcast_id, limit)).fetchall()
    return [(row[0], Use(Reading(row[1], row[2], row[3]), row[4])) for row in rows]


def forget_uses(cursor: Any, broadcast_id: int, before_id: int) -> None:
    cursor.execute(FORGET, (broadcast_id, before_id))


def join_use(cursor: Any, broadcast_id: int, use: Use, since: float) -> bool:
    """Add a use to the last one there is, and date that as this; False when that was before `since` (ticks) or told by another boot."""
    at = use.at
    cursor.execute(JOIN_USE, (at.wall, at.ticks, use.count, broadcast_id, at.boot, since, at.ticks))
    return bool(cursor.rowcount == 1)


def use(cursor: Any, broadcast_id: int, uses: Iterable[Use]) -> None:
    rows = [(broadcast_id, use.at.wall, use.at.boot, use.at.ticks, use.count) for use in uses]
    cursor.executemany(USE, rows)


def due(cursor: Any, broadcast_id: int, now: datetime, limit: int) -> Sequence[Sequence]:
    rows: Sequence[Sequence] = cursor.execute(DUE, (broadcast_id, now, limit)).fetchall()
    return rows


def untried(cursor: Any, broadcast_id: int, due_at: datetime, limit: int) -> Sequence[Sequence]:
    """The same of those due at exactly that instant: nobody has tried them."""
    rows: Sequence[Sequence] = cursor.execute(UNTRIED, (broadcast_id, due_at, limit)).fetchall()
    return rows


def claim(
    cursor: Any,
    broadcast_id: int,
    sender_id: int,
    epoch: int,
    now: datetime,
    values: Mapping[int, Sequence[str]],
) -> Collection[int]:
    """The ids that are claimed now; one whose address was suppressed a moment ago is not among them."""
    cursor.execute(
        CLAIM,
        {
            "sender": sender_id,
            "epoch": epoch,
            "now": now,
            "broadcast": broadcast_id,
            "rows": json.dumps(values),
        },
    )
    return {row[0] for row in cursor.fetchall()}


def suppress(cursor: Any, now: datetime, ids: Iterable[int]) -> int:
    cursor.execute(SUPPRESS, (now, list(ids)))
    return int(cursor.rowcount)


def accept(cursor: Any, sender_id: int, now: datetime, code: int, texts: Mapping[int, str]) -> int:
    cursor.execute(ACCEPT, (code, now, json.dumps(texts), sender_id))
    return int(cursor.rowcount)


def tally(cursor: Any, broadcast_id: int, sender_id: int, changes: Mapping[str, int]) -> None:
    # In one order, so that no two transactions wait for each other.
    moved = sorted((str(state), change) for state, change in changes.items() if change)
    cursor.execute(TALLY, (broadcast_id, sender_id, [state for state, _ in moved], [change for _, change in moved]))


def count_minute(cursor: Any, broadcast_id: int, sender_id: int, minute: datetime, accepted: int, other: int) -> None:
    cursor.execute(MINUTE, (broadcast_id, sender_id, minute, accepted, other))
