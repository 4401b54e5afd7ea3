"""The hot path on SQLite: each group of rows in one statement, on the driver's own cursor.

Rows travel as one JSON object {delivery id: value}, of which `json_each` gives back each value as text; one statement for a group also
lets the other thread run meanwhile, because the driver lets go of the interpreter once per step and not once per row.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from webapp.core.rules.pacing import Reading, Use

TERMS = "SELECT state, frozen_at IS NOT NULL, batch_size, interval_s, probing FROM broadcast WHERE id = ?"
CLAIMED_NOW = "SELECT coalesce(sum(count), 0) FROM tally WHERE broadcast_id = ? AND state = 'claimed'"
CLAIMED_BY_ALL = """
SELECT coalesce(sum(t.count), 0) FROM sender s
JOIN tally t ON t.broadcast_id = s.broadcast_id AND t.sender_id = s.id AND t.state = 'claimed' WHERE s.ended_at IS NULL
"""
LEFT_SINCE = "SELECT coalesce(sum(accepted + other), 0), min(minute) FROM minute_count WHERE minute > ?"
USES = "SELECT id, taken_at, boot, ticks, count FROM pace_use WHERE broadcast_id = ? ORDER BY id DESC LIMIT ?"
FORGET = "DELETE FROM pace_use WHERE broadcast_id = ? AND id < ?"
USE = "INSERT INTO pace_use (broadcast_id, taken_at, boot, ticks, count) VALUES (?, ?, ?, ?, ?)"
JOIN_USE = """
UPDATE pace_use SET taken_at = ?, ticks = ?, count = count + ?
WHERE id = (SELECT max(id) FROM pace_use WHERE broadcast_id = ?) AND boot = ? AND ticks BETWEEN ? AND ?
"""

# One text for all rows: with each row of a result the driver lets go of the interpreter, and takes it back from the thread that talks to
# the relay.
DUE = """
SELECT json_group_array(json_array(id, client_id, service_id, addon_assignment_id, address, merge_values, stamped_at, attempts, suppressed))
FROM (SELECT d.id, d.client_id, d.service_id, d.addon_assignment_id, d.address, d.merge_values, d.stamped_at, d.attempts,
             s.address_key IS NOT NULL AS suppressed
      FROM delivery d LEFT JOIN suppression s ON s.address_key = d.address_key
      WHERE d.broadcast_id = ? AND d.state = 'pending' AND d.due_at <= ? ORDER BY d.due_at DESC, d.id LIMIT ?)
"""
UNTRIED = DUE.replace("d.due_at <= ? ORDER BY d.due_at DESC, d.id", "d.due_at = ? ORDER BY d.id")

# NOT INDEXED: rows are found by their id. Left alone, SQLite walks all rows of that state, once for each of the group.
CLAIM = """
UPDATE delivery NOT INDEXED SET state = 'claimed', sender_id = :sender, epoch = :epoch, attempts = attempts + 1, reason = NULL,
       stamped_at = coalesce(stamped_at, :now), merge_values = coalesce(merge_values, j.value), changed_at = :now
FROM json_each(:rows) AS j
WHERE delivery.id = CAST(j.key AS INTEGER) AND delivery.state = 'pending' AND delivery.broadcast_id = :broadcast
  AND delivery.address_key NOT IN (SELECT address_key FROM suppression)
  AND EXISTS (SELECT 1 FROM broadcast b WHERE b.id = :broadcast AND b.state = 'sending' AND b.frozen_at IS NOT NULL)
  AND EXISTS (SELECT 1 FROM sender s WHERE s.id = :sender AND s.epoch = :epoch AND s.ended_at IS NULL)
"""

SUPPRESS = """
UPDATE delivery NOT INDEXED SET state = 'suppressed', reason = 'suppressed', changed_at = :now
FROM json_each(:rows) AS j WHERE delivery.id = CAST(j.key AS INTEGER) AND delivery.state = 'pending'
"""

ACCEPT = """
UPDATE delivery NOT INDEXED SET state = 'accepted', reason = NULL, reply_code = :code, reply_text = j.value, stage = 'dot',
       sender_id = NULL, changed_at = :now
FROM json_each(:rows) AS j
WHERE delivery.id = CAST(j.key AS INTEGER) AND delivery.state = 'claimed' AND delivery.sender_id = :sender
"""

RENEW = """
UPDATE sender SET expires_at = :expires, suspected_at = NULL, suspected_boot = NULL, suspected_ticks = NULL
WHERE id = :sender AND epoch = :epoch AND ended_at IS NULL
"""

TALLY = """
INSERT INTO tally (broadcast_id, sender_id, state, count) VALUES (?, ?, ?, ?)
ON CONFLICT (broadcast_id, sender_id, state) DO UPDATE SET count = count + excluded.count
"""

MINUTE = """
INSERT INTO minute_count (broadcast_id, sender_id, minute, accepted, other) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (broadcast_id, sender_id, minute) DO UPDATE SET accepted = accepted + excluded.accepted, other = other + excluded.other
"""


def instant(moment: datetime) -> str:
    """An instant as `UtcDateTime` stores it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def as_instant(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def renew(cursor: Any, sender_id: int, epoch: int, expires_at: datetime) -> bool:
    cursor.execute(RENEW, {"sender": sender_id, "epoch": epoch, "expires": instant(expires_at)})
    return bool(cursor.rowcount == 1)


def terms(cursor: Any, broadcast_id: int) -> tuple[str, bool, int, int, bool] | None:
    """State, whether frozen, batch size, interval, whether probing."""
    row: tuple[str, bool, int, int, bool] | None = cursor.execute(TERMS, (broadcast_id,)).fetchone()
    return row


lock_terms = terms
"""No other sender takes the pace of this broadcast until the end of the transaction: SQLite has one writer at a time."""


def lock_limits(cursor: Any) -> None:
    """No other sender takes from the ceilings until the end of the transaction: SQLite has one writer at a time."""


def claimed_now(cursor: Any, broadcast_id: int, reading: Reading) -> tuple[Reading, int]:
    """The reading (the database is on this machine), and how many mails of the broadcast, or for 0 of all, are claimed by anybody."""
    asked = (CLAIMED_NOW, (broadcast_id,)) if broadcast_id else (CLAIMED_BY_ALL,)
    return reading, cursor.execute(*asked).fetchone()[0]


def left_since(cursor: Any, since: datetime) -> tuple[int, datetime | None]:
    """How many mails of all broadcasts were counted in the minutes after `since`, and the first of these."""
    count, first = cursor.execute(LEFT_SINCE, (instant(since),)).fetchone()
    return count, None if first is None else as_instant(first)


def uses(cursor: Any, broadcast_id: int, limit: int) -> list[tuple[int, Use]]:
    """The last uses of the pace with their ids, newest first."""
    rows = cursor.execute(USES, (broadcast_id, limit)).fetchall()
    return [(row[0], Use(Reading(as_instant(row[1]), row[2], row[3]), row[4])) for row in rows]


def forget_uses(cursor: Any, broadcast_id: int, before_id: int) -> None:
    cursor.execute(FORGET, (broadcast_id, before_id))


def join_use(cursor: Any, broadcast_id: int, use: Use, since: float) -> bool:
    """Add a use to the last one there is, and date that as this; False when that was before `since` (ticks) or told by another boot."""
    at = use.at
    cursor.execute(JOIN_USE, (instant(at.wall), at.ticks, use.count, broadcast_id, at.boot, since, at.ticks))
    return bool(cursor.rowcount == 1)


def use(cursor: Any, broadcast_id: int, uses: Iterable[Use]) -> None:
    rows = [(broadcast_id, instant(use.at.wall), use.at.boot, use.at.ticks, use.count) for use in uses]
    cursor.executemany(USE, rows)


def due(cursor: Any, broadcast_id: int, now: datetime, limit: int) -> Sequence[Sequence]:
    rows: Sequence[Sequence] = json.loads(cursor.execute(DUE, (broadcast_id, instant(now), limit)).fetchone()[0])
    return rows


def untried(cursor: Any, broadcast_id: int, due_at: datetime, limit: int) -> Sequence[Sequence]:
    """The same of those due at exactly that instant: nobody has tried them."""
    row = cursor.execute(UNTRIED, (broadcast_id, instant(due_at), limit)).fetchone()
    rows: Sequence[Sequence] = json.loads(row[0])
    return rows


def claim(
    cursor: Any,
    broadcast_id: int,
    sender_id: int,
    epoch: int,
    now: datetime,
    values: Mapping[int, Sequence[str]],
) -> Collection[int]:
    """The ids that are claimed now. The transaction is the only writer, so a row that was due a moment ago still is."""
    cursor.execute(
        CLAIM,
        {
            "sender": sender_id,
            "epoch": epoch,
            "now": instant(now),
            "broadcast": broadcast_id,
            "rows": json.dumps(values),
        },
    )
    if cursor.rowcount not in (0, len(values)):
        raise RuntimeError(f"{cursor.rowcount} of {len(values)} due rows could be claimed by the only writer")
    return values.keys() if cursor.rowcount else ()


def suppress(cursor: Any, now: datetime, ids: Iterable[int]) -> int:
    cursor.execute(SUPPRESS, {"now": instant(now), "rows": json.dumps(dict.fromkeys(ids, ""))})
    return int(cursor.rowcount)


def accept(cursor: Any, sender_id: int, now: datetime, code: int, texts: Mapping[int, str]) -> int:
    cursor.execute(ACCEPT, {"sender": sender_id, "now": instant(now), "code": code, "rows": json.dumps(texts)})
    return int(cursor.rowcount)


def tally(cursor: Any, broadcast_id: int, sender_id: int, changes: Mapping[str, int]) -> None:
    cursor.executemany(
        TALLY, [(broadcast_id, sender_id, str(state), change) for state, change in changes.items() if change]
    )


def count_minute(cursor: Any, broadcast_id: int, sender_id: int, minute: datetime, accepted: int, other: int) -> None:
    cursor.execute(MINUTE, (broadcast_id, sender_id, instant(minute), accepted, other))
