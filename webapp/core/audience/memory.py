"""A copy of what filters look at, in memory. It is never older than the session that asks: each time, the database's stamps say which
blocks of clients have changed, and these are read again."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, select
from sqlalchemy.orm import Session

from webapp.core.audience.set_queries import Column, set_of, sets_by
from webapp.core.audience.shared_addresses import Shared, read_shared
from webapp.core.client_set import NOBODY, ClientSet
from webapp.core.consent import bars
from webapp.core.rules.statuses import HoldingStatus
from webapp.core.tables.clients import AddonAssignment, Client, Service
from webapp.core.tables.consent import Suppression, TopicOptOut
from webapp.core.tables.stamps import ADDRESSES, BLOCK_BITS, SUPPRESSIONS, AudienceStamp

Stamps = Mapping[int, frozenset[tuple[int, int]]]
"""(writer, stamp) by the number of the block, or ADDRESSES, or SUPPRESSIONS."""

Holdings = Mapping[int, Mapping[HoldingStatus, ClientSet]]
"""By product (or addon) and status, who holds one."""

Sets = Mapping[Any, Mapping[Any, ClientSet]]

HAS_ADDRESS = "has_address"
MARKETING = "marketing"
BY_VALUE = ("countries", "languages", "client_statuses", HAS_ADDRESS, MARKETING)

READ_AT_ONCE = 16
"""Blocks that one query reads: 262,144 clients."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Everything as one session sees it. `values` are the clients by criterion and value, by whether they have a usable address,
    and by their choice of marketing (None where it is not known). `suppressed` must get no mail at all, `suppressed_for_marketing` none of
    that; `unsubscribed` declined all of it, `topics` by topic who declined that."""

    values: Mapping[str, Mapping[Any, ClientSet]] = field(default_factory=lambda: {name: {} for name in BY_VALUE})
    products: Holdings = field(default_factory=dict)
    addons: Holdings = field(default_factory=dict)
    everybody: ClientSet = NOBODY
    suppressed: ClientSet = NOBODY
    suppressed_for_marketing: ClientSet = NOBODY
    unsubscribed: ClientSet = NOBODY
    topics: Mapping[int, ClientSet] = field(default_factory=dict)
    shared: Shared = field(default_factory=Shared)

    @property
    def without_address(self) -> ClientSet:
        return self.values[HAS_ADDRESS].get(False, NOBODY)


def copy_seen_by(session: Session) -> Copy:
    """The copy, as new as what `session` sees. The first one costs seconds for a million clients, the next ones what has changed."""
    bind = session.get_bind()
    session.flush()  # not under the lock, where it might wait for a transaction that waits for the lock
    session.connection()
    with _guard:
        memory = _memories.setdefault(bind.engine, _Memory())
    with memory.lock:
        return memory.refreshed(session)


def is_warm(session: Session) -> bool:
    """Whether the copy is at hand, or so nearly that the next question takes less than about a second."""
    known = _known(session)
    return sum(block not in known.stamps for block in _stamps(session)) <= READ_AT_ONCE // 2


def copy_at_hand(session: Session) -> Copy | None:
    """The copy, if no client has to be read for it; else None, without waiting for whoever reads it now. What it says of suppressions and
    of shared addresses may be old."""
    known = _known(session)
    if not known.stamps:
        return None
    session.flush()
    return known.copy if _blocks(known.stamps) == _blocks(_stamps(session)) else None


@dataclass(frozen=True, slots=True)
class _StampedCopy:
    """A copy, and the stamps that say how new it is."""

    stamps: Stamps = field(default_factory=dict)
    copy: Copy = Copy()


class _Memory:
    """The latest copy of one database. It is replaced as a whole, by whoever holds the lock; to look at it takes none."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known = _StampedCopy()

    def refreshed(self, session: Session) -> Copy:
        # The stamps are read first: what changes after that is read too, and read again next time.
        stamps = _stamps(session)
        if stamps != self.known.stamps:
            self.known = _StampedCopy(stamps, _renewed(session, self.known, stamps))
        return self.known.copy


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()
_guard = threading.Lock()


def _known(session: Session) -> _StampedCopy:
    with _guard:
        memory = _memories.get(session.get_bind().engine)
    return memory.known if memory else _StampedCopy()


def _stamps(session: Session) -> Stamps:
    stamps: dict[int, set[tuple[int, int]]] = {}
    for block, writer, stamp in session.execute(
        select(AudienceStamp.block, AudienceStamp.writer, AudienceStamp.stamp).execution_options(autoflush=False)
    ):
        stamps.setdefault(block, set()).add((writer, stamp))
    return {block: frozenset(seen) for block, seen in stamps.items()}


def _blocks(stamps: Stamps) -> Stamps:
    return {block: seen for block, seen in stamps.items() if block >= 0}


def _renewed(session: Session, known: _StampedCopy, stamps: Stamps) -> Copy:
    """The copy with all read anew of which the stamps differ."""
    differ = {key for key in known.stamps.keys() | stamps.keys() if known.stamps.get(key) != stamps.get(key)}
    copy = known.copy
    if blocks := sorted(block for block in differ if block >= 0):
        copy = _reread(session, copy, blocks)
    if ADDRESSES in differ:
        copy = replace(copy, shared=read_shared(session))
    if differ & {ADDRESSES, SUPPRESSIONS}:
        copy = replace(
            copy,
            suppressed=_suppressed(session, bars.FOR_ALL),
            suppressed_for_marketing=_suppressed(session, bars.FOR_MARKETING),
            unsubscribed=_suppressed(session, bars.UNSUBSCRIBED),
            topics=_who_declined(session),
        )
    return copy


def _suppressed(session: Session, condition: ColumnElement[bool]) -> ClientSet:
    """The clients whose address has a suppression for which the condition holds."""
    found = set_of(session, Client.id, Client.address_key.in_(select(Suppression.address_key).where(condition)))
    hashed = select(Suppression.address_key).where(Suppression.is_hashed, condition)
    if session.scalar(hashed.limit(1)) is None:
        return found
    return found | set_of(session, Client.id, bars.hash_of(Client.address_key).in_(hashed))


def _who_declined(session: Session) -> dict[int, ClientSet]:
    """The clients whose address declined a topic, by topic."""
    found = {}
    for topic_id in session.scalars(select(TopicOptOut.topic_id).distinct()).all():
        of_topic = select(TopicOptOut.address_key).where(TopicOptOut.topic_id == topic_id)
        found[topic_id] = set_of(session, Client.id, Client.address_key.in_(of_topic))
        hashed = of_topic.where(TopicOptOut.is_hashed)
        if session.scalar(hashed.limit(1)) is not None:
            found[topic_id] |= set_of(session, Client.id, bars.hash_of(Client.address_key).in_(hashed))
    return found


def _reread(session: Session, copy: Copy, blocks: Sequence[int]) -> Copy:
    """The copy with these blocks, by rising number, as the database has them now."""
    old = ClientSet.any_of(ClientSet(_ids(range(block, block + 1))) for block in blocks)
    runs = list(_runs(blocks))
    values = _merged(copy.values, old, (_read_clients(session, run) for run in runs))
    return replace(
        copy,
        values={name: values.get(name, {}) for name in BY_VALUE},
        products=_merged(copy.products, old, (_read_holdings(session, run, *_PRODUCTS) for run in runs)),
        addons=_merged(copy.addons, old, (_read_holdings(session, run, *_ADDONS) for run in runs)),
        everybody=ClientSet.any_of(values.get(HAS_ADDRESS, {}).values()),
    )


def _runs(blocks: Iterable[int]) -> Iterator[range]:
    """Neighbouring blocks together."""
    run = range(0)
    for block in blocks:
        if run and (block != run.stop or len(run) == READ_AT_ONCE):
            yield run
            run = range(0)
        run = range(run.start, block + 1) if run else range(block, block + 1)
    if run:
        yield run


def _ids(run: range) -> range:
    """The ids of the clients in a run of blocks."""
    return range(run.start << BLOCK_BITS, run.stop << BLOCK_BITS)


def _merged(before: Sets, old: ClientSet, parts: Iterable[Sets]) -> dict[Any, dict[Any, ClientSet]]:
    """The sets of before without the old clients, and those of the parts."""
    found: dict[Any, dict[Any, list[ClientSet]]] = {}
    for key, by_value in before.items():
        for value, clients in by_value.items():
            if left := clients - old if clients.overlap(old) else clients:
                found.setdefault(key, {})[value] = [left]
    for part in parts:
        for key, by_value in part.items():
            for value, clients in by_value.items():
                found.setdefault(key, {}).setdefault(value, []).append(clients)
    return _joined(found)


def _joined(parts: Mapping[Any, Mapping[Any, list[ClientSet]]]) -> dict[Any, dict[Any, ClientSet]]:
    return {
        key: {value: sets[0] if len(sets) == 1 else ClientSet.any_of(sets) for value, sets in by_value.items()}
        for key, by_value in parts.items()
    }


def _read_clients(session: Session, run: range) -> Sets:
    """The clients of some blocks by BY_VALUE."""
    columns = (Client.country, Client.language, Client.status, Client.address_key.is_not(None), Client.marketing_opt_in)
    parts: dict[str, dict[Any, list[ClientSet]]] = {name: {} for name in BY_VALUE}
    for row, clients in sets_by(session, Client.id, columns, _are_in(run, Client.id)).items():
        country, language, *others = row
        for name, value in zip(BY_VALUE, (country or "", language or "", *others), strict=True):
            parts[name].setdefault(value, []).append(clients)
    return _joined(parts)


_PRODUCTS = (Service.client_id, Service.product_id, Service.status)
_ADDONS = (AddonAssignment.client_id, AddonAssignment.addon_id, AddonAssignment.status)


def _read_holdings(session: Session, run: range, client_id: Column, kind: Column, status: Column) -> Holdings:
    """Of some blocks, who holds what."""
    found: dict[int, dict[HoldingStatus, ClientSet]] = {}
    for (of_kind, of_status), clients in sets_by(session, client_id, (kind, status), _are_in(run, client_id)).items():
        found.setdefault(of_kind, {})[of_status] = clients
    return found


def _are_in(run: range, client_id: Column) -> ColumnElement[bool]:
    ids = _ids(run)
    return client_id.between(ids[0], ids[-1])
