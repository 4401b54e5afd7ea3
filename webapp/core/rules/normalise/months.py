"""Names of months and days of the week in the languages of exports; a name that is two months in two languages is none."""

from functools import cache

from babel import Locale

from webapp.core.rules.normalise.places import NAME_LOCALES
from webapp.core.rules.texts import folded


def name_key(name: str) -> str:
    """A name without case, accents, dots and the article that Catalan puts before it."""
    return folded(name).rstrip(".").removeprefix("de ").removeprefix("d'").strip()


@cache
def months() -> dict[str, int]:
    """The number of the month of each name. English names are English: they stand in exports of all countries."""
    found: dict[str, set[int]] = {}
    for code in NAME_LOCALES:
        for number, name in _names(code, "months"):
            if not any(sign.isdigit() for sign in name):
                found.setdefault(name_key(name), set()).add(int(number))
    clear = {name: next(iter(numbers)) for name, numbers in found.items() if len(numbers) == 1}
    english = {name_key(name): int(number) for number, name in _names("en", "months")}
    return clear | english | {"sept": 9}


@cache
def ambiguous_months() -> frozenset[str]:
    """Names that are different months in different languages, as Polish and Croatian "listopad"."""
    names = {name_key(name) for code in NAME_LOCALES for _, name in _names(code, "months")}
    return frozenset(name for name in names - months().keys() if not any(sign.isdigit() for sign in name))


@cache
def weekdays() -> dict[str, frozenset[int]]:
    """The days of the week that a name can mean, Monday being 0."""
    found: dict[str, set[int]] = {}
    for code in NAME_LOCALES:
        for number, name in _names(code, "days"):
            if len(name_key(name)) > 1:
                found.setdefault(name_key(name), set()).add(int(number))
    return {name: frozenset(days) for name, days in found.items()}


def _names(code: str, what: str) -> list[tuple[int, str]]:
    named = getattr(Locale.parse(code), what)
    return [
        item
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated", "short")
        for item in named[context].get(width, {}).items()
    ]
