"""Where in an HTML source a stretch of text stands: between elements, in an attribute's value, in a comment, in a style sheet.

A tokenizer after the HTML standard, section 13.2.5, as far as that question needs it. It never fails: what is left open at the
end of the source is reported as the place it was opened in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from html import unescape


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
    tag), `attribute` the attribute's name where `place` is VALUE. `within` is where the conditional comment begins (`<!--[if mso]>`, read
    by Outlook as markup) that the piece is in, or -1."""

    place: Place
    start: int
    end: int
    element: str = ""
    attribute: str = ""
    within: int = -1


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or end tag: its element as in `Piece`, and its attributes with their values as they are meant."""

    element: str
    start: int
    end: int
    attributes: dict[str, str]
    self_closing: bool = False


RAW_ELEMENTS = frozenset({"style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})

_NEXT = re.compile(r"<(?:(?P<comment>!--)|(?P<other>[!?])|(?P<close>/)(?=[A-Za-z])|(?=[A-Za-z]))")
_NAME = re.compile(r"[A-Za-z][^\s/>]*")
_ATTRIBUTE = re.compile(
    r"[\s/]*(?P<name>[^\s/>][^\s/>=]*)(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s>\"'][^\s>]*)|(?P<open>[\"'])|))?"
)


CONDITIONAL = re.compile(r"<!--\[if[^<>\]]*\]>", re.IGNORECASE)
REVEALED = re.compile(r"<!--\[if[^<>\]]*\]><!--+>|<!--<!\[endif\]-->", re.IGNORECASE)
CONDITION_END = "<![endif]-->"
_COMMENT_END = re.compile(r"(?<=<!--)-?>|--!?>")


def pieces(html: str) -> list[Piece]:
    """The source from its first to its last character, in order and without gaps."""
    found: list[Piece] = []
    position, end, within = 0, len(html), -1
    while position < end:
        start = _NEXT.search(html, position)
        if start is None:
            found.append(Piece(Place.TEXT, position, end, within=within))
            break
        if start.start() > position:
            found.append(Piece(Place.TEXT, position, start.start(), within=within))
        if start["comment"]:
            position, within = _comment(html, start.start(), found, within)
        elif start["other"]:
            close = html.find(">", start.end())
            position = end if close < 0 else close + 1
            found.append(Piece(Place.COMMENT, start.start(), position, "!", within=within))
            within = -1 if html.startswith(CONDITION_END[:-3], start.start()) else within
        else:
            position = _element(html, start.start(), bool(start["close"]), found, within)
    return found


def _comment(html: str, start: int, found: list[Piece], within: int) -> tuple[int, int]:
    """Add the comment; of one with a condition, only its beginning. Answer where the source goes on, and in which conditional comment."""
    opening = CONDITIONAL.match(html, start)
    revealed = REVEALED.match(html, start)
    close = revealed or _COMMENT_END.search(html, start + 4)
    end = close.end() if close else len(html)
    if opening and not revealed and html.endswith(CONDITION_END, start, end):
        end, within = opening.end(), start
    found.append(Piece(Place.COMMENT, start, end, "!--", within=within))
    return end, within


def _element(html: str, start: int, closing: bool, found: list[Piece], within: int) -> int:
    """Add the pieces of one start or end tag, and the content of a raw element; answer where the source goes on."""
    name = _NAME.match(html, start + 1 + closing)
    assert name is not None
    element = ("/" if closing else "") + name[0].lower()

    def add(place: Place, begin: int, end: int, attribute: str = "") -> None:
        found.append(Piece(place, begin, end, element, attribute, within))

    inside, position = start, name.end()
    while (attribute := _ATTRIBUTE.match(html, position)) is not None:
        if attribute["open"]:
            add(Place.INSIDE, inside, attribute.start("open") + 1)
            add(Place.VALUE, attribute.start("open") + 1, len(html), attribute["name"].lower())
            return len(html)
        for kind in ("double", "single", "bare"):
            if attribute[kind] is not None:
                add(Place.INSIDE, inside, attribute.start(kind))
                add(Place.VALUE, *attribute.span(kind), attribute["name"].lower())
                inside = attribute.end(kind)
        position = attribute.end()
    close = html.find(">", position)
    position = len(html) if close < 0 else close + 1
    add(Place.INSIDE, inside, position)
    if element in RAW_ELEMENTS and close >= 0:
        ending = re.compile(rf"</{element}(?=[\s/>])", re.IGNORECASE).search(html, position)
        raw_end = ending.start() if ending else len(html)
        if raw_end > position:
            add(Place.RAW, position, raw_end)
        return raw_end
    return position


def tags_and_texts(html: str) -> Iterator[Tag | Piece]:
    """The source with the pieces of each start and end tag put together; texts, comments and raw contents as they are."""
    found = pieces(html)
    index = 0
    while index < len(found):
        first = found[index]
        index += 1
        if first.place is not Place.INSIDE:
            yield first
            continue
        attributes: dict[str, str] = {}
        last = first
        while index + 1 < len(found) and found[index].place is Place.VALUE:
            value = found[index]
            attributes.setdefault(value.attribute, unescape(html[value.start : value.end]))
            last = found[index + 1]
            index += 2
        yield Tag(first.element, first.start, last.end, attributes, html.endswith("/>", first.start, last.end))


def spots(html: str, words: re.Pattern[str]) -> list[tuple[re.Match[str], Piece]]:
    """Every match of `words` in the source with the piece in which it begins."""
    found = pieces(html)
    answer, index = [], 0
    for match in words.finditer(html):
        while found[index].end <= match.start():
            index += 1
        answer.append((match, found[index]))
    return answer
