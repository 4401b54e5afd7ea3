"""Clients by what became of them in earlier broadcasts: read from the ledger, as it is when somebody asks."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, literal_column, select
from sqlalchemy.orm import Session

from webapp.core.audience.bits import bit, bits_of
from webapp.core.audience.filter import AudienceFilter
from webapp.core.audience.memory import block_of, members
from webapp.core.rules.earlier import REACHED, EarlierOutcome
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.deliveries import CLIENTS, Delivery, Tally
from webapp.core.tables.stamps import BLOCK_BITS

Blocks = Mapping[int, int]
"""Clients as bits, by block number."""

Counts = frozenset[tuple[int, str, int]]
"""The counts of a broadcast by sender and state."""

KEPT = 32
"""Sets kept for each database; one of a million clients takes 125 kB."""

_Key = tuple[int, tuple[DeliveryState, ...]]
_kept: WeakKeyDictionary[Engine, OrderedDict[_Key, tuple[Counts, Blocks]]] = WeakKeyDictionary()
_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class Among:
    """What the ledger lets through of a filter: `included` are those in any of the outcomes it asks for (None: it asks for none),
    `excluded` those whom a mail has reached that it leaves out."""

    included: Blocks | None
    excluded: Blocks

    def cut(self, number: int, bits: int, *, besides: str | None = None) -> int:
        """What is left of a block's clients, without asking the criterion `besides`."""
        if self.included is not None and besides != "earlier_outcomes":
            bits &= self.included.get(number, 0)
        return bits if besides == "not_reached_by" else bits & ~self.excluded.get(number, 0)


def clients_of(session: Session, outcome: EarlierOutcome) -> Blocks:
    """The clients of a broadcast whom this became of; none of a broadcast that does not exist."""
    return members_of(session, outcome.broadcast_id, outcome.fate.states)


def is_in(client_id: int, blocks: Blocks) -> bool:
    return bool(blocks.get(client_id >> BLOCK_BITS, 0) & bit(client_id))


def members_of(session: Session, broadcast_id: int, states: tuple[DeliveryState, ...]) -> Blocks:
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
    blocks = _read(session, broadcast_id, states) if counts else {}
    with _guard:
        kept[key] = counts, blocks
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return blocks


def allowed(session: Session, filter_: AudienceFilter) -> Among:
    """Whom the ledger lets through of those whom a filter asks for."""
    outcomes, left_out = filter_.earlier_outcomes, filter_.not_reached_by
    included = _any_of(clients_of(session, outcome) for outcome in outcomes) if outcomes else None
    return Among(included, _any_of(members_of(session, broadcast_id, REACHED) for broadcast_id in left_out))


def _any_of(sets: Iterable[Blocks]) -> Blocks:
    found: dict[int, int] = {}
    for one in sets:
        for number, bits in one.items():
            found[number] = found.get(number, 0) | bits
    return found


def _counts(session: Session, broadcast_id: int) -> Counts:
    query = select(Tally.sender_id, Tally.state, Tally.count).where(Tally.broadcast_id == broadcast_id)
    return frozenset((sender, state.value, count) for sender, state, count in session.execute(query))


def _read(session: Session, broadcast_id: int, states: tuple[DeliveryState, ...]) -> Blocks:
    """From the index of states alone: it holds the id, whose lower half is the client."""
    found: dict[int, int] = {}
    for state in states:
        rows = (
            select(Delivery.id.bitwise_and(literal_column(str(CLIENTS - 1))).label("client"))
            .where(Delivery.broadcast_id == broadcast_id, Delivery.state == state)
            .subquery()
        )
        query = select(block_of(rows.c.client), members(session, rows.c.client)).group_by("block")
        for number, text in session.execute(query):
            found[number] = found.get(number, 0) | bits_of(text)
    return found
