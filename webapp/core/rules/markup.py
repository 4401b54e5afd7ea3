"""Where in an HTML source a stretch of text stands: between elements, in an attribute's value, in a comment, in a style sheet.

A tokenizer after the HTML standard, section 13.2.5, as far as that question needs it. It never fails: what is left open at the
end of the source is reported as the place it was opened in.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    TEXT = "text"
    VALUE = "value"
    """In the value of an attribute."""
    INSIDE = "inside"
    """Between the angle brackets of an element, outside a value."""
    RAW = "raw"
    """In an element whose content is not markup: a style sheet, a script, a title."""
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the source from `start` to before `end`. `element` is the element it belongs to, in lower case ("/p" for an end
    tag), `attribute` the attribute's name where `place` is VALUE."""

    place: Place
    start: int
    end: int
    element: str = ""
    attribute: str = ""


RAW_ELEMENTS = frozenset({"style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})

_NEXT = re.compile(r"<(?:(?P<comment>!--)|(?P<other>[!?])|(?P<close>/)(?=[A-Za-z])|(?=[A-Za-z]))")
_NAME = re.compile(r"[A-Za-z][^\s/>]*")
_ATTRIBUTE = re.compile(
    r"[\s/]*(?P<name>[^\s/>][^\s/>=]*)(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s>\"'][^\s>]*)|(?P<open>[\"'])|))?"
)


def pieces(html: str) -> list[Piece]:
    """The source from its first to its last character, in order and without gaps."""
    found: list[Piece] = []
    position, end = 0, len(html)
    while position < end:
        start = _NEXT.search(html, position)
        if start is None:
            found.append(Piece(Place.TEXT, position, end))
            break
        if start.start() > position:
            found.append(Piece(Place.TEXT, position, start.start()))
        if start["comment"]:
            position = _comment(html, start.start(), found)
        elif start["other"]:
            close = html.find(">", start.end())
            position = end if close < 0 else close + 1
            found.append(Piece(Place.COMMENT, start.start(), position, "!"))
        else:
            position = _element(html, start.start(), bool(start["close"]), found)
    return found


def _comment(html: str, start: int, found: list[Piece]) -> int:
    close = re.compile(r"(?<=<!--)-?>|--!?>").search(html, start + 4)
    end = close.end() if close else len(html)
    found.append(Piece(Place.COMMENT, start, end, "!--"))
    return end


def _element(html: str, start: int, closing: bool, found: list[Piece]) -> int:
    """Add the pieces of one start or end tag, and the content of a raw element; answer where the source goes on."""
    name = _NAME.match(html, start + 1 + closing)
    assert name is not None
    element = ("/" if closing else "") + name[0].lower()
    inside, position = start, name.end()
    while (attribute := _ATTRIBUTE.match(html, position)) is not None:
        if attribute["open"]:
            found.append(Piece(Place.INSIDE, inside, attribute.start("open") + 1, element))
            found.append(Piece(Place.VALUE, attribute.start("open") + 1, len(html), element, attribute["name"].lower()))
            return len(html)
        for kind in ("double", "single", "bare"):
            if attribute[kind] is not None:
                found.append(Piece(Place.INSIDE, inside, attribute.start(kind), element))
                found.append(Piece(Place.VALUE, *attribute.span(kind), element, attribute["name"].lower()))
                inside = attribute.end(kind)
        position = attribute.end()
    close = html.find(">", position)
    position = len(html) if close < 0 else close + 1
    found.append(Piece(Place.INSIDE, inside, position, element))
    if element in RAW_ELEMENTS and close >= 0:
        ending = re.compile(rf"</{element}(?=[\s/>])", re.IGNORECASE).search(html, position)
        raw_end = ending.start() if ending else len(html)
        if raw_end > position:
            found.append(Piece(Place.RAW, position, raw_end, element))
        return raw_end
    return position


def spots(html: str, words: re.Pattern[str]) -> list[tuple[re.Match[str], Piece]]:
    """Every match of `words` in the source with the piece in which it begins."""
    found = pieces(html)
    answer, index = [], 0
    for match in words.finditer(html):
        while found[index].end <= match.start():
            index += 1
        answer.append((match, found[index]))
    return answer
