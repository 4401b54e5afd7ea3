"""The limits of recipients' domains in a sender's transactions: lines that are no more, and this process's share of connections."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core import ledger
from webapp.core.ledger import Lease
from webapp.core.ports import ReceiverConnections
from webapp.core.rules.receivers import ReceiverLimit
from webapp.core.sending.exchange import SendExchange

AHEAD = 20
"""So many mails are claimed for each connection to a receiver: some more than one carries until the next claim."""


class ReceiverKeeper:
    """What one sending process may use. Its share of a receiver's connections is what it was told last; the database has that, or more for
    as long as mails may be under way over more."""

    def __init__(self, lease: Lease, exchange: SendExchange) -> None:
        self._lease, self._exchange = lease, exchange
        self._shares: dict[int, int] = {}
        self._written: dict[int, int] = {}

    def heed(self, session: Session, limits: tuple[ReceiverLimit, ...], now: datetime) -> bool:
        """Heed the limits as they are now. True where rows still stand in lines of limits that are no more: call again soon."""
        standing = ledger.standing_in(session, self._lease.broadcast_id)
        gone = set(standing) - {limit.id for limit in limits}
        moved = ledger.disband(session, self._lease.broadcast_id, gone)
        if limits or self._shares:
            self._share(session, limits, standing, now)
        return moved > 0

    def rooms(self) -> Mapping[int, int]:
        """How many mails more it can use for receivers with a limit of connections, by the id of the limit."""
        lines = self._exchange.lines
        return {
            receiver: AHEAD * share - lines.standing(receiver) - self._exchange.under_way_to(receiver)
            for receiver, share in self._shares.items()
        }

    def leave(self, session: Session) -> None:
        """The process ends: others may have its shares."""
        if self._written:
            ledger.leave_receivers(session, self._lease)

    def _share(self, session: Session, limits: tuple[ReceiverLimit, ...], standing: list[int], now: datetime) -> None:
        shares: dict[int, int] = {}
        for limit in limits:
            if not limit.connections:
                continue
            under_way = self._exchange.under_way_to(limit.id)
            wants = limit.id in standing or under_way + self._exchange.lines.standing(limit.id) > 0
            # The mailer may still use as many as it was told last, and what is on its way goes on.
            holding = max(self._shares.get(limit.id, 0), min(under_way, self._written.get(limit.id, 0)))
            share = ledger.share_receiver(session, self._lease, limit, wants=wants, holding=holding, now=now)
            shares[limit.id], self._written[limit.id] = share, max(share, holding)
        self._shares = shares
        self._exchange.receiver_connections = {
            domain: ReceiverConnections(limit.id, shares[limit.id])
            for limit in limits
            if limit.id in shares
            for domain in limit.domains
        }
        self._exchange.wake()
