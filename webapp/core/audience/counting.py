"""How many get it, and the sum that says why not the others: answered from the copy in memory, equal to what `recipients()` selects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy.orm import Session

from webapp.core.audience.bits import SIZE, Packed, bit, cut, union
from webapp.core.audience.earlier import Among, allowed
from webapp.core.audience.filter import Audience, AudienceFilter
from webapp.core.audience.memory import Block, Holdings, Shared, copy_seen_by
from webapp.core.audience.overrides import picks_of
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import PickKind
from webapp.core.tables.stamps import BLOCK_BITS


class Term(StrEnum):
    """A term of the sum, and the list of the clients behind it."""

    MATCHING = "matching"
    ADDED = "added"
    LEFT_OUT = "left_out"
    NO_USABLE_ADDRESS = "no_usable_address"
    SUPPRESSED = "suppressed"
    SAME_ADDRESS = "same_address"
    WILL_RECEIVE = "will_receive"


@dataclass(frozen=True)
class AudienceCount:
    """matching + added - left_out - no_usable_address - suppressed - same_address = will_receive.

    `added` counts only those added by hand who do not match the filter anyhow, `left_out` only those who do.
    """

    matching: int
    added: int
    left_out: int
    no_usable_address: int
    same_address: int
    suppressed: int
    will_receive: int


@dataclass(frozen=True)
class Selected:
    """The clients behind each term, as (block, bits) by rising block."""

    terms: Mapping[Term, list[tuple[int, int]]]

    def count(self, term: Term) -> int:
        return sum(bits.bit_count() for _, bits in self.terms[term])

    @property
    def sum(self) -> AudienceCount:
        return AudienceCount(**{term.value: self.count(term) for term in Term})

    def page(self, term: Term, offset: int, limit: int) -> list[int]:
        """Client ids by rising id."""
        return cut(self.terms[term], offset, limit)


def count(session: Session, audience: Audience, today: date) -> AudienceCount:
    """The sum for an audience. `today` belongs to the question as to every other about an audience; no criterion depends on it yet."""
    return select_terms(session, audience).sum


def select_terms(session: Session, audience: Audience) -> Selected:
    """Who is behind each term of the sum."""
    now, among = copy_seen_by(session), allowed(session, audience.filter)
    added, left_out = _picks(session, audience.broadcast_id)
    terms: dict[Term, list[tuple[int, int]]] = {term: [] for term in Term}
    seen: set[int] = set()
    for block in now.blocks:
        number = block.number
        matching = matching_in(block, audience.filter, among)
        beyond = added.get(number, 0) & block.everybody & ~matching
        left = left_out.get(number, 0) & matching
        rest = (matching | beyond) & ~left
        no_usable = rest & (block.no_address | block.invalid_address)
        rest &= ~no_usable
        suppressed = rest & now.suppressed.get(number, 0)
        rest &= ~suppressed
        same = _same_address(rest, now.shared.get(number), seen)
        found = {
            Term.MATCHING: matching,
            Term.ADDED: beyond,
            Term.LEFT_OUT: left,
            Term.NO_USABLE_ADDRESS: no_usable,
            Term.SUPPRESSED: suppressed,
            Term.SAME_ADDRESS: same,
            Term.WILL_RECEIVE: rest & ~same,
        }
        for term, bits in found.items():
            if bits:
                terms[term].append((number, bits))
    return Selected(terms)


def matching_in(block: Block, filter_: AudienceFilter, earlier: Among | None, *, besides: str | None = None) -> int:
    """Who in the block matches the filter; without its criterion `besides`, or ("holdings") without asking what they hold. `earlier` is
    what `earlier.allowed()` says of the filter (None: earlier broadcasts do not matter)."""
    bits = block.everybody
    if earlier is not None:
        bits = earlier.cut(block.number, bits, besides=besides)
    for criterion, by_value in block.values.items():
        chosen = getattr(filter_, criterion)
        if chosen and criterion != besides:
            bits &= union(*(by_value[value] for value in chosen if value in by_value))
    if besides == "holdings":
        return bits
    if filter_.message_type is MessageType.SERVICES:
        bits &= union(*held(block.products, filter_.products, filter_.service_statuses))
    if filter_.message_type is MessageType.ADDONS:
        bits &= union(*held(block.addons, filter_.addons, filter_.addon_statuses))
    return bits


def held(holdings: Holdings, kinds: tuple, statuses: tuple) -> list[Packed]:
    """The sets of those who hold one of the kinds (or any) in one of the statuses (or any)."""
    of_kinds = (holdings[kind] for kind in kinds if kind in holdings) if kinds else holdings.values()
    return [bits for by_status in of_kinds for status, bits in by_status.items() if not statuses or status in statuses]


def _same_address(rest: int, shared: Shared | None, seen: set[int]) -> int:
    """Of `rest`, those whose address somebody before them has. `seen` holds the addresses met so far, and takes new ones."""
    if shared is None or not rest:
        return 0
    octets = rest.to_bytes(SIZE // 8, "little")
    same = bytearray(SIZE // 8)
    for place, address in zip(shared.places, shared.addresses, strict=True):
        if octets[place >> 3] >> (place & 7) & 1:
            if address in seen:
                same[place >> 3] |= 1 << (place & 7)
            else:
                seen.add(address)
    return int.from_bytes(same, "little")


def _picks(session: Session, broadcast_id: int | None) -> tuple[dict[int, int], dict[int, int]]:
    """Added and left out, bits by block."""
    by_kind: dict[PickKind, dict[int, int]] = {kind: {} for kind in PickKind}
    if broadcast_id is not None:
        for client_id, kind in picks_of(session, broadcast_id).items():
            blocks, number = by_kind[kind], client_id >> BLOCK_BITS
            blocks[number] = blocks.get(number, 0) | bit(client_id)
    return by_kind[PickKind.ADDED], by_kind[PickKind.LEFT_OUT]
