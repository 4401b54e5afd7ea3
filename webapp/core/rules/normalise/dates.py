"""Days, in the ways exports write them. 03/07/2021 is two days; the other dates of the same file tell which."""

import re
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache

from babel import Locale

from webapp.core.rules.normalise.places import NAME_LOCALES
from webapp.core.rules.normalise.value import NOTHING, Value, unknown
from webapp.core.rules.texts import folded, shown

_TIME = re.compile(r"[T ]\d{1,2}:\d{2}.*$")
_YEAR_FIRST = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4}|\d{2})")
_DAY_NAME_YEAR = re.compile(
    r"(\d{1,2})(?:\.|st|nd|rd|th)?[ -]?(?:de )?([^\W\d_]+)\.?,?[ -](?:de )?(\d{4})", re.IGNORECASE
)
_NAME_DAY_YEAR = re.compile(r"([^\W\d_]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})", re.IGNORECASE)
_PIVOT = 70
"""Two digits below are years of this century, the others of the last one."""


class DateOrder(StrEnum):
    """What comes first where a date is written with slashes or dashes and the year last."""

    DAY = "day"
    MONTH = "month"
    UNKNOWN = "unknown"


def order_shown(text: str) -> DateOrder | None:
    """The order that this one date gives away (28/04/2021 has the day first), or None where it does not tell."""
    parts = _YEAR_LAST.fullmatch(_TIME.sub("", text.strip()))
    if not parts or parts[2] == ".":
        return None
    first, second = int(parts[1]), int(parts[3])
    if (first > 12) == (second > 12):
        return None
    return DateOrder.DAY if first > 12 else DateOrder.MONTH


@lru_cache(maxsize=8192)
def day(text: str, order: DateOrder = DateOrder.UNKNOWN) -> Value[date]:
    """The day. `order` is what the file's other dates say; where they say nothing, the day is taken to come first, with a note.

    A time after the date is dropped; the zero date of MySQL ("0000-00-00") is no date at all. With dots the day comes first.
    """
    plain = _TIME.sub("", text.strip())
    if not plain or plain.startswith("0000-00-00"):
        return NOTHING
    if parts := _YEAR_FIRST.fullmatch(plain):
        return _made(text, int(parts[1]), int(parts[3]), int(parts[4]))
    if parts := _YEAR_LAST.fullmatch(plain):
        return _year_last(text, parts, order)
    if parts := _DAY_NAME_YEAR.fullmatch(plain):
        return _made(text, int(parts[3]), _months().get(folded(parts[2]), 0), int(parts[1]))
    if parts := _NAME_DAY_YEAR.fullmatch(plain):
        return _made(text, int(parts[3]), _months().get(folded(parts[1]), 0), int(parts[2]))
    return _no_date(text)


def _year_last(text: str, parts: re.Match[str], order: DateOrder) -> Value[date]:
    first, second, year = int(parts[1]), int(parts[3]), int(parts[4])
    if len(parts[4]) == 2:
        year += 2000 if year < _PIVOT else 1900
    if parts[2] == ".":
        return _made(text, year, second, first)
    shown_order = order_shown(text)
    month_first = (shown_order or order) is DateOrder.MONTH
    found = _made(text, year, first, second) if month_first else _made(text, year, second, first)
    if found.value and shown_order is None and order is DateOrder.UNKNOWN and first != second:
        return Value(found.value, f"“{shown(text, 40)}” read as {found.value:%-d %B %Y}, the day first")
    return found


def _made(text: str, year: int, month: int, day_of_month: int) -> Value[date]:
    try:
        found = date(year, month, day_of_month)
    except ValueError:
        return _no_date(text)
    return Value(found) if 1900 <= year <= 2199 else _no_date(text)


def _no_date(text: str) -> Value[date]:
    return unknown(f"“{shown(text, 40)}” is not a date: left out")


@cache
def _months() -> dict[str, int]:
    names: dict[str, int] = {}
    for code in reversed(NAME_LOCALES):
        months = Locale.parse(code).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                names |= {folded(name).rstrip("."): number for number, name in months[context][width].items()}
    return names
