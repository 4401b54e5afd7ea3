"""Clients by what became of them in earlier broadcasts: read from the ledger, as it is when somebody asks."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, literal_column, select
from sqlalchemy.orm import Session

from webapp.core.audience.filter import AudienceFilter
from webapp.core.audience.set_queries import set_of
from webapp.core.client_set import NOBODY, ClientSet
from webapp.core.rules.earlier import REACHED, EarlierOutcome
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.deliveries import CLIENTS, Delivery, Tally

Counts = frozenset[tuple[int, str, int]]
"""The counts of a broadcast by sender and state."""

KEPT = 32
"""Sets kept for each database; one of a million clients takes 125 kB."""

_Key = tuple[int, tuple[DeliveryState, ...]]
_kept: WeakKeyDictionary[Engine, OrderedDict[_Key, tuple[Counts, ClientSet]]] = WeakKeyDictionary()
_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class Among:
    """What the ledger lets through of a filter: `included` are those in any of the outcomes it asks for (None: it asks for none),
    `excluded` those whom a mail has reached that it leaves out."""

    included: ClientSet | None
    excluded: ClientSet

    def cut(self, clients: ClientSet, *, besides: str | None = None) -> ClientSet:
        """What is left of some clients, without asking the criterion `besides`."""
        if self.included is not None and besides != "earlier_outcomes":
            clients &= self.included
        return clients if besides == "not_reached_by" else clients - self.excluded


def clients_of(session: Session, outcome: EarlierOutcome) -> ClientSet:
    """The clients of a broadcast whom this became of; none of a broadcast that does not exist."""
    return members_of(session, outcome.broadcast_id, outcome.fate.states)


def members_of(session: Session, broadcast_id: int, states: tuple[DeliveryState, ...]) -> ClientSet:
    """The clients of a broadcast whose delivery is in one of the states.

    A set is read anew when the counts of its broadcast have changed, sender by sender. No two different sets have the same: a row enters a
    state and leaves it in different hands (what a sender counts as failed, the console takes back), and no hand moves rows in a circle
    into and out of any set that is asked for. Not to be asked in a transaction that moves rows itself.
    """
    engine = session.get_bind().engine
    # The counts are read first: what changes after that is read too, and read again next time.
    counts, key = _counts(session, broadcast_id), (broadcast_id, states)
    with _guard:
        kept = _kept.setdefault(engine, OrderedDict())
        if key in kept:
            kept.move_to_end(key)
            if kept[key][0] == counts:
                return kept[key][1]
    clients = _read(session, broadcast_id, states) if counts else NOBODY
    with _guard:
        kept[key] = counts, clients
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return clients


def allowed(session: Session, filter_: AudienceFilter) -> Among:
    """Whom the ledger lets through of those whom a filter asks for."""
    outcomes, left_out = filter_.earlier_outcomes, filter_.not_reached_by
    included = ClientSet.any_of(clients_of(session, outcome) for outcome in outcomes) if outcomes else None
    return Among(included, ClientSet.any_of(members_of(session, broadcast_id, REACHED) for broadcast_id in left_out))


def _counts(session: Session, broadcast_id: int) -> Counts:
    query = select(Tally.sender_id, Tally.state, Tally.count).where(Tally.broadcast_id == broadcast_id)
    return frozenset((sender, state.value, count) for sender, state, count in session.execute(query))


def _read(session: Session, broadcast_id: int, states: tuple[DeliveryState, ...]) -> ClientSet:
    """From the index of states alone: it holds the id, whose lower half is the client."""
    found = []
    for state in states:
        rows = (
            select(Delivery.id.bitwise_and(literal_column(str(CLIENTS - 1))).label("client"))
            .where(Delivery.broadcast_id == broadcast_id, Delivery.state == state)
            .subquery()
        )
        found.append(set_of(session, rows.c.client))
    return ClientSet.any_of(found)
