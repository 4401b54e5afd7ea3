"""What the recipients of an audience are made up of: their countries and languages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.core.audience.counting import Selected, Term
from webapp.core.audience.filter import UNKNOWN
from webapp.core.audience.memory import copy_seen_by
from webapp.core.audience.wording import country_name, language_name
from webapp.core.client_set import ClientSet

SHOWN = 5
"""Values that are named; the others are counted together."""


@dataclass(frozen=True)
class Makeup:
    """(name, number) of those who will receive it, the most frequent first, the rest as one."""

    countries: tuple[tuple[str, int], ...]
    languages: tuple[tuple[str, int], ...]


def makeup(session: Session, selected: Selected) -> Makeup:
    """The make-up of those who will receive it."""
    values, receivers = copy_seen_by(session).values, selected.terms[Term.WILL_RECEIVE]
    return Makeup(
        _most_frequent(_named(values["countries"], receivers, country_name)),
        _most_frequent(_named(values["languages"], receivers, language_name)),
    )


def by_country(session: Session, selected: Selected) -> dict[str, int]:
    """How many of those who will receive it live in each country (ISO 3166 alpha-2), where that is known."""
    receivers = selected.terms[Term.WILL_RECEIVE]
    values = copy_seen_by(session).values["countries"].items()
    counts = {code: receivers.overlap(clients) for code, clients in values if code != UNKNOWN}
    return {code: number for code, number in counts.items() if number}


def _named(values: Mapping[str, ClientSet], receivers: ClientSet, name: Callable[[str], str]) -> dict[str, int]:
    return {name(value): receivers.overlap(clients) for value, clients in values.items()}


def _most_frequent(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    rows = sorted(
        ((name[:1].upper() + name[1:], number) for name, number in counts.items() if number),
        key=lambda row: (-row[1], row[0]),
    )
    if len(rows) <= SHOWN + 1:
        return tuple(rows)
    rest = rows[SHOWN:]
    return (*rows[:SHOWN], (f"{len(rest)} more", sum(number for _, number in rest)))
