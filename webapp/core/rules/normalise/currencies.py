"""Currencies by their codes (ISO 4217) and by the signs and abbreviations that stand beside amounts."""

from functools import cache, lru_cache

from babel.core import get_global
from babel.numbers import get_currency_precision

from webapp.core.rules.normalise.value import NOTHING, Value, unknown
from webapp.core.rules.texts import shown

_DOLLARS = (
    "USD",
    "AUD",
    "CAD",
    "NZD",
    "SGD",
    "HKD",
    "TWD",
    "MXN",
    "ARS",
    "CLP",
    "COP",
    "JMD",
    "TTD",
    "BSD",
    "BBD",
    "BZD",
)
_CROWNS = ("SEK", "NOK", "DKK", "ISK", "CZK")
_RUPEES = ("INR", "PKR", "LKR", "NPR", "MUR", "SCR")
SIGNS: dict[str, tuple[str, ...]] = {
    "$": _DOLLARS,
    "€": ("EUR",),
    "£": ("GBP", "EGP", "LBP", "GIP", "FKP", "SHP", "SYP"),
    "¥": ("JPY", "CNY"),
    "￥": ("JPY", "CNY"),
    "円": ("JPY",),
    "元": ("CNY", "TWD"),
    "₹": ("INR",),
    "₨": _RUPEES,
    "rs": _RUPEES,
    "₽": ("RUB",),
    "руб": ("RUB",),
    "₩": ("KRW",),
    "원": ("KRW",),
    "₦": ("NGN",),
    "₫": ("VND",),
    "đ": ("VND",),
    "฿": ("THB",),
    "₱": ("PHP",),
    "₪": ("ILS",),
    "₺": ("TRY",),
    "tl": ("TRY",),
    "₴": ("UAH",),
    "грн": ("UAH",),
    "₡": ("CRC",),
    "₲": ("PYG",),
    "₵": ("GHS",),
    "gh₵": ("GHS",),
    "₸": ("KZT",),
    "₮": ("MNT",),
    "₭": ("LAK",),
    "₾": ("GEL",),
    "₼": ("AZN",),
    "֏": ("AMD",),
    "៛": ("KHR",),
    "৳": ("BDT",),
    "؋": ("AFN",),
    "﷼": ("IRR", "SAR", "QAR", "OMR", "YER"),
    "zł": ("PLN",),
    "kč": ("CZK",),
    "ft": ("HUF",),
    "lei": ("RON", "MDL"),
    "лв": ("BGN",),
    "дин": ("RSD",),
    "din": ("RSD",),
    "km": ("BAM",),
    "kr": _CROWNS,
    "fr": ("CHF",),
    "sfr": ("CHF",),
    "rp": ("IDR",),
    "rm": ("MYR",),
    "r": ("ZAR",),
    "ksh": ("KES",),
    "tsh": ("TZS",),
    "ush": ("UGX",),
    "s/": ("PEN",),
    "cfa": ("XOF", "XAF"),
    "fcfa": ("XOF", "XAF"),
    "dh": ("AED", "MAD"),
    "dhs": ("AED", "MAD"),
    "sr": ("SAR",),
    "bs": ("BOB", "VES"),
    "us$": ("USD",),
    "u$s": ("USD",),
    "r$": ("BRL",),
    "a$": ("AUD",),
    "au$": ("AUD",),
    "c$": ("CAD",),
    "ca$": ("CAD",),
    "cdn$": ("CAD",),
    "nz$": ("NZD",),
    "hk$": ("HKD",),
    "s$": ("SGD",),
    "sg$": ("SGD",),
    "nt$": ("TWD",),
    "mx$": ("MXN",),
    "mex$": ("MXN",),
    "j$": ("JMD",),
    "tt$": ("TTD",),
    "z$": ("ZWL",),
    "n$": ("NAD",),
    "cn¥": ("CNY",),
    "jp¥": ("JPY",),
    "e£": ("EGP",),
    "₤": ("GBP",),
    "د.إ": ("AED",),
    "د.ك": ("KWD",),
    "ر.س": ("SAR",),
    "kd": ("KWD",),
    "bd": ("BHD",),
}
"""Signs and abbreviations, in small letters without a dot behind, and the currencies they stand for, the usual one first."""


_SMALL = frozenset(["IDR", "COP", "HUF", "IRR", "LBP", "MMK"])
"""Currencies with decimals by law and none in use."""
_UNCLEAR = frozenset(["IQD"])
"""Three by ISO 4217, none in use."""


@cache
def codes() -> frozenset[str]:
    """All currencies that CLDR knows by an ISO 4217 code."""
    return frozenset(get_global("all_currencies"))


@lru_cache(maxsize=256)
def decimals(code: str) -> int:
    """With how many digits behind the point amounts of a currency are written: 2 for EUR, 3 for KWD, 0 for JPY. 2 where people differ."""
    if code in _SMALL:
        return 0
    return 2 if code in _UNCLEAR else get_currency_precision(code)


def meant_by(word: str) -> tuple[str, ...]:
    """The currencies that a code, a sign or an abbreviation can stand for; none for any other word."""
    if word.upper() in codes() and word.isascii():
        return (word.upper(),)
    return SIGNS.get(word.lower().rstrip("."), ())


@lru_cache(maxsize=1024)
def currency(text: str, seen: frozenset[str] = frozenset()) -> Value[str]:
    """The ISO 4217 code, from a code or a sign. `seen` are the codes that stand elsewhere in the file: they tell whose dollar "$" is."""
    plain = text.strip()
    if not plain:
        return NOTHING
    if plain.upper() in codes():
        return Value(plain.upper())
    return chosen(plain, meant_by(plain), seen)


def chosen(sign: str, candidates: tuple[str, ...], seen: frozenset[str]) -> Value[str]:
    """Which of its candidates a sign stands for in a file in which the codes `seen` are written, too."""
    if not candidates:
        return unknown(f"“{shown(sign, 40)}” is not a currency: left out")
    if len(candidates) == 1:
        return Value(candidates[0])
    here = [code for code in candidates if code in seen]
    if len(here) == 1:
        return Value(here[0])
    if here or candidates in (_CROWNS, _RUPEES):
        words = " or ".join((here or list(candidates))[:4])
        return unknown(f"“{shown(sign, 40)}” could be {words}: the currency is left out")
    return Value(candidates[0], f"“{shown(sign, 40)}” read as {candidates[0]}")
