"""All clients as the copy in memory knows them: how many there are, what they can be told apart by, and whom a search without words finds.
For the list of clients and the numbers beside it, which else read all of their table."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.core import clients
from webapp.core.audience.bits import cut, union
from webapp.core.audience.counting import held, matching_in
from webapp.core.audience.filter import UNKNOWN, AudienceFilter
from webapp.core.audience.memory import Block, blocks_at_hand
from webapp.core.clients import ClientSearch
from webapp.core.rules.statuses import MessageType


@dataclass(frozen=True, slots=True)
class Matches:
    """Clients by rising id, as (block, bits) by rising block."""

    sets: Sequence[tuple[int, int]]

    @property
    def total(self) -> int:
        return sum(bits.bit_count() for _number, bits in self.sets)

    def page(self, offset: int, limit: int) -> list[int]:
        """Client ids."""
        return cut(list(self.sets), offset, limit)


@dataclass(frozen=True, slots=True)
class Directory:
    """Every client, in blocks by rising number."""

    blocks: Sequence[Block]

    @property
    def countries(self) -> list[str]:
        return self._values("countries")

    @property
    def languages(self) -> list[str]:
        return self._values("languages")

    def matches(self, wanted: ClientSearch) -> Matches | None:
        """Who fits; None for a search with words, which the copy does not hold."""
        if wanted.words:
            return None
        found = ((block.number, _matching(block, wanted)) for block in self.blocks)
        return Matches([(number, bits) for number, bits in found if bits])

    def _values(self, criterion: str) -> list[str]:
        return sorted({value for block in self.blocks for value in block.values[criterion] if value != UNKNOWN})


def directory(session: Session) -> Directory | None:
    """The directory as `session` sees it, where nothing has to be read for it; else None."""
    blocks = blocks_at_hand(session)
    return None if blocks is None else Directory(blocks)


def client_count(session: Session) -> int:
    """How many clients there are."""
    known = blocks_at_hand(session)
    return clients.count(session) if known is None else sum(block.everybody.bit_count() for block in known)


def _matching(block: Block, wanted: ClientSearch) -> int:
    bits = matching_in(
        block,
        AudienceFilter(
            MessageType.GENERAL,
            countries=(wanted.country,) if wanted.country else (),
            languages=(wanted.language,) if wanted.language else (),
            client_statuses=(wanted.status,) if wanted.status else (),
        ),
        None,
    )
    if wanted.product_id is not None:
        bits &= union(*held(block.products, (wanted.product_id,), ()))
    if wanted.without_address:
        bits &= block.no_address | block.invalid_address
    return bits
