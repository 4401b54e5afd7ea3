"""Header fields as people read them: unfolded, with their encoded words (RFC 2047) decoded."""

import re
from email.header import decode_header, make_header

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_WORD = r"=\?[^?\s]+\?[bq]\?[^?\s]*\?="
_WORDS = re.compile(rf"{_WORD}(?:[ \t]+{_WORD})*", re.IGNORECASE)
"""Encoded words with nothing but blanks between them, which do not count (section 6.2)."""


def readable(content: str) -> str:
    """The content of a field, readable. Encoded words that cannot be decoded stay as they are, and so does all that stands around.

    The standard library's newer way leaves a blank between two words of a name; its older one knows no address outside ASCII.
    """
    return _WORDS.sub(_decoded, _FOLD.sub("", content))


def _decoded(words: re.Match[str]) -> str:
    try:
        return str(make_header(decode_header(words[0])))
    except (LookupError, ValueError):  # an unknown character set, or octets that are none of it
        return words[0]
