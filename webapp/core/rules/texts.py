"""Texts as people and exports write them, made fit to store, to search and to show."""

import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
"""Characters nobody sees, which turn text round or split a word. The joiners U+200C and U+200D stay: Persian, Hindi and emoji need them."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
"""Marks on Latin, Greek and Cyrillic letters. Vowel signs of other scripts are part of the word and stay."""
_LETTERS_WITHOUT_ACCENT = str.maketrans(
    {"ß": "ss", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h", "’": "'"}
)


def without_invisible(text: str) -> tuple[str, bool]:
    """The text without invisible characters and with controls (a tab, a line break) as spaces, and whether an invisible one was there."""
    if text.isascii() and text.isprintable():
        return text, False
    visible = _INVISIBLE.sub("", text)
    return _CONTROL.sub(" ", visible), visible != text


def tidy(text: str) -> str:
    """One line in NFC: invisible characters removed, runs of white space as one space, nothing at the ends."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", without_invisible(text)[0])
    return " ".join(text.split())


def folded(text: str) -> str:
    """The form in which texts are compared by a search: small letters, without accents. "Nováková" becomes "novakova"."""
    if text.isascii():
        return text.lower()
    small = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_LETTERS_WITHOUT_ACCENT)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", small)))


def shown(text: str, limit: int) -> str:
    """The text for a message to people: on one line, cut with "…" where it is longer than `limit`."""
    line = tidy(text)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
