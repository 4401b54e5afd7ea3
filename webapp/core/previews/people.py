"""Whom a preview is made for: a recipient, their neighbours, and those with whom a text is likely to go wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from webapp.core import clients
from webapp.core.audience import Audience, Recipient
from webapp.core.audience.bits import client_ids, union
from webapp.core.audience.counting import matching_in
from webapp.core.audience.listing import recipients_among
from webapp.core.audience.memory import copy_seen_by
from webapp.core.audience.selection import addon_matches, matches, service_matches
from webapp.core.previews.receivers import Receivers
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.clients import AddonAssignment, Client, Service

RIGHT_TO_LEFT = ("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi")
"""Languages written from right to left."""

FOUND = 8
"""Recipients that a search shows."""

CANDIDATES = 40
"""How many clients are looked at to find one who will really get the mail."""


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient. `holding` says in words whose data stand in the service and addon tags, None in a general message.

    They are number `position` of the `total` who will get the mail, in the order in which the mails leave; `previous_id` and
    `next_id` are the clients before and after.
    """

    client_id: int
    name: str
    address: str
    service_id: int | None
    addon_assignment_id: int | None
    holding: str | None
    position: int
    total: int
    previous_id: int | None
    next_id: int | None


@dataclass(frozen=True, slots=True)
class Extreme:
    """Somebody with whom a text shows what it cannot take."""

    label: str
    client_id: int


def at(session: Session, audience: Audience, today: date, client_id: int | None) -> Person | None:
    """The recipient with this client id; where that client will not get the mail, or for None, the first. None if nobody will."""
    receivers = Receivers.of(session, audience)
    chosen = client_id if client_id is not None and client_id in receivers else receivers.first()
    if chosen is None:
        return None
    (row,) = recipients_among(session, audience, today, [chosen])
    held = row.holding
    return Person(
        client_id=chosen,
        name=row.name,
        address=row.client.address or "",
        service_id=held.service.id if held else None,
        addon_assignment_id=held.assignment.id if held and held.assignment else None,
        holding=_in_words(session, audience, row),
        position=receivers.position(chosen),
        total=receivers.total,
        previous_id=receivers.before(chosen),
        next_id=receivers.after(chosen),
    )


def search(session: Session, audience: Audience, today: date, words: str) -> Sequence[Recipient]:
    """The first few recipients whose name, company, address or number has every word. Nobody behind them is looked at."""
    receivers = Receivers.of(session, audience)
    if not words.strip():
        return recipients_among(session, audience, today, list(islice(receivers, FOUND)))
    called = select(Client.id).where(*clients.called(words)).order_by(Client.id)
    with session.execute(called.execution_options(yield_per=CANDIDATES)) as rows:
        ids = list(islice((client_id for client_id in rows.scalars() if client_id in receivers), FOUND))
    return recipients_among(session, audience, today, ids)


def extremes(session: Session, audience: Audience) -> list[Extreme]:
    """The longest name, a missing one, one written from right to left, and the client with the most services, where there are such."""
    length = func.length(Client.first_name) + func.length(Client.last_name)
    services = select(func.count()).where(Service.client_id == Client.id).scalar_subquery()
    asked: list[tuple[str, Select[int]]] = [
        ("longest name", select(Client.id).order_by(length.desc(), Client.id)),
        ("empty name", select(Client.id).where(Client.first_name == "").order_by(Client.id)),
    ]
    if audience.filter.message_type is not MessageType.GENERAL:
        asked.append(("most services", select(Client.id).order_by(services.desc(), Client.id)))
    receivers = Receivers.of(session, audience)
    found = {"right to left": _from_right(session, audience, receivers)}
    for label, query in asked:
        candidates = session.scalars(query.where(matches(audience.filter, Client)).limit(CANDIDATES))
        found[label] = next((client_id for client_id in candidates if client_id in receivers), None)
    labels = ("longest name", "empty name", "right to left", "most services")
    return [Extreme(label, first) for label in labels if (first := found.get(label)) is not None]


def _from_right(session: Session, audience: Audience, receivers: Receivers) -> int | None:
    """The first recipient whose language is written from right to left, from the copy in memory."""
    receiving = dict(receivers.blocks)
    for block in copy_seen_by(session).blocks:
        by_language = block.values["languages"].items()
        readers = union(*(who for language, who in by_language if language.split("-")[0] in RIGHT_TO_LEFT))
        bits = readers & receiving.get(block.number, 0)
        if bits and (bits := bits & matching_in(block, audience.filter)):
            return next(client_ids(bits, block.number))
    return None


def _in_words(session: Session, audience: Audience, row: Recipient) -> str | None:
    """ "VPS-2 · oster.example.net, due next of 3"."""
    if audience.filter.message_type is MessageType.GENERAL:
        return None
    held = row.holding
    if held is None:
        return "no service of theirs: its tags are empty"
    words = " · ".join(part for part in (held.product.name, held.service.domain) if part)
    if held.addon and held.assignment:
        words = f"{held.addon.name} on {words}"
        own, chosen = (
            held.assignment.id,
            select(AddonAssignment.id).where(
                AddonAssignment.client_id == row.client.id, addon_matches(audience.filter)
            ),
        )
    else:
        own, chosen = (
            held.service.id,
            select(Service.id).where(Service.client_id == row.client.id, service_matches(audience.filter)),
        )
    ids = session.scalars(chosen).all()
    if own not in ids:
        return f"{words}, which is not among those chosen"
    return f"{words}, due next of {len(ids):,}" if len(ids) > 1 else words
