"""Countries: ISO 3166 alpha-2 from codes and from names in many languages. Names and aliases are those of CLDR (by babel)."""

from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global

from webapp.core.rules.normalise.value import NOTHING, Value, unknown
from webapp.core.rules.texts import folded, shown

NAME_LOCALES = (
    *(
        "en",
        "de",
        "fr",
        "es",
        "it",
        "nl",
        "pt",
        "pl",
        "cs",
        "sk",
        "sv",
        "da",
        "nb",
        "fi",
        "tr",
        "uk",
        "ru",
        "el",
        "he",
        "ar",
    ),
    *("ja", "zh", "ko", "vi", "hi", "hu", "ro", "bg", "hr", "sl", "et", "lv", "lt", "ca"),
)
"""Languages in which names of countries, languages and months are understood."""

_NO_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
_OTHER_NAMES = {
    "bolivia plurinational state of": "BO",
    "brunei darussalam": "BN",
    "burma": "MM",
    "cabo verde": "CV",
    "congo democratic republic": "CD",
    "cote d'ivoire": "CI",
    "czech republic": "CZ",
    "england": "GB",
    "great britain": "GB",
    "holland": "NL",
    "hong kong": "HK",
    "iran islamic republic of": "IR",
    "korea republic of": "KR",
    "lao people's democratic republic": "LA",
    "macau": "MO",
    "macedonia": "MK",
    "moldova republic of": "MD",
    "northern ireland": "GB",
    "palestine": "PS",
    "republic of ireland": "IE",
    "russian federation": "RU",
    "scotland": "GB",
    "swaziland": "SZ",
    "syrian arab republic": "SY",
    "taiwan": "TW",
    "tanzania united republic of": "TZ",
    "turkey": "TR",
    "united states of america": "US",
    "venezuela bolivarian republic of": "VE",
    "viet nam": "VN",
    "wales": "GB",
}


@lru_cache(maxsize=4096)
def country(text: str) -> Value[str]:
    """The alpha-2 code. "de" is DE; "UK", "USA" and "Deutschland" are understood too, with a note that says as what."""
    plain = " ".join(text.split())
    if not plain:
        return NOTHING
    code = plain.upper()
    if code in codes():
        return Value(code)
    alias = get_global("territory_aliases").get(code, ())
    found = alias[0] if len(alias) == 1 else _names().get(_name_key(plain))
    if found in codes():
        name = Locale("en").territories[found]
        return Value(
            found,
            f"“{shown(plain, 40)}” read as {found}" + (f", {name}" if _name_key(name) != _name_key(plain) else ""),
        )
    return unknown(f"“{shown(plain, 40)}” is not a country: left out")


@cache
def codes() -> frozenset[str]:
    """All ISO 3166 alpha-2 codes, and XK, which is in use for Kosovo."""
    known = map(str, Locale("en").territories)
    return frozenset(code for code in known if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES)


@cache
def _names() -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for locale in NAME_LOCALES:
        for code, name in Locale.parse(locale).territories.items():
            if code in codes():
                found.setdefault(_name_key(name), set()).add(code)
    # A name that is two countries in two languages ("Kongo") is none: nobody is moved from one to the other.
    return {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1} | _OTHER_NAMES


def _name_key(name: str) -> str:
    words = folded(name).replace(".", "").replace(",", " ").replace("&", "and").split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)
