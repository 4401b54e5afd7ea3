"""The hot path: what happens to rows with each group of mails, in statements written for each database.

They run on the driver's cursor inside the session's transaction, past SQLAlchemy, which would take longer than all the rest of a group of
100 mails. `on_both.py` has what both databases do alike; `on_sqlite.py` and `on_postgresql.py` have the rest, with the reason for each
difference.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from webapp.core.ledger.on_postgresql import OnPostgresql
from webapp.core.ledger.on_sqlite import OnSqlite
from webapp.core.ledger.rows import ClaimedNow, Counted, DueRow, KnownUse, Standing
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.pacing import Reading, Use


class HotPath(Protocol):
    """The operations on rows. All instants are aware; those that come back are in UTC. Broadcast 0 stands for all broadcasts together
    where a pace is kept."""

    def renew(self, sender_id: int, epoch: int, expires_at: datetime) -> bool:
        """Prolong a lease, and clear what was suspected of it; False when the lease has another epoch by now. A sender begins each
        transaction with it."""

    def standing(self, broadcast_id: int) -> Standing | None:
        """Whether and how fast a broadcast may send; None without such a broadcast."""

    def lock_standing(self, broadcast_id: int) -> Standing | None:
        """The same; and keep other senders from this broadcast's pace until the end of the transaction."""

    def lock_limits(self) -> None:
        """Keep other senders from the ceilings until the end of the transaction."""

    def claimed_now(self, broadcast_id: int, reading: Reading) -> ClaimedNow:
        """How many mails of the broadcast (0: of all broadcasts) are claimed, by whichever sender. Returns the reading, too, with the wall
        clock that all senders of this database share."""

    def claimed_in_line(self, line: datetime, reading: Reading) -> ClaimedNow:
        """The same for mails of all broadcasts that were claimed out of a line (`order.line`)."""

    def left_since(self, since: datetime) -> Counted:
        """How many mails of all broadcasts were counted in the minutes after `since`."""

    def uses(self, broadcast_id: int, limit: int) -> list[KnownUse]:
        """The last uses of a pace, the newest first."""

    def forget_uses(self, broadcast_id: int, before_id: int) -> None:
        """Delete the uses of a pace whose id is below `before_id`."""

    def join_use(self, broadcast_id: int, use: Use, since: float) -> bool:
        """Add a use to the last one there is, and give that the date of this one. False, and nothing changes, when the last one is older
        than `since` (ticks), later than this one, or of another boot, or when another sender is adding to it."""

    def add_uses(self, broadcast_id: int, uses: Iterable[Use]) -> None:
        """Remember uses of a pace, given in the order of time."""

    def due(self, broadcast_id: int, now: datetime, limit: int, *, is_marketing: bool) -> list[DueRow]:
        """Pending deliveries that are due, in the order in which to claim them. Nobody else claims them before the end of the
        transaction; rows that somebody else is claiming are left out."""

    def untried(self, broadcast_id: int, due_at: datetime, limit: int, *, is_marketing: bool) -> list[DueRow]:
        """The same for deliveries that are due at exactly that instant, by rising id: nobody has tried them."""

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
        """Claim pending deliveries, and fix their values and their Date where that is not done yet. `values` has the values of the tags by
        delivery id. Returns the ids that are claimed now: none when the broadcast may not send or the lease has another epoch, and none
        whose address must not get it."""

    def suppress(self, now: datetime, reason: str, ids: Collection[int]) -> int:
        """Move pending deliveries whose address must not be mailed to `suppressed`, for this reason. Returns how many."""

    def accept(self, sender_id: int, now: datetime, code: int, texts: Mapping[int, str]) -> int:
        """Record that the relay took mails which this sender had claimed. `texts` has the text after the `code` by delivery id. Returns
        how many rows were this sender's."""

    def tally(self, broadcast_id: int, sender_id: int, changes: Mapping[DeliveryState, int]) -> None:
        """Add to a sender's counts of a broadcast by state; changes may be negative."""

    def count_minute(self, broadcast_id: int, sender_id: int, minute: datetime, accepted: int, other: int) -> None:
        """Add to a sender's counts of a minute of a broadcast."""


def hot(session: Session) -> HotPath:
    """The operations on the session's database, inside its transaction."""
    connection = session.connection()
    cursor = connection.connection.cursor()
    return OnSqlite(cursor) if connection.dialect.name == "sqlite" else OnPostgresql(cursor)
