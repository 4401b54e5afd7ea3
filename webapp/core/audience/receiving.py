"""How many of an audience go to each receiver that has a limit of its own. Read from the database once, and kept until clients change."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, func
from sqlalchemy.orm import Session

from webapp.core.audience.counting import Selected, Term
from webapp.core.audience.memory import copy_seen_by
from webapp.core.audience.set_queries import sets_by
from webapp.core.client_set import ClientSet
from webapp.core.rules.receivers import ReceiverLimit, by_domain
from webapp.core.tables.clients import Client


@dataclass(frozen=True)
class _Known:
    """The clients by domain, as of the copy in memory that has these `values` and `shared` addresses."""

    values: Any = None
    shared: Any = None
    domains: frozenset[str] = frozenset()
    sets: Mapping[str, ClientSet] = field(default_factory=dict)


_known: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()
_guard = threading.Lock()


def to_receivers(session: Session, selected: Selected, limits: tuple[ReceiverLimit, ...]) -> dict[int, int]:
    """How many of those who will receive it each receiver gets, by the id of its limit."""
    if not limits:
        return {}
    who = selected.terms[Term.WILL_RECEIVE]
    sets = _of_domains(session, frozenset(by_domain(limits)))
    return {limit.id: sum(who.overlap(sets[one]) for one in limit.domains if one in sets) for limit in limits}


def _of_domains(session: Session, domains: frozenset[str]) -> Mapping[str, ClientSet]:
    copy = copy_seen_by(session)  # one of both is another object whenever clients or addresses have changed
    engine = session.get_bind().engine
    with _guard:
        known = _known.get(engine, _Known())
    if known.values is not copy.values or known.shared is not copy.shared or known.domains != domains:
        domain = _domain(session)
        found = sets_by(session, Client.id, (domain,), domain.in_(sorted(domains)))
        known = _Known(copy.values, copy.shared, domains, {name: clients for (name,), clients in found.items()})
        with _guard:
            _known[engine] = known
    return known.sets


def _domain(session: Session) -> ColumnElement[Any]:
    """The domain of a client's address, whose key is in lower case."""
    key = Client.address_key
    if session.get_bind().dialect.name == "sqlite":
        return func.substr(key, func.instr(key, "@") + 1)
    return func.split_part(key, "@", 2)
