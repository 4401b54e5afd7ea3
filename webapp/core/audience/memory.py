"""A copy of what filters look at, in memory, block by block. It is never older than the session that asks: each time, the database's
stamps say which blocks have changed, and these are read again."""

import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, Integer, case, cast, func, literal, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.core.audience.bits import FIRST_CHARACTER, SIZE, Packed, bit, pack, union
from webapp.core.rules.lifecycle import SkipReason
from webapp.core.rules.statuses import HoldingStatus
from webapp.core.tables.clients import AddonAssignment, Client, Service
from webapp.core.tables.stamps import ADDRESSES, BLOCK_BITS, SUPPRESSIONS, AudienceStamp
from webapp.core.tables.suppressions import Suppression

Stamps = frozenset[tuple[int, int]]
Holdings = Mapping[int, Mapping[HoldingStatus, Packed]]
"""By product (or addon) and status, who holds one."""

READ_AT_ONCE = 16
"""Blocks that one query reads: 262,144 clients."""


@dataclass(frozen=True, slots=True)
class Block:
    """The clients of one block: all, by the values of each criterion, and those without a usable address."""

    number: int
    stamps: Stamps
    everybody: int
    values: Mapping[str, Mapping[Any, Packed]]
    products: Holdings
    addons: Holdings
    no_address: int
    invalid_address: int


@dataclass(frozen=True, slots=True)
class Shared:
    """Clients of one block who share their address with others, by rising id: places in the block, and the number of each address."""

    places: array
    addresses: array


@dataclass(frozen=True, slots=True)
class Copy:
    """Everything as one session sees it. Blocks by rising number; `shared` and `suppressed` by block number."""

    blocks: Sequence[Block]
    shared: Mapping[int, Shared]
    suppressed: Mapping[int, int]


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
    with _guard:
        memory = _memories.get(session.get_bind().engine)
    known = memory.blocks if memory else {}
    return sum(number not in known for number in _stamps(session)) <= READ_AT_ONCE // 2


def blocks_at_hand(session: Session) -> Sequence[Block] | None:
    """All blocks, as new as what `session` sees, if none of them has to be read; else None, without waiting for whoever reads them now."""
    with _guard:
        memory = _memories.get(session.get_bind().engine)
    if memory is None:
        return None
    session.flush()
    stamps = _stamps(session)
    if not memory.lock.acquire(blocking=False):
        return None
    try:
        known = [memory.blocks.get(number) for number in sorted(stamps) if number >= 0]
    finally:
        memory.lock.release()
    blocks = [block for block in known if block is not None and block.stamps == stamps[block.number]]
    return blocks if len(blocks) == len(known) else None


class _Memory:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.blocks: dict[int, Block] = {}
        self.shared: dict[int, Shared] = {}
        self.suppressed: dict[int, int] = {}
        self.shared_stamps: Stamps | None = None
        self.suppressed_stamps: tuple[Stamps, Stamps] | None = None

    def refreshed(self, session: Session) -> Copy:
        # The stamps are read first: what changes after that is read too, and read again next time.
        stamps = _stamps(session)
        numbers = sorted(number for number in stamps if number >= 0)
        self.blocks = {n: self.blocks[n] for n in numbers if n in self.blocks and self.blocks[n].stamps == stamps[n]}
        for block in _read_blocks(session, [n for n in numbers if n not in self.blocks], stamps):
            self.blocks[block.number] = block
        none: Stamps = frozenset()
        addresses, suppressions = stamps.get(ADDRESSES, none), stamps.get(SUPPRESSIONS, none)
        if self.shared_stamps != addresses:
            self.shared = _read_shared(session)
            self.shared_stamps = addresses
        if self.suppressed_stamps != (addresses, suppressions):
            self.suppressed = _read_suppressed(session)
            self.suppressed_stamps = addresses, suppressions
        return Copy([self.blocks[n] for n in numbers], self.shared, self.suppressed)


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()
_guard = threading.Lock()


def _stamps(session: Session) -> dict[int, Stamps]:
    stamps: dict[int, set[tuple[int, int]]] = {}
    for block, writer, stamp in session.execute(
        select(AudienceStamp.block, AudienceStamp.writer, AudienceStamp.stamp).execution_options(autoflush=False)
    ):
        stamps.setdefault(block, set()).add((writer, stamp))
    return {block: frozenset(seen) for block, seen in stamps.items()}


def _read_blocks(session: Session, numbers: list[int], stamps: Mapping[int, Stamps]) -> Iterator[Block]:
    for run in _runs(numbers):
        clients = _read_clients(session, run)
        products = _read_holdings(session, run, Service.client_id, Service.product_id, Service.status)
        addons = _read_holdings(
            session, run, AddonAssignment.client_id, AddonAssignment.addon_id, AddonAssignment.status
        )
        for number in run:
            yield _block(
                number, stamps[number], clients.get(number, []), products.get(number, {}), addons.get(number, {})
            )


def _runs(numbers: Iterable[int]) -> Iterator[range]:
    """Neighbouring numbers together."""
    run = range(0)
    for number in numbers:
        if run and (number != run.stop or len(run) == READ_AT_ONCE):
            yield run
            run = range(0)
        run = range(run.start, number + 1) if run else range(number, number + 1)
    if run:
        yield run


def _block(number: int, stamps: Stamps, groups: list, products: Holdings, addons: Holdings) -> Block:
    texts: dict[str, dict[Any, list[str]]] = {"countries": {}, "languages": {}, "client_statuses": {}, "": {}}
    for country, language, status, problem, text in groups:
        values = (country or "", language or "", status, problem)
        for criterion, value in zip(texts, values, strict=True):
            texts[criterion].setdefault(value, []).append(text)
    problems = {problem: union(*found) for problem, found in texts.pop("").items()}
    return Block(
        number=number,
        stamps=stamps,
        everybody=union(*problems.values()),
        values={
            criterion: {value: pack("".join(found)) for value, found in by_value.items()}
            for criterion, by_value in texts.items()
        },
        products=products,
        addons=addons,
        no_address=problems.get(SkipReason.NO_ADDRESS, 0),
        invalid_address=problems.get(SkipReason.INVALID_ADDRESS, 0),
    )


def _read_clients(session: Session, run: range) -> dict[int, list]:
    """By block, rows of country, language, status, what is wrong with the address, and the clients as text."""
    problem = case(
        (Client.address_key.is_not(None), ""),
        (func.trim(Client.email) == "", SkipReason.NO_ADDRESS.value),
        else_=SkipReason.INVALID_ADDRESS.value,
    )
    block = block_of(Client.id)
    rows = session.execute(
        select(
            block,
            Client.country.label("country"),
            Client.language.label("language"),
            Client.status.label("status"),
            problem.label("problem"),
            members(session, Client.id),
        )
        .where(Client.id.between(run.start << BLOCK_BITS, (run.stop << BLOCK_BITS) - 1))
        .group_by("block", "country", "language", "status", "problem")
    )
    found: dict[int, list] = {}
    for number, *group in rows:
        found.setdefault(number, []).append(group)
    return found


def _read_holdings(
    session: Session,
    run: range,
    client: InstrumentedAttribute,
    kind: InstrumentedAttribute,
    status: InstrumentedAttribute,
) -> dict[int, dict[int, dict[HoldingStatus, Packed]]]:
    """By block, product (or addon) and status, the clients who hold one."""
    rows = session.execute(
        select(block_of(client), kind.label("kind"), status.label("held_status"), members(session, client))
        .where(client.between(run.start << BLOCK_BITS, (run.stop << BLOCK_BITS) - 1))
        .group_by("block", "kind", "held_status")
    )
    found: dict[int, dict[int, dict[HoldingStatus, Packed]]] = {}
    for number, of_kind, of_status, text in rows:
        found.setdefault(number, {}).setdefault(of_kind, {})[of_status] = pack(text)
    return found


def block_of(column: InstrumentedAttribute | ColumnElement):
    """The block of a client id, as a column named "block"."""
    return column.bitwise_rshift(literal_column(str(BLOCK_BITS))).label("block")


def members(session: Session, column: InstrumentedAttribute | ColumnElement):
    """An aggregate of client ids of one block, as the text that `bits.pack` takes."""
    character = func.char if session.get_bind().dialect.name == "sqlite" else func.chr
    place = literal(FIRST_CHARACTER) + column.bitwise_and(literal_column(str(SIZE - 1)))
    return func.aggregate_strings(character(cast(place, Integer)), "")


def _read_shared(session: Session) -> dict[int, Shared]:
    several = (
        select(Client.address_key)
        .where(Client.address_key.is_not(None))
        .group_by(Client.address_key)
        .having(func.count() > 1)
    )
    rows = select(Client.id, Client.address_key).where(Client.address_key.in_(several)).order_by(Client.id)
    numbers: dict[str | None, int] = {}
    found: dict[int, Shared] = {}
    for client_id, key in session.execute(rows):
        shared = found.setdefault(client_id >> BLOCK_BITS, Shared(array("H"), array("L")))
        shared.places.append(client_id & (SIZE - 1))
        shared.addresses.append(numbers.setdefault(key, len(numbers)))
    return found


def _read_suppressed(session: Session) -> dict[int, int]:
    found: dict[int, int] = {}
    keys = select(Suppression.address_key)
    for client_id in session.scalars(select(Client.id).where(Client.address_key.in_(keys))):
        number = client_id >> BLOCK_BITS
        found[number] = found.get(number, 0) | bit(client_id)
    return found
