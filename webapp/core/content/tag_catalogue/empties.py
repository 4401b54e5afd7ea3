"""The recipients for whom a tag is empty, as sets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from webapp.core.audience import UNKNOWN, Audience, recipients
from webapp.core.audience.memory import copy_seen_by
from webapp.core.audience.set_queries import set_of, sets_by
from webapp.core.client_set import NOBODY, ClientSet
from webapp.core.rules.statuses import MessageType
from webapp.core.rules.tags.names import BY_NAME, TagGroup
from webapp.core.tables.clients import Client, Service

LOOKED_AT = 5_000
"""Whose service the tags take has to be found out client by client. Of more candidates than these, as many are looked at, evenly spread."""

AT_ONCE = 500


_EMPTY_TEXT: dict[str, ColumnElement[bool]] = {
    "first_name": Client.first_name == "",
    "last_name": Client.last_name == "",
    "company": Client.company == "",
    "client_since": Client.client_since.is_(None),
}


def in_clients(session: Session, names: set[str], receivers: ClientSet) -> dict[str, ClientSet]:
    """For the tags about clients among `names`, the receivers for whom they are empty. An address and a status everybody has."""
    wanted = {name for name in _EMPTY_TEXT if name in names}
    if "full_name" in names:
        wanted |= {"first_name", "last_name"}
    found = {name: clients & receivers for name, clients in _without(session, sorted(wanted), receivers).items()}
    if "full_name" in names:
        found["full_name"] = found["first_name"] & found["last_name"]
    for name, criterion in (("country", "countries"), ("language", "languages")):
        if name in names:
            found[name] = copy_seen_by(session).values[criterion].get(UNKNOWN, NOBODY) & receivers
    return found


def _without(session: Session, names: list[str], receivers: ClientSet) -> dict[str, ClientSet]:
    """One look through the clients, however many names."""
    if not names or not receivers:
        return dict.fromkeys(names, NOBODY)
    flags = tuple(_EMPTY_TEXT[name] for name in names)
    near = Client.id.between(receivers.first(), receivers.last())
    groups = sets_by(session, Client.id, flags, or_(*flags), near)
    return {
        name: ClientSet.any_of(clients for empty, clients in groups.items() if empty[place])
        for place, name in enumerate(names)
    }


@dataclass(frozen=True, slots=True)
class InHoldings:
    """The sets for the tags about services and addons; where only some of the candidates were looked at, of these, and `scale` says how
    many times as many there are in all."""

    sets: dict[str, ClientSet]
    scale: float = 1.0


_EMPTY_IN_SERVICE: dict[str, ColumnElement[bool]] = {
    "service_domain": Service.domain == "",
    "service_price": Service.price.is_(None),
    "service_due_date": Service.next_due_on.is_(None),
}
"""A service always has a product and a status."""


def in_holdings(
    session: Session, audience: Audience, today: date, names: set[str], receivers: ClientSet, added: ClientSet
) -> InHoldings:
    """For the tags about services and addons among `names`, the receivers for whom they are empty: the value of the service that the tags
    take is, or there is none, as with clients added by hand (`added`)."""
    names = {name for name in names if name in BY_NAME and BY_NAME[name].group in (TagGroup.SERVICE, TagGroup.ADDON)}
    if not names or not receivers:
        return InHoldings({})
    kind = audience.filter.message_type
    if kind is MessageType.GENERAL:
        return InHoldings(dict.fromkeys(names, receivers))
    wanted = {name: _EMPTY_IN_SERVICE[name] for name in sorted(names & _EMPTY_IN_SERVICE.keys())}
    candidates = (added | _holders(session, list(wanted.values()))) & receivers
    number = len(candidates)
    step = max(1, -(-number // LOOKED_AT))
    looked_at = islice(candidates, 0, None, step)
    found: dict[str, list[int]] = {name: [] for name in names}
    count = 0
    while ids := list(islice(looked_at, AT_ONCE)):
        count += len(ids)
        for client_id, empty in _empty_tags(session, audience, today, ids, names, wanted):
            for name in empty:
                found[name].append(client_id)
    sets = {name: ClientSet(ids) for name, ids in found.items()}
    return InHoldings(sets, number / count if step > 1 else 1.0)


def _holders(session: Session, conditions: list[ColumnElement[bool]]) -> ClientSet:
    """Everybody with a service for which one of the conditions holds, whether they receive the mail or not: to narrow it down to a range of
    clients would make SQLite hop through the services by client, where one look through all of them is ten times as quick."""
    return set_of(session, Service.client_id, or_(*conditions)) if conditions else NOBODY


def _empty_tags(
    session: Session,
    audience: Audience,
    today: date,
    ids: list[int],
    names: set[str],
    wanted: Mapping[str, ColumnElement[bool]],
) -> Iterator[tuple[int, set[str]]]:
    """For each of these clients, the names that are empty for them."""
    of_service = {name for name in names if BY_NAME[name].group is TagGroup.SERVICE}
    rows: list[Any] = list(session.execute(recipients(audience, today, only=ids)))
    services = {row.service_id for row in rows if row.service_id is not None}
    flags = {
        row[0]: {name for name, empty in zip(wanted, row[1:], strict=True) if empty}
        for row in session.execute(
            select(Service.id, *(condition.label(name) for name, condition in wanted.items())).where(
                Service.id.in_(services)
            )
        )
    }
    for row in rows:
        empty = set(of_service) if row.service_id is None else flags[row.service_id] & names
        if row.addon_assignment_id is None:
            empty |= names - of_service
        yield row.client_id, empty
