"""Prices and currencies: 1,234.50 and 1.234,50 and 1'234.50 are the same price."""

import re
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, lru_cache

from babel.core import get_global

from webapp.core.rules.normalise.value import NOTHING, Value, unknown
from webapp.core.rules.texts import shown

_NUMBER = re.compile(r"([+-]?)(\d[\d.,]*|[.,]\d+)")
_GROUPED = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
_BLANKS = re.compile(r"[\s'’_]")
_AROUND = re.compile(r"[^\d.,+-]+")
_SYMBOLS = {
    "€": "EUR",
    "$": "USD",
    "US$": "USD",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "zł": "PLN",
    "Kč": "CZK",
    "₺": "TRY",
    "₴": "UAH",
}
_CENT = Decimal("0.01")
_LIMIT = Decimal(10) ** 10


@lru_cache(maxsize=8192)
def price(text: str) -> Value[Decimal]:
    """An amount with two decimals. A single comma or dot before exactly three digits is taken to group thousands, with a note;
    what stands around the number ("12.50 EUR", "€ 12") is ignored here, see `currency_beside`.
    """
    plain = _BLANKS.sub("", text)
    if not plain:
        return NOTHING
    bare = _AROUND.sub("", plain).removesuffix(",-").removesuffix(".-")
    number = _NUMBER.fullmatch(bare)
    if not number or not _is_currency_or_nothing(_currency_text(plain)):
        return _no_price(text)
    digits = number[2].rstrip(".,") if number[2][-1:] in ".," else number[2]
    note = None
    if grouped := _GROUPED.fullmatch(digits):
        if digits.count(grouped[1]) == 1 and not digits.startswith("0"):
            note = f"“{shown(text, 40)}” read as {digits.replace(grouped[1], '')}.00"
            digits = digits.replace(grouped[1], "")
        elif digits.count(grouped[1]) > 1:
            digits = digits.replace(grouped[1], "")
    plain_digits = _with_point(digits)
    if plain_digits is None:
        return _no_price(text)
    amount = Decimal(f"{number[1]}{plain_digits}")
    rounded = amount.quantize(_CENT, ROUND_HALF_EVEN)
    if abs(rounded) >= _LIMIT:
        return _no_price(text)
    if rounded != amount:
        note = f"“{shown(text, 40)}” rounded to {rounded}"
    return Value(rounded, note)


def _with_point(digits: str) -> str | None:
    """The digits with a point before the decimals and no grouping; None where they are not one number."""
    at = max(digits.rfind("."), digits.rfind(","))
    if at < 0:
        return digits
    whole, decimals = digits[:at], digits[at + 1 :]
    if not whole.isdigit() and whole:
        grouped = _GROUPED.fullmatch(whole)
        if not grouped or grouped[1] == digits[at]:
            return None
        whole = whole.replace(grouped[1], "")
    return f"{whole or '0'}.{decimals or '0'}"


@lru_cache(maxsize=1024)
def currency(text: str) -> Value[str]:
    """The ISO 4217 code, from a code or a sign; "$" is read as USD, with a note."""
    plain = text.strip()
    if not plain:
        return NOTHING
    if plain.upper() in _codes():
        return Value(plain.upper())
    if plain in _SYMBOLS:
        return Value(_SYMBOLS[plain], f"“{plain}” read as {_SYMBOLS[plain]}" if plain in "$¥" else None)
    return unknown(f"“{shown(plain, 40)}” is not a currency: left out")


def currency_beside(price_text: str) -> str | None:
    """The currency that stands beside the number in a price ("12.50 EUR", "€ 12"), if one does."""
    return currency(_currency_text(price_text)).value


def _currency_text(text: str) -> str:
    return re.sub(r"[\d.,\s'’_+-]", "", text)


def _is_currency_or_nothing(text: str) -> bool:
    return not text or currency(text).understood


def _no_price(text: str) -> Value[Decimal]:
    return unknown(f"“{shown(text, 40)}” is not a price: left out")


@cache
def _codes() -> frozenset[str]:
    return frozenset(get_global("all_currencies"))
