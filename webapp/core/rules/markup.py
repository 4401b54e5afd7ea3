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


def pieces(html: str) -> Iterator[Piece]:
    """The source from its first to its last character, in order and without gaps."""
    position, end, within = 0, len(html), -1
    while position < end:
        start = _NEXT.search(html, position)
        if start is None:
            yield Piece(Place.TEXT, position, end, within=within)
            return
        if start.start() > position:
            yield Piece(Place.TEXT, position, start.start(), within=within)
        if start["comment"]:
            comment = _comment(html, start.start(), within)
            yield comment
            position, within = comment.end, comment.within
        elif start["other"]:
            close = html.find(">", start.end())
            position = end if close < 0 else close + 1
            yield Piece(Place.COMMENT, start.start(), position, "!", within=within)
            within = -1 if html.startswith(CONDITION_END[:-3], start.start()) else within
        else:
            found = _element(html, start.start(), bool(start["close"]), within)
            yield from found
            position = found[-1].end


def _comment(html: str, start: int, within: int) -> Piece:
    """The comment; of one with a condition that is markup to Outlook, only its beginning."""
    opening = CONDITIONAL.match(html, start)
    revealed = REVEALED.match(html, start)
    close = revealed or _COMMENT_END.search(html, start + 4)
    end = close.end() if close else len(html)
    if opening and not revealed and html.endswith(CONDITION_END, start, end):
        end, within = opening.end(), start
    return Piece(Place.COMMENT, start, end, "!--", within=within)


def _element(html: str, start: int, closing: bool, within: int) -> list[Piece]:
    """The pieces of one start or end tag, and the content of a raw element."""
    name = _NAME.match(html, start + 1 + closing)
    assert name is not None
    element = ("/" if closing else "") + name[0].lower()
    found: list[Piece] = []
    inside, position = start, name.end()
    while (attribute := _ATTRIBUTE.match(html, position)) is not None:
        if attribute["open"]:
            begin = attribute.start("open") + 1
            found.append(Piece(Place.INSIDE, inside, begin, element, within=within))
            found.append(Piece(Place.VALUE, begin, len(html), element, attribute["name"].lower(), within))
            return found
        for kind in ("double", "single", "bare"):
            if attribute[kind] is not None:
                begin, end = attribute.span(kind)
                found.append(Piece(Place.INSIDE, inside, begin, element, within=within))
                found.append(Piece(Place.VALUE, begin, end, element, attribute["name"].lower(), within))
                inside = end
        position = attribute.end()
    close = html.find(">", position)
    position = len(html) if close < 0 else close + 1
    found.append(Piece(Place.INSIDE, inside, position, element, within=within))
    if element in RAW_ELEMENTS and close >= 0:
        ending = re.compile(rf"</{element}(?=[\s/>])", re.IGNORECASE).search(html, position)
        raw_end = ending.start() if ending else len(html)
        if raw_end > position:
            found.append(Piece(Place.RAW, position, raw_end, element, within=within))
    return found


def tags_and_texts(html: str) -> Iterator[Tag | Piece]:
    """The source with the pieces of each start and end tag put together; texts, comments and raw contents as they are."""
    open_tag: list[Piece] = []
    for piece in pieces(html):
        continues = open_tag and (piece.place is Place.VALUE or open_tag[-1].place is Place.VALUE)
        if open_tag and not continues:
            yield _tag(html, open_tag)
            open_tag = []
        if continues or piece.place is Place.INSIDE:
            open_tag.append(piece)
        else:
            yield piece
    if open_tag:
        yield _tag(html, open_tag)


def _tag(html: str, found: list[Piece]) -> Tag:
    first, last = found[0], found[-1]
    attributes: dict[str, str] = {}
    for value in found:
        if value.place is Place.VALUE:
            attributes.setdefault(value.attribute, unescape(html[value.start : value.end]))
    return Tag(first.element, first.start, last.end, attributes, html.endswith("/>", first.start, last.end))


VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
"""Elements without content or end tag."""


def depth(html: str) -> int:
    """How deep the elements of well-formed HTML stand in each other at most."""
    deepest = now = 0
    for found in tags_and_texts(html):
        if isinstance(found, Tag) and found.element not in VOID:
            now += -1 if found.element.startswith("/") else 1
            deepest = max(deepest, now)
    return deepest


def spots(html: str, words: re.Pattern[str]) -> list[tuple[re.Match[str], Piece]]:
    """Every match of `words` in the source with the piece in which it begins."""
    answer: list[tuple[re.Match[str], Piece]] = []
    matches = list(words.finditer(html))
    found = pieces(html)
    piece = next(found, None)
    for match in matches:
        while piece is not None and piece.end <= match.start():
            piece = next(found, None)
        assert piece is not None
        answer.append((match, piece))
    return answer
