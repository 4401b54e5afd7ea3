"""A client's whole name."""

import re

_FAMILY_FIRST = re.compile(
    "[\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+"
)
"""Hangul, kana and Han."""


def full_name(first: str, last: str) -> str:
    """First and last name. A name written in Han, kana or Hangul has the family name first, and nothing between."""
    if not first.isascii() and last and _FAMILY_FIRST.fullmatch(first) and _FAMILY_FIRST.fullmatch(last):
        return last + first
    return f"{first} {last}".strip()
