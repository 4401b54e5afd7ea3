"""All clients as the copy in memory knows them: how many there are, what they can be told apart by, and whom a search without words finds.
For the list of clients and the numbers beside it, which else read all of their table."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.core import clients
from webapp.core.audience.counting import held, matching_in
from webapp.core.audience.filter import UNKNOWN, AudienceFilter
from webapp.core.audience.memory import Copy, copy_at_hand
from webapp.core.client_set import ClientSet
from webapp.core.clients import ClientSearch
from webapp.core.rules.statuses import MessageType


@dataclass(frozen=True, slots=True)
class MemoryDirectory:
    """Every client, by the copy in memory."""

    copy: Copy

    @property
    def countries(self) -> list[str]:
        return self._values("countries")

    @property
    def languages(self) -> list[str]:
        return self._values("languages")

    def matches(self, wanted: ClientSearch) -> ClientSet | None:
        """Who fits; None for a search with words, which the copy does not hold."""
        if wanted.words:
            return None
        asked = AudienceFilter(
            MessageType.GENERAL,
            countries=(wanted.country,) if wanted.country else (),
            languages=(wanted.language,) if wanted.language else (),
            client_statuses=(wanted.status,) if wanted.status else (),
        )
        found = matching_in(self.copy, asked, None)
        if wanted.product_id is not None:
            found &= held(self.copy.products, (wanted.product_id,), ())
        return found & self.copy.without_address if wanted.without_address else found

    def _values(self, criterion: str) -> list[str]:
        return sorted(value for value in self.copy.values[criterion] if value != UNKNOWN)


def directory(session: Session) -> MemoryDirectory | None:
    """The directory as `session` sees it, where nothing has to be read for it; else None."""
    copy = copy_at_hand(session)
    return None if copy is None else MemoryDirectory(copy)


def client_count(session: Session) -> int:
    """How many clients there are."""
    copy = copy_at_hand(session)
    return clients.count(session) if copy is None else len(copy.everybody)
