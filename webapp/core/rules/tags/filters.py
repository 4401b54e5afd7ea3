"""The filters: what each one takes, what it makes of a text, and which name was probably meant.

A filter works on a value before it is escaped, so whatever it makes of one stands in a mail as text. Three work on a day, an amount or a
number instead: see `nodes.TYPED`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from webapp.core.rules.tags.names import nearest
from webapp.core.rules.tags.nodes import TYPED, Filter, Name

MOST_FILTERS = 10
"""Filters behind one tag."""

LONGEST_ARGUMENT = 500
LONGEST_VALUE = 10_000
"""Characters. A value that `replace` would make longer is cut off there."""


class ArgumentKind(StrEnum):
    TEXT = "text"
    TEXT_OR_TAG = "text or tag"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class FilterForm:
    """What stands behind a filter's colon: the kinds in their order, of which the first `needed` must be there; the last may come again
    until there are `most`. `takes` says so in words, `example` shows it."""

    kinds: tuple[ArgumentKind, ...]
    needed: int
    takes: str
    example: str
    most: int = 0


_TEXT, _NUMBER = ArgumentKind.TEXT, ArgumentKind.NUMBER
FORMS: Mapping[str, FilterForm] = MappingProxyType(
    {
        "default": FilterForm((ArgumentKind.TEXT_OR_TAG,), 1, "one text", '{{ first_name | default: "there" }}'),
        "date": FilterForm((_TEXT,), 1, "one text", '{{ service_due_date | date: "short" }}'),
        "money": FilterForm((_TEXT,), 0, "at most one text", '{{ service_price | money: "code" }}'),
        "plural": FilterForm((_TEXT,), 2, "two to six texts", '{{ service_count | plural: "service", "services" }}', 6),
        "upcase": FilterForm((), 0, "nothing", "{{ company | upcase }}"),
        "downcase": FilterForm((), 0, "nothing", "{{ email | downcase }}"),
        "capitalize": FilterForm((), 0, "nothing", "{{ first_name | capitalize }}"),
        "truncate": FilterForm((_NUMBER, _TEXT), 0, "a number and a text", '{{ company | truncate: 30, "…" }}'),
        "replace": FilterForm((_TEXT, _TEXT), 1, "one or two texts", '{{ service_domain | replace: "www.", "" }}'),
    }
)

_OTHER_WORDS = {
    "fallback": "default",
    "if_empty": "default",
    "upper": "upcase",
    "uppercase": "upcase",
    "lower": "downcase",
    "lowercase": "downcase",
    "title": "capitalize",
    "titlecase": "capitalize",
    "ucfirst": "capitalize",
    "format_date": "date",
    "strftime": "date",
    "currency": "money",
    "price": "money",
    "pluralize": "plural",
    "cut": "truncate",
    "shorten": "truncate",
    "ellipsis": "truncate",
    "truncatewords": "truncate",
    "substitute": "replace",
}

DATE_STYLES = ("short", "medium", "long", "full")
MONEY_STYLES = ("symbol", "code", "name", "number", "whole")

DIRECTIVES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "%d": ("dd", ""),
        "%-d": ("d", ""),
        "%m": ("MM", ""),
        "%-m": ("M", ""),
        "%b": ("MMM", "LLL"),
        "%B": ("MMMM", "LLLL"),
        "%y": ("yy", ""),
        "%Y": ("yyyy", ""),
        "%a": ("EEE", ""),
        "%A": ("EEEE", ""),
        "%%": ("", ""),
    }
)
"""What a pattern of `date` may hold, and the field of CLDR (UTS 35 part 4) that says the same; where a language writes it otherwise when no
day stands beside it, that field too."""

DIRECTIVE = re.compile(r"%-?.?", re.DOTALL)

_OTHER_PATTERNS = (
    ("yyyy", "%Y"), ("YYYY", "%Y"), ("yy", "%y"), ("YY", "%y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("EEEE", "%A"), ("EEE", "%a"),
    ("dddd", "%A"), ("ddd", "%a"), ("dd", "%d"), ("DD", "%d"), ("M", "%-m"), ("d", "%-d"), ("D", "%-d"), ("y", "%Y"),
)  # fmt: skip
_OTHER_PATTERN = re.compile("|".join(other for other, _ in _OTHER_PATTERNS))
_IN_LETTERS = re.compile(r"(?:[yYMdDE]{1,4}[\s.,/-]*)+")


def meant(name: str) -> str | None:
    """The filter that was probably meant, by what other programs call it or by its spelling."""
    plain = name.lower().replace("-", "_")
    return plain if plain in FORMS else _OTHER_WORDS.get(plain) or nearest(plain, FORMS)


def complaint(found: Filter) -> tuple[str, str, str | None] | None:
    """What is wrong with the arguments of a filter that exists: a sentence, the piece that is wrong, and what was meant; None where all is
    well."""
    form, arguments = FORMS[found.name], found.arguments
    most = max(form.most, len(form.kinds))
    if not most and arguments:
        return f"The filter {found.name} takes nothing after it.", found.name, None
    if not form.needed <= len(arguments) <= most:
        return f"The filter {found.name} takes {form.takes}: {form.example}.", found.name, None
    for place, argument in enumerate(arguments):
        kind = form.kinds[min(place, len(form.kinds) - 1)]
        if kind is _NUMBER and not isinstance(argument, int):
            return f"The filter {found.name} takes {form.takes}: {form.example}.", found.name, None
        if kind is not _NUMBER and isinstance(argument, int):
            return f'The text after {found.name}: stands in quotes: {found.name}: "{argument}".', found.name, None
        if kind is _TEXT and isinstance(argument, Name):
            return f'The text after {found.name}: stands in quotes: {found.name}: "{argument.name}".', found.name, None
        if isinstance(argument, str) and len(argument) > LONGEST_ARGUMENT:
            return f"A text after {found.name}: has at most {LONGEST_ARGUMENT} characters.", found.name, None
    return _of_its_own(found)


def _of_its_own(found: Filter) -> tuple[str, str, str | None] | None:
    match found.name, found.arguments:
        case "date", (str(style),):
            return _of_date(style)
        case "money", (str(style),) if style not in MONEY_STYLES:
            wanted = nearest(style, MONEY_STYLES)
            return f"An amount is written as {_listed(MONEY_STYLES)}, not as “{style}”.", style, wanted
        case "replace", ("", *_):
            return 'The filter replace needs the text that it looks for: replace: "www.", "".', "replace", None
        case "truncate", (int(length), *_) if length < 1:
            return "The filter truncate keeps at least one character.", "truncate", None
    return None


def _of_date(style: str) -> tuple[str, str, str | None] | None:
    if style in DATE_STYLES:
        return None
    if "%" not in style:
        if _IN_LETTERS.fullmatch(style):
            instead = _OTHER_PATTERN.sub(lambda match: dict(_OTHER_PATTERNS)[match[0]], style)
            return f"A pattern of a date is written with signs of percent: “{instead}”, not “{style}”.", style, instead
        wanted = nearest(style, DATE_STYLES)
        return (
            f"A date is written as {_listed(DATE_STYLES)} or by a pattern such as “%-d %B %Y”, not as “{style}”.",
            style,
            wanted,
        )
    for match in DIRECTIVE.finditer(style):
        if match[0] not in DIRECTIVES:
            known = " ".join(DIRECTIVES)
            return (
                f"{match[0]} cannot stand in a pattern of a date: a day has no time. There are: {known}.",
                match[0],
                None,
            )
    return None


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def default(value: str, alternative: str) -> str:
    return value or alternative


def upcase(value: str) -> str:
    return value.upper()


def downcase(value: str) -> str:
    return value.lower()


def capitalize(value: str) -> str:
    return value.capitalize()


def truncate(value: str, length: int = 50, end: str = "...") -> str:
    """At most `length` characters, `end` included where something was cut off."""
    if len(value) <= length:
        return value
    return value[: max(0, length - len(end))] + end


def replace(value: str, old: str, new: str = "") -> str:
    return value.replace(old, new)[:LONGEST_VALUE]


ON_TEXT: Mapping[str, Callable[..., str]] = MappingProxyType(
    {one.__name__: one for one in (default, upcase, downcase, capitalize, truncate, replace)}
)
"""What the filters make of a text and their arguments."""

assert FORMS.keys() == ON_TEXT.keys() | TYPED
