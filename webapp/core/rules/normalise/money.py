"""Prices: 1,234.50 and 1.234,50 and 1'234.50 are the same; whether 5.500 is five and a half or thousands its neighbours tell."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache

from webapp.core.rules.entities import decoded
from webapp.core.rules.normalise.currencies import meant_by
from webapp.core.rules.normalise.value import NOTHING, Value, unknown
from webapp.core.rules.texts import shown

_NUMBER = re.compile(r"\d+(?:[.,'’_ ]\d+)*|(?<!\d)[.,]\d+")
_GROUPED = re.compile(r"\d{1,3}(?:(?P<by>[.,'’_ ])\d{3})(?:(?P=by)\d{3})*|\d{1,2}(?:,\d{2})+,\d{3}")
"""Digits in groups of three, or as in India, the last three and then pairs."""
_BLANKS = re.compile(r"[\s\u00a0\u202f]+")
_MINUS = str.maketrans(
    {"−": "-", "–": "-", "﹣": "-", "－": "-", "٫": ".", "٬": ",", "．": ".", "，": ",", "´": "'", "`": "'"}
)
_PERIOD = re.compile(
    r"(?:^|(?<=[\s/(]))(?:(?:/|per|every|each|for|pro|je|alle|par|por|al|a|p\.)\s*)?(?:\d{1,2}\s*x?\s*)?"
    r"(?:mo|mth|mon|mtl|months?|monthly|quarter|quarterly|semi-?\s?annual(?:ly)?|annual(?:ly)?|annum|biennial(?:ly)?|triennial(?:ly)?|"
    r"years?|yearly|yr|weeks?|weekly|wk|days?|daily|one[\s-]?time|once|recurring|monat(?:e|lich)?|jahre?|jährlich|jaehrlich|"
    r"vierteljährlich|quartal|einmalig|mois|mensuel(?:le)?|ans?|annuel(?:le)?|mes|meses|mensual|anual|año|mese|mensile|anno|annuale|"
    r"p\.?\s?m\.?|p\.?\s?a\.?|(?<=/)m|(?<=/)y)\.?(?=$|[\s)/,;])",
    re.IGNORECASE,
)
_TAX = re.compile(
    r"\(?(?:incl|excl|inkl|exkl|inc|exc|ex|zzgl|plus|net|netto|gross|brutto|\+)?\.?\s*(?:\d{1,2}\s?%\s*)?"
    r"(?:vat|tax|taxes|mwst|ust|gst|hst|iva|btw|tva|net|netto|gross|brutto)\.?\)?",
    re.IGNORECASE,
)
_CENT, _MILL = Decimal("0.01"), Decimal("0.001")
_LIMIT = Decimal(10) ** 10


class DecimalMark(StrEnum):
    """What stands before the decimals."""

    POINT = "point"
    COMMA = "comma"
    UNKNOWN = "unknown"


_SIGN_OF = {DecimalMark.POINT: ".", DecimalMark.COMMA: ","}
_MARK_OF = {".": DecimalMark.POINT, ",": DecimalMark.COMMA}


@dataclass(frozen=True, slots=True)
class Parts:
    """A price as it is written: the digits with their marks, what currencies may be meant beside them (none if nothing is said), and a
    sign that is not known."""

    digits: str
    negative: bool
    currencies: tuple[str, ...] = ()
    sign: str = ""
    unknown_sign: str = ""


@lru_cache(maxsize=8192)
def parts(text: str) -> Parts | None:
    """The parts of a price; None where the text is no price, or says two currencies, or words that may change the amount."""
    plain = _BLANKS.sub(" ", decoded(text).translate(_MINUS)).strip()
    found = _NUMBER.search(plain)
    if not found:
        return None
    before, digits, after = plain[: found.start()].strip(), found[0], plain[found.end() :].strip()
    for dash in (",-", ".-", ",--", ".--"):
        if after.startswith(dash):
            digits, after = f"{digits}{dash[0]}00", after[len(dash) :].strip()
    after = after[1:] if after[:1] in (".", ",") and not after[1:2].isalnum() else after
    negative = False
    if before.startswith("(") and after.endswith(")"):
        before, after, negative = before[1:].strip(), after[:-1].strip(), True
    elif before.endswith("(") and after.startswith(")"):
        before, after, negative = before[:-1].strip(), after[1:].strip(), True
    if "(" in before or after.count("(") != after.count(")"):
        return None
    for said in ("-", "+"):
        if said in (before[:1], before[-1:]) or (after[:1] == said and len(after) == 1):
            before = before.strip(said + " ")
            after = "" if after == said else after
            negative = negative != (said == "-")
            break
    return _with_currency(digits, negative, before, _PERIOD.sub(" ", _TAX.sub(" ", after)))


def _with_currency(digits: str, negative: bool, before: str, after: str) -> Parts | None:
    meanings: list[tuple[str, ...]] = []
    signs, unknown_sign = [], ""
    for word in [*_words(before), *_words(after)]:
        candidates = meant_by(word)
        if candidates:
            meanings.append(candidates)
            signs.append(word)
        elif len(word) == 1 and unicodedata.category(word) in ("Sc", "So"):
            unknown_sign = word
        else:
            return None
    agreed = tuple(code for code in (meanings[0] if meanings else ()) if all(code in other for other in meanings))
    if meanings and not agreed:
        return None
    return Parts(digits, negative, agreed, " ".join(signs), unknown_sign)


def _words(text: str) -> list[str]:
    """The words and signs around an amount: "$USD" are two, "R$" is one."""
    words = []
    for chunk in re.split(r"[\s/()*:;,]+", text.replace("S/", "PEN ")):
        if not chunk:
            continue
        if meant_by(chunk):
            words.append(chunk)
            continue
        words += re.findall(r"[^\W\d_]+[.]?|[^\w\s]", chunk)
    return words


@lru_cache(maxsize=8192)
def mark_shown(text: str) -> DecimalMark | None:
    """The decimal mark that this one price gives away (12.50, 1.234,50, 0.500), or None where it does not tell (5.500, 12)."""
    found = parts(text)
    if not found:
        return None
    digits = found.digits
    if grouped := _GROUPED.fullmatch(digits):
        by = grouped["by"] or ","
        if by in _MARK_OF and digits.count(by) > 1:
            return DecimalMark.COMMA if by == "." else DecimalMark.POINT
        return DecimalMark(_MARK_OF[by]) if by in _MARK_OF and digits.startswith("0") else None
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0 or _with_point(digits) is None:
        return None
    return _MARK_OF[digits[last]]


def is_open(text: str) -> bool:
    """Whether this price alone could be two amounts: 5.500 is five and a half, or five thousand five hundred."""
    found = parts(text)
    grouped = _GROUPED.fullmatch(found.digits) if found else None
    if not found or not grouped or grouped["by"] not in _MARK_OF:
        return False
    return found.digits.count(grouped["by"]) == 1 and not found.digits.startswith("0")


@lru_cache(maxsize=8192)
def price(text: str, mark: DecimalMark = DecimalMark.UNKNOWN, why: str = "") -> Value[Decimal]:
    """An amount with two decimals, or with three where it has them (Kuwait's dinar). `mark` is what stands before the decimals where the
    text could be two amounts, and `why` says in words why it is taken for that; without a mark such a text is in doubt. What stands around
    the number is judged by `parts`.
    """
    if not text.strip():
        return NOTHING
    found = parts(text)
    if not found:
        return _no_price(text)
    digits = found.digits
    if is_open(text):
        separator = "." if "." in digits else ","
        if mark is DecimalMark.UNKNOWN:
            small, large = digits.replace(separator, "."), digits.replace(separator, "")
            return unknown(f"“{shown(text, 40)}” could be {small} or {large}: say which", doubt=True)
        plain = digits.replace(separator, "." if _SIGN_OF[mark] == separator else "")
    else:
        pointed = _with_point(digits)
        if pointed is None:
            return _no_price(text)
        plain, why = pointed, ""
    amount = Decimal(f"-{plain}" if found.negative else plain)
    rounded = amount.quantize(_MILL, ROUND_HALF_EVEN)
    if rounded == rounded.quantize(_CENT, ROUND_HALF_EVEN):
        rounded = rounded.quantize(_CENT)
    if abs(rounded) >= _LIMIT:
        return _no_price(text)
    if rounded != amount:
        return Value(rounded, f"“{shown(text, 40)}” rounded to {rounded}")
    return Value(rounded, f"“{shown(text, 40)}” read as {rounded}: {why}" if why else None)


def _with_point(digits: str) -> str | None:
    """The digits with a point before the decimals and no grouping; None where they are not one number."""
    grouped = _GROUPED.fullmatch(digits)
    if grouped and not (digits.startswith("0") and grouped["by"] in _MARK_OF):
        return re.sub(r"[^\d]", "", digits)
    at = max(digits.rfind("."), digits.rfind(","))
    whole, decimals = (digits[:at], digits[at + 1 :]) if at >= 0 else (digits, "")
    if whole and not whole.isdigit():
        grouped = _GROUPED.fullmatch(whole)
        if not grouped or (grouped["by"] or ",") == digits[at]:
            return None
        whole = re.sub(r"[^\d]", "", whole)
    if not decimals.isdigit() and decimals:
        return None
    return f"{whole or '0'}.{decimals or '0'}"


def _no_price(text: str) -> Value[Decimal]:
    return unknown(f"“{shown(text, 40)}” is not a price: left out")
