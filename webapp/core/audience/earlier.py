"""Clients by what became of them in earlier broadcasts: read from the ledger, as it is when somebody asks."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, literal_column, select
from sqlalchemy.orm import Session

from webapp.core.audience.bits import bits_of
from webapp.core.audience.filter import AudienceFilter
from webapp.core.audience.memory import block_of, members
from webapp.core.rules.earlier import EarlierOutcome
from webapp.core.tables.deliveries import CLIENTS, Delivery, Tally

Blocks = Mapping[int, int]
"""Clients as bits, by block number."""

Counts = frozenset[tuple[int, str, int]]
"""The counts of a broadcast by sender and state."""

KEPT = 32
"""Sets kept for each database; one of a million clients takes 125 kB."""

_kept: WeakKeyDictionary[Engine, OrderedDict[EarlierOutcome, tuple[Counts, Blocks]]] = WeakKeyDictionary()
_guard = threading.Lock()


def clients_of(session: Session, outcome: EarlierOutcome) -> Blocks:
    """The clients of a broadcast whom this became of; none of a broadcast that does not exist.

    A set is read anew when the counts of its broadcast have changed, sender by sender. No two different sets have the same: a row enters a
    state and leaves it in different hands (what a sender counts as failed, the console takes back), and no hand moves rows in a circle
    through any of these states. Not to be asked in a transaction that moves rows itself.
    """
    engine = session.get_bind().engine
    # The counts are read first: what changes after that is read too, and read again next time.
    counts = _counts(session, outcome.broadcast_id)
    with _guard:
        kept = _kept.setdefault(engine, OrderedDict())
        if outcome in kept:
            kept.move_to_end(outcome)
            if kept[outcome][0] == counts:
                return kept[outcome][1]
    blocks = _read(session, outcome) if counts else {}
    with _guard:
        kept[outcome] = counts, blocks
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return blocks


def allowed(session: Session, filter_: AudienceFilter) -> Blocks | None:
    """Who is in any of the outcomes that the filter asks for; None when it asks for none."""
    if not filter_.earlier_outcomes:
        return None
    found: dict[int, int] = {}
    for outcome in filter_.earlier_outcomes:
        for number, bits in clients_of(session, outcome).items():
            found[number] = found.get(number, 0) | bits
    return found


def _counts(session: Session, broadcast_id: int) -> Counts:
    query = select(Tally.sender_id, Tally.state, Tally.count).where(Tally.broadcast_id == broadcast_id)
    return frozenset((sender, state.value, count) for sender, state, count in session.execute(query))


def _read(session: Session, outcome: EarlierOutcome) -> Blocks:
    """From the index of states alone: it holds the id, whose lower half is the client."""
    found: dict[int, int] = {}
    for state in outcome.fate.states:
        rows = (
            select(Delivery.id.bitwise_and(literal_column(str(CLIENTS - 1))).label("client"))
            .where(Delivery.broadcast_id == outcome.broadcast_id, Delivery.state == state)
            .subquery()
        )
        query = select(block_of(rows.c.client), members(session, rows.c.client)).group_by("block")
        for number, text in session.execute(query):
            found[number] = found.get(number, 0) | bits_of(text)
    return found
