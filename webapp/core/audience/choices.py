"""What can be chosen in a filter, each with the number of clients behind it."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from webapp.core.audience.counting import held, matching_in
from webapp.core.audience.earlier import Among, allowed, clients_of, members_of
from webapp.core.audience.filter import AudienceFilter, criteria_of
from webapp.core.audience.memory import Copy, Holdings, copy_seen_by
from webapp.core.audience.sources import NO_SUCH_MAIL
from webapp.core.audience.wording import Names, country_name, language_name, names
from webapp.core.rules.earlier import REACHED, EarlierOutcome, Fate
from webapp.core.rules.statuses import ClientStatus, HoldingStatus


@dataclass(frozen=True)
class Choice:
    """One value of a criterion. `count`: clients who have it and match all other criteria, so that choosing within a criterion never
    changes the numbers beside it. `group` is a product's group, `gone` says that what was chosen no longer exists."""

    value: str
    label: str
    count: int
    chosen: bool
    meaning: str | None = None
    group: str = ""
    gone: bool = False


@dataclass(frozen=True)
class Criterion:
    """A criterion with its choices, in the order to show them: statuses in their own, else chosen ones first, then the most frequent."""

    name: str
    label: str
    choices: tuple[Choice, ...]

    @property
    def chosen(self) -> tuple[Choice, ...]:
        return tuple(choice for choice in self.choices if choice.chosen)


EARLIER, NOT_REACHED = "earlier_outcomes", "not_reached_by"
OF_THE_LEDGER = (EARLIER, NOT_REACHED)

LABELS = {
    "earlier_outcomes": "Earlier mass mail",
    "not_reached_by": "Left out: who got",
    "countries": "Country",
    "languages": "Language",
    "client_statuses": "Client status",
    "products": "Product or service",
    "service_statuses": "Service status",
    "addons": "Addon",
    "addon_statuses": "Addon status",
}


def choices(session: Session, filter_: AudienceFilter) -> tuple[Criterion, ...]:
    """The criteria of the filter's message type, with every value that a client, product or addon has, or that is chosen. Of earlier
    broadcasts there are too many: their criteria are there once one is chosen, with all that became of its clients."""
    copy = copy_seen_by(session)
    known = names(session, filter_.earlier_outcomes, filter_.not_reached_by)
    among = allowed(session, filter_)
    wanted = [name for name in criteria_of(filter_.message_type) if name not in OF_THE_LEDGER]
    found = [_criterion(name, filter_, copy, known, among) for name in wanted]
    earlier = [_earlier(session, filter_, copy, known, among)] if filter_.earlier_outcomes else []
    left_out = [_not_reached(session, filter_, copy, known, among)] if filter_.not_reached_by else []
    return (*earlier, *left_out, *found)


def _earlier(session: Session, filter_: AudienceFilter, copy: Copy, known: Names, among: Among) -> Criterion:
    values = {
        EarlierOutcome.of(id_, fate): clients_of(session, EarlierOutcome.of(id_, fate))
        for id_ in dict.fromkeys(outcome.broadcast_id for outcome in filter_.earlier_outcomes)
        for fate in Fate
    }
    base = matching_in(copy, filter_, among, besides=EARLIER)
    counts = Counter({value: base.overlap(clients) for value, clients in values.items()})
    shown = [value for value in values if value in filter_.earlier_outcomes or values[value]]
    return Criterion(EARLIER, LABELS[EARLIER], tuple(_choice(EARLIER, one, counts, filter_, known) for one in shown))


def _not_reached(session: Session, filter_: AudienceFilter, copy: Copy, known: Names, among: Among) -> Criterion:
    """The earlier broadcasts that are left out, each with how many of those who match otherwise it has reached."""
    reached = {id_: members_of(session, id_, REACHED) for id_ in filter_.not_reached_by}
    base = matching_in(copy, filter_, among, besides=NOT_REACHED)
    counts = Counter({id_: base.overlap(clients) for id_, clients in reached.items()})
    shown = tuple(_choice(NOT_REACHED, id_, counts, filter_, known) for id_ in reached)
    return Criterion(NOT_REACHED, LABELS[NOT_REACHED], shown)


def _criterion(name: str, filter_: AudienceFilter, copy: Copy, known: Names, among: Among) -> Criterion:
    counts = _COUNTED.get(name, _count_values)(name, filter_, copy, among)
    found = [_choice(name, value, counts, filter_, known) for value in _values(name, filter_, counts, known)]
    if not name.endswith("statuses"):
        found.sort(key=lambda choice: (not choice.chosen, -choice.count, choice.label))
    return Criterion(name, LABELS[name], tuple(found))


def _values(name: str, filter_: AudienceFilter, counts: Counter[Any], known: Names) -> list[Any]:
    every = {
        "client_statuses": ClientStatus,
        "service_statuses": HoldingStatus,
        "addon_statuses": HoldingStatus,
        "products": known.products,
        "addons": known.addons,
    }
    return list(dict.fromkeys((*every.get(name, counts), *getattr(filter_, name))))


def _choice(name: str, value: Any, counts: Counter[Any], filter_: AudienceFilter, known: Names) -> Choice:
    group, meaning, gone = "", None, False
    if name.endswith("statuses"):
        label, meaning = value.label, value.meaning
    elif name == "countries":
        label = country_name(value)
    elif name == "languages":
        label = language_name(value)
    elif name == EARLIER:
        source = known.broadcasts.get(value.broadcast_id)
        label, gone = f"{source.title if source else NO_SUCH_MAIL}: {value.fate.value}", source is None
    elif name == NOT_REACHED:
        source = known.broadcasts.get(value)
        label, gone = source.title if source else NO_SUCH_MAIL, source is None
    else:
        label = known.of(name, value)
        gone = value not in (known.products if name == "products" else known.addons)
        group = known.groups.get(value, "") if name == "products" else ""
    label = (
        label[:1].upper() + label[1:]
        if label.startswith(("no known", "a product", "an addon", NO_SUCH_MAIL))
        else label
    )
    return Choice(str(value), label, counts[value], value in getattr(filter_, name), meaning, group, gone)


def _count_values(name: str, filter_: AudienceFilter, copy: Copy, among: Among) -> Counter[Any]:
    base = matching_in(copy, filter_, among, besides=name)
    return Counter({value: base.overlap(clients) for value, clients in copy.values[name].items()})


def _count_kinds(name: str, filter_: AudienceFilter, copy: Copy, among: Among) -> Counter[Any]:
    base = matching_in(copy, filter_, among, besides="holdings")
    holdings, _, statuses = _holdings(name, filter_, copy)
    return Counter({kind: base.overlap(held(holdings, (kind,), statuses)) for kind in holdings})


def _count_statuses(name: str, filter_: AudienceFilter, copy: Copy, among: Among) -> Counter[Any]:
    base = matching_in(copy, filter_, among, besides="holdings")
    holdings, kinds, _ = _holdings(name, filter_, copy)
    return Counter({status: base.overlap(held(holdings, kinds, (status,))) for status in HoldingStatus})


def _holdings(
    name: str, filter_: AudienceFilter, copy: Copy
) -> tuple[Holdings, Collection[int], Collection[HoldingStatus]]:
    if name in ("products", "service_statuses"):
        return copy.products, filter_.products, filter_.service_statuses
    return copy.addons, filter_.addons, filter_.addon_statuses


_COUNTED: dict[str, Callable[[str, AudienceFilter, Copy, Among], Counter[Any]]] = {
    "products": _count_kinds,
    "addons": _count_kinds,
    "service_statuses": _count_statuses,
    "addon_statuses": _count_statuses,
}
