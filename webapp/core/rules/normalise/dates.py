"""Days, in the ways exports write them. 03/07/2021 is two days; the other dates of the same file tell which, or a person is asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache

from webapp.core.rules.normalise.months import ambiguous_months, months, name_key, weekdays
from webapp.core.rules.normalise.value import NOTHING, Value, unknown
from webapp.core.rules.texts import shown

_TIME = re.compile(
    r"(?:,?\s+(?:at\s+|um\s+|à\s+)?|T)\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:Uhr)?"
    r"\s*(?:Z|[A-Z]{2,5}|(?:UTC|GMT)?\s*[+-]\d{2}:?\d{0,2})?(?:\s*\([^)]*\))?$"
)
_TIME_INSIDE = re.compile(r"\s\d{1,2}:\d{2}:\d{2}(?:\s[A-Z]{3,4}|\s[+-]\d{4})?(?=\s\d{4}$)")
_YEAR_FIRST = re.compile(r"(\d{4})([-/.]?)\s?(\d{1,2})\2\s?(\d{1,2})\.?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4}|\d{2})\.?")
_EAST_ASIAN = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]?")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
_MILLISECONDS = 100_000_000_000
_WORD_OR_NUMBER = re.compile(r"\d+|[^\W\d_][^\W\d_’'.\u0300-\u036f\u0900-\u0dff׳״]*(?:[’'][^\W\d_]+)?|\S")
_ORDINALS = frozenset(["st", "nd", "rd", "th", "er", "ᵉʳ", "º", "ª", "°", "o", "a", "e", "er."])
_FILLERS = frozenset(
    [
        "de",
        "del",
        "of",
        "the",
        "den",
        "der",
        "le",
        "the",
        "el",
        "di",
        "г",
        "год",
        "года",
        "р",
        "року",
        "m",
        "d",
        "y",
        "roku",
        "r",
        "on",
    ]
)
_PIVOT = 70
"""Two digits below are years of this century, the others of the last one."""


class DateOrder(StrEnum):
    """What comes first where a date is written with slashes or dashes and the year last."""

    DAY = "day"
    MONTH = "month"
    UNKNOWN = "unknown"


@lru_cache(maxsize=8192)
def order_shown(text: str) -> DateOrder | None:
    """The order that this one date gives away, or None: 28/04/2021 has the day first, and so has "Tue, 05/01/2021"."""
    plain, named = _without_weekday(_TIME.sub("", text.strip()))
    parts = _YEAR_LAST.fullmatch(plain)
    if not parts:
        return None
    first, second, year = int(parts[1]), int(parts[3]), _year(parts[4])
    if named and first != second:
        fits = [_is_on(year, second, first, named), _is_on(year, first, second, named)]
        if fits[0] != fits[1]:
            return DateOrder.DAY if fits[0] else DateOrder.MONTH
    if (first > 12) == (second > 12):
        return None
    return DateOrder.DAY if first > 12 else DateOrder.MONTH


@lru_cache(maxsize=8192)
def day(text: str, order: DateOrder = DateOrder.UNKNOWN) -> Value[date]:
    """The day. `order` is what the file's other dates or a person say; where they say nothing and it matters, the text is in doubt.

    A time after the date is dropped; the zero date of MySQL ("0000-00-00") is no date at all. With dots the day comes first. A number
    of nine or ten digits counts the seconds since 1970 in UTC (POSIX), one of twelve or thirteen the thousandths. A day of the week that
    the date does not fall on makes it no date.
    """
    plain = _TIME_INSIDE.sub("", _TIME.sub("", " ".join(text.split())))
    if not plain or plain.startswith("0000-00-00"):
        return NOTHING
    if _EPOCH.fullmatch(plain):
        return _counted(text, plain)
    plain, named = _without_weekday(plain)
    if parts := _YEAR_FIRST.fullmatch(plain):
        found = _made(text, int(parts[1]), int(parts[3]), int(parts[4]))
    elif parts := _YEAR_LAST.fullmatch(plain):
        found = _year_last(text, parts, order_shown(text) or order)
    elif parts := _EAST_ASIAN.fullmatch(plain):
        found = _made(text, int(parts[1]), int(parts[2]), int(parts[3]))
    else:
        found = _with_name(text, plain)
    if found.value and named and found.value.weekday() not in named:
        return unknown(f"“{shown(text, 40)}” is not on that day of the week: left out")
    return found


@dataclass
class DateHabit:
    """What the clear dates of one column say about those that could be two days, for each separator: "/", "-" and "."."""

    shown: dict[str, set[str]] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Look at one date."""
        if order := order_shown(text):
            self.shown.setdefault(date_separator(text), set()).add(order.value)

    def order(self, text: str, answer: DateOrder = DateOrder.UNKNOWN) -> DateOrder:
        """What comes first in this date; `answer` is what a person said, for where nothing in the column tells."""
        separator = date_separator(text)
        own = self.shown.get(separator, set())
        if len(own) == 1:
            return DateOrder(next(iter(own)))
        if separator == ".":
            return DateOrder.UNKNOWN
        others = self.shown.get("-" if separator == "/" else "/", set())
        if not own and len(others) == 1:
            return DateOrder(next(iter(others)))
        return answer

    def as_json(self) -> dict[str, list[str]]:
        return {separator: sorted(orders) for separator, orders in self.shown.items()}

    @classmethod
    def of_json(cls, data: Mapping[str, list[str]]) -> "DateHabit":
        return cls({separator: set(orders) for separator, orders in data.items()})


def date_separator(text: str) -> str:
    """What separates the parts of a date with the year last; "" for any other text."""
    parts = _YEAR_LAST.fullmatch(_without_weekday(_TIME.sub("", text.strip()))[0])
    return parts[2] if parts else ""


def _without_weekday(text: str) -> tuple[str, frozenset[int]]:
    """The text without a day of the week at its beginning, and which days that may be."""
    first, gap, rest = text.partition(" ")
    name = name_key(first.rstrip(",."))
    is_month = name in months() and not any(name_key(word) in months() for word in rest.split())
    if gap and name in weekdays() and (not is_month or first.endswith(",")):
        return rest.lstrip(" ,"), weekdays()[name]
    return text, frozenset()


def _counted(text: str, plain: str) -> Value[date]:
    count = float(plain)
    seconds = count / 1000 if count >= _MILLISECONDS else count
    found = datetime.fromtimestamp(seconds, UTC).date()
    if not 1980 <= found.year <= 2100:
        return _no_date(text)
    return Value(found, f"“{shown(text, 40)}” read as {found:%-d %B %Y}, counted in seconds since 1970")


def _year_last(text: str, parts: re.Match[str], order: DateOrder) -> Value[date]:
    first, second, year = int(parts[1]), int(parts[3]), _year(parts[4])
    if order is DateOrder.MONTH:
        return _made(text, year, first, second)
    if parts[2] == "." or order is DateOrder.DAY:
        return _made(text, year, second, first)
    found, other = _made(text, year, second, first), _made(text, year, first, second)
    if found.value and other.value and found.value != other.value:
        return unknown(
            f"“{shown(text, 40)}” could be {found.value:%-d %B %Y} or {other.value:%-d %B %Y}: say which", doubt=True
        )
    return found


def _with_name(text: str, plain: str) -> Value[date]:
    """A date with the name of its month: 5-Jan-21, 1er janvier 2021, January 5th, 2021, 5 de enero de 2021."""
    numbers: list[str] = []
    month, month_at = 0, -1
    for word in _WORD_OR_NUMBER.findall(plain):
        key = name_key(word)
        if word.isdigit():
            numbers.append(word)
        elif key in ambiguous_months():
            return unknown(f"“{shown(text, 40)}” names a month that differs between languages: left out")
        elif key in months() and not month:
            month, month_at = months()[key], len(numbers)
        elif key not in _FILLERS and key not in _ORDINALS and word not in "-/.,'’" and key not in weekdays():
            return _no_date(text)
    if not month or len(numbers) != 2:
        return _no_date(text)
    first, last = numbers
    if len(first) == 4 and len(last) <= 2:
        return _made(text, int(first), month, int(last))
    if len(first) > 2 or len(last) not in (2, 4):
        return _no_date(text)
    if len(last) == 2 and (month_at == 2 or int(first) > 31):
        return _no_date(text)
    return _made(text, _year(last), month, int(first))


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 2:
        return year
    return year + (2000 if year < _PIVOT else 1900)


def _is_on(year: int, month: int, day_of_month: int, weekday: frozenset[int]) -> bool:
    try:
        return date(year, month, day_of_month).weekday() in weekday
    except ValueError:
        return False


def _made(text: str, year: int, month: int, day_of_month: int) -> Value[date]:
    try:
        found = date(year, month, day_of_month)
    except ValueError:
        return _no_date(text)
    return Value(found) if 1900 <= year <= 2199 else _no_date(text)


def _no_date(text: str) -> Value[date]:
    return unknown(f"“{shown(text, 40)}” is not a date: left out")
