"""Finding the braces of tags in a source, also those typed half-way or torn apart by an editor."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Token:
    """A pair of braces with what stands between them, from `start` to before `end` of the source.

    `kind` is "output" or "block"; "open" for braces that are never closed, "torn" for braces with formatting in between, "single"
    for `{word}`. `trim_left` and `trim_right` are Liquid's `{{-` and `-}}`: blanks beyond them go.
    """

    kind: Literal["output", "block", "open", "torn", "single"]
    start: int
    end: int
    inner: str = ""
    trim_left: bool = False
    trim_right: bool = False


_BRACES = re.compile(
    r"\{(?:"
    r"\{(?P<output>[^{}]*)\}\}"
    r"|%(?P<block>[^{}]*?)%\}"
    r"|(?P<open>\{+|%)"
    r"|(?P<torn>(?:<[^<>{}]*>)+[{%])"
    r"|(?P<single>\$?[ \t]*[A-Za-z_]\w{0,40}[ \t]*\}))"
)
_MARKUP = re.compile(r"</?[A-Za-z!]")
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad]")


def tokens(source: str, *, is_html: bool) -> Iterator[Token]:
    """Every pair of braces in the source, in order. In HTML, entities and no-break blanks between the braces are what they stand for."""
    for match in _BRACES.finditer(source):
        kind: Any = match.lastgroup
        inner = match[kind] if kind in ("output", "block", "single") else ""
        if is_html and _MARKUP.search(inner):
            yield Token("torn", *match.span())
            continue
        if is_html and "&" in inner:
            inner = html.unescape(inner)
        inner = _INVISIBLE.sub("", inner).replace("\xa0", " ")
        left = kind in ("output", "block") and inner.startswith("-")
        right = kind in ("output", "block") and inner.endswith("-") and len(inner) > left
        inner = inner[left : len(inner) - right].strip().removesuffix("}").rstrip()
        yield Token(kind, *match.span(), inner, left, right)
