"""What exports write into a field that nobody typed: entities of HTML for letters, and words that mean "nothing"."""

import html
import re

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TIMES_ENCODED = 3
"""Entities are decoded so often at most: some programs write them twice."""

_NOTHING = frozenset(
    ["NULL", "null", "(NULL)", "(null)", "<NULL>", "<null>", "[NULL]", "[null]", "\\N", "None", "nil", "undefined"]
) | {"N/A", "n/a", "#N/A", "#NV", "NaN", "nan", "-", "--", "–", "—"}
"""As databases, spreadsheets and programs write it. "Null" and "Nan" are names; "NA" is Namibia."""


def with_letters(text: str) -> str:
    """The text with the letters that its entities stand for: "O&#039;Neil" is "O'Neil". What is no entity stays as it is."""
    for _ in range(_TIMES_ENCODED):
        if "&" not in text or ";" not in text:
            return text
        decoded = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
        if decoded == text:
            return text
        text = decoded
    return text


def means_nothing(text: str) -> bool:
    """Whether the text only says that there is nothing."""
    return text.strip() in _NOTHING
