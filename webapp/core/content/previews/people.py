"""Whom a preview is made for: a recipient, their neighbours, and those with whom a text is likely to go wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core import clients
from webapp.core.audience import Audience, Recipient, audience_of
from webapp.core.audience.counting import Term, matching_in, select_terms
from webapp.core.audience.earlier import allowed
from webapp.core.audience.listing import recipients_among
from webapp.core.audience.memory import copy_seen_by
from webapp.core.audience.selection import addon_matches, service_matches
from webapp.core.audience.texts import receivers_by_text
from webapp.core.client_set import NOBODY, ClientSet
from webapp.core.clients.rows import in_chunks
from webapp.core.content.fields import sources
from webapp.core.content.languages import content_of
from webapp.core.content.tag_catalogue.holdings import matching
from webapp.core.rules import tags
from webapp.core.rules.languages import MAIN, is_right_to_left
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import AddonAssignment, Client, Service

FOUND = 8
"""Recipients that a search shows."""

CANDIDATES = 40
"""How many clients a search reads at once."""

LOOKED_AT = 5000
"""Among so many recipients the extremes are looked for; where there are more, among this many in `PARTS` parts spread over all."""

PARTS = 50

READ_AT_ONCE = 1000
"""Ids that one query names."""


@dataclass(frozen=True, slots=True)
class PreviewRecipient:
    """A recipient. `holding` says in words whose data stand in the service and addon tags, None in a general message.

    They are number `position` of the `total` who will get the mail, in the order in which the mails leave; `previous_id` and
    `next_id` are the clients before and after. `text` is the language of the text they get, "" for the main one.
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
    text: str = MAIN


@dataclass(frozen=True, slots=True)
class Extreme:
    """Somebody with whom a text shows what it cannot take."""

    label: str
    client_id: int


def at(
    session: Session, audience: Audience, today: date, client_id: int | None, *, text: str | None = None
) -> PreviewRecipient | None:
    """The recipient with this client id; where that client will not get the mail, or for None, the first. None if nobody will. With `text`
    only those count who get the text in that language."""
    receivers = _receivers(session, audience, text)
    chosen = client_id if client_id is not None and client_id in receivers else receivers.first()
    if chosen is None:
        return None
    (row,) = recipients_among(session, audience, today, [chosen])
    held = row.holding
    return PreviewRecipient(
        client_id=chosen,
        name=row.name,
        address=row.client.address or "",
        service_id=held.service.id if held else None,
        addon_assignment_id=held.assignment.id if held and held.assignment else None,
        holding=_in_words(session, audience, row),
        position=receivers.position(chosen),
        total=len(receivers),
        previous_id=receivers.before(chosen),
        next_id=receivers.after(chosen),
        text=(audience.texts.of(row.client.language) or MAIN) if audience.texts else MAIN,
    )


def search(
    session: Session, audience: Audience, today: date, words: str, *, text: str | None = None
) -> Sequence[Recipient]:
    """The first few recipients whose name, company, address or number has every word. Nobody behind them is looked at. `text` as
    in `at`."""
    receivers = _receivers(session, audience, text)
    if not words.strip():
        return recipients_among(session, audience, today, receivers.page(0, FOUND))
    called = select(Client.id).where(*clients.called(words)).order_by(Client.id)
    with session.execute(called.execution_options(yield_per=CANDIDATES)) as rows:
        ids = list(islice((client_id for client_id in rows.scalars() if client_id in receivers), FOUND))
    return recipients_among(session, audience, today, ids)


def extremes(
    session: Session,
    audience: Audience,
    *,
    text: str | None = None,
    look_at: int = LOOKED_AT,
    lists_services: bool = False,
) -> list[Extreme]:
    """The longest name, a missing one, one written from right to left, and the client with the most services, where there are such, among
    those who match and will get it; the last where services matter: in messages about them, and where the text lists them. Of more than
    `look_at` recipients only so many are looked at, and the labels say so. `text` as in `at`."""
    matching = _matching(session, audience, text)
    ids = _spread(matching, look_at)
    among = f" of {len(ids):,}" if len(ids) < len(matching) else ""
    found: list[tuple[str, int | None]] = []
    lengths, nameless = _names(session, ids)
    found.append((f"longest name{among}", _first_of_most(lengths)))
    found.append(("empty name", min(nameless, default=None)))
    found.append(("right to left", _from_right(session, matching)))
    if lists_services or audience.filter.message_type is not MessageType.GENERAL:
        found.append((f"most services{among}", _first_of_most(_services(session, audience, ids))))
    return [Extreme(label, client_id) for label, client_id in found if client_id is not None]


def extremes_of(session: Session, broadcast: Broadcast, *, text: str = MAIN, look_at: int = LOOKED_AT) -> list[Extreme]:
    """The extremes among those who get the text of a draft in a language, "" for the main one; `look_at` as in `extremes`."""
    written = sources(content_of(broadcast, text)).items()
    lists_services = any("services" in tags.used(source, field=field) for field, source in written)
    of = audience_of(broadcast)
    return extremes(session, of, text=text, look_at=look_at, lists_services=lists_services)


def _receivers(session: Session, audience: Audience, text: str | None) -> ClientSet:
    receivers = select_terms(session, audience).terms[Term.WILL_RECEIVE]
    if text is None or audience.texts is None:
        return receivers
    return receivers_by_text(session, audience.texts, receivers).get(text, NOBODY)


def _matching(session: Session, audience: Audience, text: str | None) -> ClientSet:
    """Those who match the filter and will get the mail."""
    among = allowed(session, audience.filter)
    return _receivers(session, audience, text) & matching_in(copy_seen_by(session), audience.filter, among)


def _spread(matching: ClientSet, look_at: int) -> list[int]:
    """All ids, or `look_at` of them in parts of neighbours at equal distances: to skip single ones would mean to walk through all."""
    total = len(matching)
    if total <= look_at:
        return list(matching)
    parts = min(PARTS, look_at)
    return [one for part in range(parts) for one in matching.page(part * total // parts, look_at // parts)]


def _names(session: Session, ids: Sequence[int]) -> tuple[dict[int, int], list[int]]:
    """The length of each name, and who has no first name."""
    length = func.length(Client.first_name) + func.length(Client.last_name)
    lengths, nameless = {}, []
    for some in in_chunks(ids, READ_AT_ONCE):
        for client_id, long, none in session.execute(
            select(Client.id, length, Client.first_name == "").where(Client.id.in_(some))
        ):
            lengths[client_id] = long
            if none:
                nameless.append(client_id)
    return lengths, nameless


def _services(session: Session, audience: Audience, ids: Sequence[int]) -> dict[int, int]:
    """How many services each of them has that the filter chose."""
    counts = dict.fromkeys(ids, 0)
    for some in in_chunks(ids, READ_AT_ONCE):
        chosen = Service.client_id.in_(some), matching(audience.filter)
        held = select(Service.client_id, func.count()).where(*chosen).group_by(Service.client_id)
        counts |= dict(session.execute(held).all())
    return counts


def _first_of_most(numbers: Mapping[int, int]) -> int | None:
    """Whose number is the highest; of several the one with the lowest id."""
    return max(numbers, key=lambda client_id: (numbers[client_id], -client_id), default=None)


def _from_right(session: Session, matching: ClientSet) -> int | None:
    """The first whose language is written from right to left, from the copy in memory."""
    by_language = copy_seen_by(session).values["languages"].items()
    readers = (clients for language, clients in by_language if is_right_to_left(language))
    return (matching & ClientSet.any_of(readers)).first()


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
