"""What a mass mail is called where nobody gave it a name: by its subject, in which tags are words and no braces."""

from collections.abc import Iterator
from typing import NamedTuple

from webapp.core.rules.tags import lexer

UNTITLED = "Untitled mass mail"
_ENDS = {"else": "else", "endif": "end", "endunless": "end", "endfor": "end"}


class TitlePiece(NamedTuple):
    """A piece of a line with tags: words, or what a tag is called."""

    words: str
    is_tag: bool


def pieces(line: str) -> Iterator[TitlePiece]:
    """A subject in pieces, each tag one of its own, without braces, filters and quotes.

    >>> [piece.words for piece in pieces('Hello {{ first_name | default: "you" }}, news')]
    ['Hello ', 'first_name', ', news']
    """
    position = 0
    for token in lexer.tokens(line, is_html=False):
        if token.kind not in ("output", "block"):
            continue
        if position < token.start:
            yield TitlePiece(line[position : token.start], False)
        inner = token.inner.partition("|")[0].strip()
        yield TitlePiece(_ENDS.get(inner, inner) or "tag", True)
        position = token.end
    if position < len(line):
        yield TitlePiece(line[position:], False)


def in_words(line: str) -> str:
    """A subject in one line of plain words.

    >>> in_words("Maintenance of {{ service_domain }}")
    'Maintenance of service domain'
    """
    return " ".join("".join(words.replace("_", " ") if is_tag else words for words, is_tag in pieces(line)).split())


def title(name: str, subject: str, otherwise: str = UNTITLED) -> str:
    """The name of a mass mail, or else its subject in words, or else `otherwise`."""
    return name or in_words(subject) or otherwise
