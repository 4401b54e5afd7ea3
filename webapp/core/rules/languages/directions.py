"""Whether a language is written from right to left."""

from functools import lru_cache

from babel import Locale, UnknownLocaleError

RIGHT_TO_LEFT = ("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi")
"""Languages written from right to left in their usual script."""

_SCRIPTS = frozenset({"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg", "Mand", "Samr"})
"""Scripts written from right to left (ISO 15924)."""


@lru_cache(maxsize=1024)
def is_right_to_left(language: str) -> bool:
    """Whether a language (BCP 47) is written from right to left: by its script, if it names one, else by how CLDR has it.

    >>> [is_right_to_left(tag) for tag in ("ar-EG", "de", "pa-Arab", "uz-Latn", "")]
    [True, False, True, False, False]
    """
    parts = language.split("-")
    script = next((part.title() for part in parts[1:] if len(part) == 4), "")
    if script:
        return script in _SCRIPTS
    try:
        return bool(Locale.parse(language, sep="-").text_direction == "rtl")
    except (UnknownLocaleError, ValueError):
        return parts[0] in RIGHT_TO_LEFT


def direction(language: str) -> str:
    """What `dir` says of a text in this language: "rtl", "ltr", or "auto" where the language is not known."""
    if not language:
        return "auto"
    return "rtl" if is_right_to_left(language) else "ltr"
