"""Clients who share an address with others: only the first of those who are in an audience gets the mail."""

from array import array
from dataclasses import dataclass, field
from itertools import compress

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core.client_set import ClientSet
from webapp.core.tables.clients import Client


@dataclass(frozen=True, slots=True)
class Shared:
    """Of each address that several clients have, all but the first of them stand in `later`, by rising id, and at the same places in
    `first` that first one. Both are arrays of ids, which take a tenth of the memory of a dict."""

    later: "array[int]" = field(default_factory=lambda: array("Q"))
    first: "array[int]" = field(default_factory=lambda: array("Q"))

    def sharing(self, clients: ClientSet) -> ClientSet:
        """Those who have the address of one of these clients, who share it."""
        if not clients or not self.later:
            return ClientSet()
        pairs = list(zip(self.later, self.first, clients.has(self.later), clients.has(self.first), strict=True))
        firsts = {first for _, first, one, other in pairs if one or other}
        return ClientSet([*firsts, *(later for later, first, _, _ in pairs if first in firsts)])

    def repeated(self, clients: ClientSet) -> ClientSet:
        """Of these clients, those whose address one of them with a lower id has."""
        are_there = clients.has(self.later)
        firsts = list(compress(self.first, are_there))
        repeated = array("Q")
        represented: set[int] = set()  # first ones who are not among these clients, while a later one is
        for client_id, first, is_there in zip(
            compress(self.later, are_there), firsts, clients.has(firsts), strict=True
        ):
            if is_there or first in represented:
                repeated.append(client_id)
            else:
                represented.add(first)
        return ClientSet(repeated)


def read_shared(session: Session) -> Shared:
    """Everybody who shares an address, in an audience or not."""
    several = (
        select(Client.address_key)
        .where(Client.address_key.is_not(None))
        .group_by(Client.address_key)
        .having(func.count() > 1)
    )
    rows = select(Client.id, Client.address_key).where(Client.address_key.in_(several)).order_by(Client.id)
    firsts: dict[str | None, int] = {}
    shared = Shared()
    for client_id, key in session.execute(rows):
        first = firsts.setdefault(key, client_id)
        if first != client_id:
            shared.later.append(client_id)
            shared.first.append(first)
    return shared
