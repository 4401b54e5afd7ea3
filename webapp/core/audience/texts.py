"""Which of several texts the clients of an audience get: as columns of a query, and as sets from the copy in memory. Both go by the table
of `rules/languages/choosing.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, func, literal, null, or_, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.core.audience.memory import Copy, copy_seen_by
from webapp.core.client_set import NOBODY, ClientSet
from webapp.core.rules.languages import MAIN, Texts, WithoutText, cases_of

Language = InstrumentedAttribute[str | None] | ColumnElement[Any]


def own_text(language: Language, texts: Texts) -> ColumnElement[str | None]:
    """The text in the language of a client, "" for the main one; NULL where there is none. Needs no other column, and looks nobody up."""
    cases = cases_of(texts.main, texts.others)
    by_text: dict[str | None, list[str]] = {}
    for tag, text in cases.exact.items():
        by_text.setdefault(text, []).append(tag)
    whens: list[tuple[ColumnElement[bool], Any]] = [
        (language.in_(tags), null() if text is None else literal(text, String)) for text, tags in by_text.items()
    ]
    for code, text in cases.families.items():
        if text is not None:
            # Not LIKE, which SQLite answers without heed of large and small letters.
            of_family = or_(language == code, func.substr(language, 1, len(code) + 1) == f"{code}-")
            whens.append((of_family, literal(text, String)))
    return type_coerce(case(*whens, else_=null()), String) if whens else cast(null(), String)


def text_of(language: Language, texts: Texts) -> ColumnElement[str | None]:
    """The language of the text that a client gets who gets a mail, NULL for the main one: what a delivery keeps."""
    return func.nullif(own_text(language, texts), "")


def clients_by_text(copy: Copy, texts: Texts) -> Mapping[str | None, ClientSet]:
    """All clients by the text in their language: its tag, "" for the main one, None for those who have none."""
    parts: dict[str | None, list[ClientSet]] = {}
    for language, clients in copy.values["languages"].items():
        parts.setdefault(texts.own_of(language), []).append(clients)
    return {text: ClientSet.any_of(sets) for text, sets in parts.items()}


def without_text(copy: Copy, texts: Texts | None) -> ClientSet:
    """The clients who get no mail because no text is in their language."""
    if texts is None or texts.without is WithoutText.MAIN:
        return NOBODY
    return clients_by_text(copy, texts).get(None, NOBODY)


def receivers_by_text(session: Session, texts: Texts | None, receivers: ClientSet) -> dict[str, ClientSet]:
    """Those of `receivers` by the text they get; "" is the main one, which those get, too, who have none of their own."""
    if texts is None:
        return {MAIN: receivers}
    found = dict.fromkeys((MAIN, *texts.others), NOBODY)
    for text, clients in clients_by_text(copy_seen_by(session), texts).items():
        found[text or MAIN] |= clients & receivers
    return found


@dataclass(frozen=True, slots=True)
class TextCount:
    """How many clients of an audience get which text: `numbers` by its language, "" for the main one. `without` have none in their
    language, whatever becomes of them; the language of `unknown` of these is not known. `languages` are those of all, with and without,
    the most frequent first."""

    numbers: Mapping[str, int]
    without: int
    unknown: int
    languages: tuple[tuple[str, int], ...]


def count_texts(session: Session, texts: Texts | None, reached: ClientSet) -> TextCount:
    """The counts for the clients `reached`: who will receive it, and who would if there were a text in their language."""
    copy = copy_seen_by(session)
    if texts is None:
        return TextCount({MAIN: len(reached)}, 0, 0, _spoken(copy, reached))
    by_own = clients_by_text(copy, texts)
    without = by_own.get(None, NOBODY) & reached
    numbers = {text: by_own.get(text, NOBODY).overlap(reached) for text in (MAIN, *texts.others)}
    if texts.without is WithoutText.MAIN:
        numbers[MAIN] += len(without)
    unknown = copy.values["languages"].get("", NOBODY).overlap(without)
    return TextCount(numbers, len(without), unknown, _spoken(copy, reached))


def _spoken(copy: Copy, reached: ClientSet) -> tuple[tuple[str, int], ...]:
    found = ((tag, clients.overlap(reached)) for tag, clients in copy.values["languages"].items() if tag)
    return tuple(sorted(((tag, number) for tag, number in found if number), key=lambda one: (-one[1], one[0])))
