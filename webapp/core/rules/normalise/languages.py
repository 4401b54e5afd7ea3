"""Languages: BCP 47 tags from tags, from names, and from the names WHMCS gives its language files."""

import re
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError, localedata
from babel.core import get_global

from webapp.core.rules.normalise.places import NAME_LOCALES
from webapp.core.rules.normalise.value import NOTHING, Value, unknown
from webapp.core.rules.texts import folded, shown

_TAG = re.compile(r"[a-z]{2,3}(?:_[a-z0-9]{2,8})*", re.IGNORECASE)
_NAME_AND_REGION = re.compile(r"(.+?)[-_ ]\(?([a-z]{2})\)?", re.IGNORECASE)
_OTHER_NAMES = {
    "farsi": "fa",
    "norwegian": "nb",
    "ukranian": "uk",
    "azerbaijani": "az",
    "brazilian portuguese": "pt-BR",
}
_CODES = {"no": "nb"}
_REGION_TELLS = frozenset(["pt"])
"""Languages whose home region is kept: people and mails tell pt-BR from pt-PT."""


@lru_cache(maxsize=4096)
def language(text: str) -> Value[str]:
    """The tag. Understood are tags ("de", "de_DE", "pt-BR"), English and own names ("german", "Deutsch"), and "portuguese-br".

    A region that adds nothing is dropped (RFC 5646 section 4.1), so that "german", "de" and "de_DE" are one choice; "de-AT" stays.
    A language that CLDR has no locale for is not understood: dates and names could not be written in it.
    """
    plain = " ".join(text.split())
    if not plain:
        return NOTHING
    tag = _canonical(plain.partition(".")[0].partition("@")[0].replace("-", "_")) or _by_name(plain)
    return Value(tag) if tag else unknown(f"“{shown(plain, 40)}” is not a language: left out")


def _canonical(text: str) -> str | None:
    """The shortest tag that means the same, from one with underscores; None where CLDR has no such locale."""
    if not _TAG.fullmatch(text):
        return None
    try:
        Locale.parse(text)
    except (UnknownLocaleError, ValueError):
        return None
    code, *rest = text.split("_")
    code = _CODES.get(code.lower()) or get_global("language_aliases").get(code.lower(), code.lower())
    script = next((part.title() for part in rest if len(part) == 4), None)
    region = next((part.upper() for part in rest if len(part) in (2, 3)), None)
    likely = get_global("likely_subtags")
    _, _, home = likely.get(code, "").rpartition("_")
    if script and script in (likely.get(f"{code}_{region}") or likely.get(code, "")).split("_"):
        script = None
    if region == home and code not in _REGION_TELLS and not script:
        region = None
    return "-".join(part for part in (code, script, region) if part)


def _by_name(text: str) -> str | None:
    found = _names().get(folded(text))
    if found:
        return found
    named = _NAME_AND_REGION.fullmatch(text)
    base = _names().get(folded(named[1])) if named else None
    return _canonical(f"{base}_{named[2]}") if named and base else None


@cache
def _names() -> dict[str, str]:
    names = {}
    for code in NAME_LOCALES:
        own = Locale.parse(code)
        names[folded(own.languages[code])] = code
    for code, name in Locale("en").languages.items():
        if "_" not in code and localedata.exists(code):
            names[folded(name)] = code
    return names | _OTHER_NAMES
