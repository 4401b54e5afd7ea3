"""The hot path: what happens to rows with each group of mails, in statements of each database's own.

They run on the driver's cursor inside the session's transaction, past SQLAlchemy, which costs more than all the rest of a group of a
hundred mails. `on_both.py` has what both databases do alike; `on_sqlite.py` and `on_postgresql.py` have the rest, with the reason of each
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
        """Prolong a lease, and clear what was suspected of it; False when it is not this epoch's any more. Begins each transaction of a
        sender."""

    def standing(self, broadcast_id: int) -> Standing | None:
        """Whether and how fast a broadcast may send; None without such a broadcast."""

    def lock_standing(self, broadcast_id: int) -> Standing | None:
        """The same, and no other sender takes this broadcast's pace until the end of the transaction."""

    def lock_limits(self) -> None:
        """Let no other sender take from the ceilings until the end of the transaction."""

    def claimed_now(self, broadcast_id: int, reading: Reading) -> ClaimedNow:
        """How many mails of the broadcast, or for 0 of all, are claimed by anybody. The reading's wall clock becomes the one that all
        senders of this database share."""

    def left_since(self, since: datetime) -> Counted:
        """How many mails of all broadcasts were counted in the minutes after `since`."""

    def uses(self, broadcast_id: int, limit: int) -> list[KnownUse]:
        """The last uses of a pace, the newest first."""

    def forget_uses(self, broadcast_id: int, before_id: int) -> None:
        """Delete the uses of a pace whose id is below `before_id`."""

    def join_use(self, broadcast_id: int, use: Use, since: float) -> bool:
        """Add a use to the last one there is, and date that as this. False, and nothing is done, when the last one is older than `since`
        (ticks), later than this, or was told by another boot; and where somebody else is at it."""

    def add_uses(self, broadcast_id: int, uses: Iterable[Use]) -> None:
        """Remember uses of a pace, given in the order of time."""

    def due(self, broadcast_id: int, now: datetime, limit: int, *, is_marketing: bool) -> list[DueRow]:
        """Pending deliveries that are due, in the order in which they are to be claimed. Nobody else claims them before the end of the
        transaction; rows that somebody else is claiming are left out."""

    def untried(self, broadcast_id: int, due_at: datetime, limit: int, *, is_marketing: bool) -> list[DueRow]:
        """The same of those due at exactly that instant, by rising id: nobody has tried them."""

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
        """Claim pending deliveries, and fix what they say and their Date where that is not fixed yet. `values` has by delivery id what its
        tags say. The ids that are claimed now: none where the broadcast may not send or the lease is not this epoch's, and none whose
        address must not get it."""

    def suppress(self, now: datetime, reason: str, ids: Collection[int]) -> int:
        """Move pending deliveries whose address must not be mailed to `suppressed`, for this reason. Returns how many."""

    def accept(self, sender_id: int, now: datetime, code: int, texts: Mapping[int, str]) -> int:
        """Record that the relay took mails which this sender had claimed. `texts` has by delivery id what it said after the `code`.
        Returns how many."""

    def tally(self, broadcast_id: int, sender_id: int, changes: Mapping[DeliveryState, int]) -> None:
        """Add to a sender's counts of a broadcast by state; changes may be negative."""

    def count_minute(self, broadcast_id: int, sender_id: int, minute: datetime, accepted: int, other: int) -> None:
        """Add to a sender's counts of a minute of a broadcast."""


def hot(session: Session) -> HotPath:
    """The operations on the session's database, inside its transaction."""
    connection = session.connection()
    cursor = connection.connection.cursor()
    return OnSqlite(cursor) if connection.dialect.name == "sqlite" else OnPostgresql(cursor)
