"""What the recipients of an audience are made up of: their countries and languages."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.core.audience.bits import union
from webapp.core.audience.counting import Selected, Term
from webapp.core.audience.memory import copy_seen_by
from webapp.core.audience.wording import country_name, language_name

SHOWN = 5
"""Values that are named; the others are counted together."""


@dataclass(frozen=True)
class Makeup:
    """(name, number) of those who will receive it, the most frequent first, the rest as one."""

    countries: tuple[tuple[str, int], ...]
    languages: tuple[tuple[str, int], ...]


def makeup(session: Session, selected: Selected) -> Makeup:
    """The make-up of those who will receive it."""
    counts: dict[str, Counter[str]] = {"countries": Counter(), "languages": Counter()}
    receivers = dict(selected.terms[Term.WILL_RECEIVE])
    for block in copy_seen_by(session).blocks:
        receiving = receivers.get(block.number, 0)
        for criterion, found in counts.items() if receiving else ():
            for value, members in block.values[criterion].items():
                found[value] += (receiving & union(members)).bit_count()
    return Makeup(
        _most_frequent({country_name(code): number for code, number in counts["countries"].items()}),
        _most_frequent({language_name(tag): number for tag, number in counts["languages"].items()}),
    )


def _most_frequent(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    rows = sorted(
        ((name[:1].upper() + name[1:], number) for name, number in counts.items() if number),
        key=lambda row: (-row[1], row[0]),
    )
    if len(rows) <= SHOWN + 1:
        return tuple(rows)
    rest = rows[SHOWN:]
    return (*rows[:SHOWN], (f"{len(rest)} more", sum(number for _, number in rest)))
