"""What can be chosen in a filter, each with the number of clients behind it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from webapp.core.audience.bits import union
from webapp.core.audience.counting import held, matching_in
from webapp.core.audience.filter import AudienceFilter, criteria_of
from webapp.core.audience.memory import Block, Holdings, copy_seen_by
from webapp.core.audience.words import Names, country_name, language_name, names
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


LABELS = {
    "countries": "Country",
    "languages": "Language",
    "client_statuses": "Client status",
    "products": "Product or service",
    "service_statuses": "Service status",
    "addons": "Addon",
    "addon_statuses": "Addon status",
}


def choices(session: Session, filter_: AudienceFilter) -> tuple[Criterion, ...]:
    """The criteria of the filter's message type, with every value that a client, product or addon has, or that is chosen."""
    blocks = copy_seen_by(session).blocks
    known = names(session)
    return tuple(_criterion(name, filter_, blocks, known) for name in criteria_of(filter_.message_type))


def _criterion(name: str, filter_: AudienceFilter, blocks: Iterable[Block], known: Names) -> Criterion:
    counts: Counter[Any] = Counter()
    count = _COUNTED.get(name, _count_values)
    for block in blocks:
        count(name, filter_, block, counts)
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
    else:
        label = known.of(name, value)
        gone = value not in (known.products if name == "products" else known.addons)
        group = known.groups.get(value, "") if name == "products" else ""
    label = label[:1].upper() + label[1:] if label.startswith(("no known", "a product", "an addon")) else label
    return Choice(str(value), label, counts[value], value in getattr(filter_, name), meaning, group, gone)


def _count_values(name: str, filter_: AudienceFilter, block: Block, counts: Counter[Any]) -> None:
    base = matching_in(block, filter_, besides=name)
    for value, members in block.values[name].items():
        counts[value] += (base & union(members)).bit_count()


def _count_kinds(name: str, filter_: AudienceFilter, block: Block, counts: Counter[Any]) -> None:
    base = matching_in(block, filter_, besides="holdings")
    holdings, _, statuses = _holdings(name, filter_, block)
    for kind in holdings:
        counts[kind] += (base & union(*held(holdings, (kind,), statuses))).bit_count()


def _count_statuses(name: str, filter_: AudienceFilter, block: Block, counts: Counter[Any]) -> None:
    base = matching_in(block, filter_, besides="holdings")
    holdings, kinds, _ = _holdings(name, filter_, block)
    for status in HoldingStatus:
        counts[status] += (base & union(*held(holdings, kinds, (status,)))).bit_count()


def _holdings(name: str, filter_: AudienceFilter, block: Block) -> tuple[Holdings, tuple, tuple]:
    if name in ("products", "service_statuses"):
        return block.products, filter_.products, filter_.service_statuses
    return block.addons, filter_.addons, filter_.addon_statuses


_COUNTED: dict[str, Callable[[str, AudienceFilter, Block, Counter[Any]], None]] = {
    "products": _count_kinds,
    "addons": _count_kinds,
    "service_statuses": _count_statuses,
    "addon_statuses": _count_statuses,
}
