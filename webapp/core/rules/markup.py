"""Where in an HTML source a stretch of text stands: between elements, in an attribute's value, in a comment, in a style sheet.

A tokenizer after the HTML standard, section 13.2.5, as far as that question needs it. It never fails: what is left open at the
end of the source is reported as the place it was opened in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from html import unescape
from html.entities import html5
from typing import NamedTuple


class MarkupContext(StrEnum):
    TEXT = "text"
    VALUE = "value"
    """In the value of an attribute."""
    INSIDE = "inside"
    """Between the angle brackets of an element, outside a value."""
    RAW = "raw"
    """In an element whose content is not markup: a style sheet, a script, a title."""
    COMMENT = "comment"


class Piece(NamedTuple):
    """A stretch of the source from `start` to before `end`. `element` is the element it belongs to, in lower case ("/p" for an end
    tag), `attribute` the attribute's name where `place` is VALUE. `within` is where the conditional comment begins (`<!--[if mso]>`, read
    by Outlook as markup) that the piece is in, or -1."""

    place: MarkupContext
    start: int
    end: int
    element: str = ""
    attribute: str = ""
    within: int = -1


@dataclass(frozen=True, slots=True)
class MarkupTag:
    """A start or end tag: its element as in `Piece`, its attributes with their values as they are meant, and where these are written."""

    element: str
    start: int
    end: int
    attributes: dict[str, str]
    self_closing: bool = False
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)


RAW_ELEMENTS = frozenset({"style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext"})
"""`plaintext` never ends."""

_NEXT = re.compile(r"<(?:(?P<comment>!--)|(?P<other>[!?])|(?P<close>/)(?=[A-Za-z])|(?=[A-Za-z]))")
_NAME = re.compile(r"[A-Za-z][^\s/>]*")
_ATTRIBUTE = re.compile(
    r"[\s/]*(?P<name>[^\s/>][^\s/>=]*)(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s>\"'][^\s>]*)|(?P<open>[\"'])|))?"
)


_COMMENT_END = re.compile(r"(?<=<!--)-?>|--!?>")
_CONDITION = r"\[if[^<>\[\]]*\]>"
GUARD = re.compile(
    rf"<!--{_CONDITION}(?:<!)?[-/\s]*>|<!--[-/\s]*<!\[endif\][-\s]*>|<!{_CONDITION}|<!\[endif\]>", re.IGNORECASE
)
"""Beginning or end of what browsers read and Outlook may not, in all its spellings: `<!--[if !mso]><!-->`, `<!--[if !mso]><!-- -->`,
`<!--[if !mso]>-->`, `<![if !mso]>`; `<!--<![endif]-->`, `<!-- <![endif]-->`, `<![endif]>`."""
HIDDEN_BEGIN = re.compile(rf"<!--{_CONDITION}", re.IGNORECASE)
HIDDEN_END = "<![endif]-->"
_HIDDEN_END = re.compile(r"(?:<!--)?<!\[endif\]-->", re.IGNORECASE)


def pieces(html: str) -> Iterator[Piece]:
    """The source from its first to its last character, in order and without gaps."""
    position, end, within = 0, len(html), -1
    while position < end:
        start = _NEXT.search(html, position)
        if start is None:
            yield Piece(MarkupContext.TEXT, position, end, within=within)
            return
        if start.start() > position:
            yield Piece(MarkupContext.TEXT, position, start.start(), within=within)
        if start["comment"]:
            comment = _comment(html, start.start(), within)
            yield comment
            position, within = comment.end, comment.within
        elif start["other"]:
            ending = _HIDDEN_END.match(html, start.start()) if within >= 0 else None
            close = html.find(">", start.end())
            position = ending.end() if ending else end if close < 0 else close + 1
            yield Piece(MarkupContext.COMMENT, start.start(), position, "!", within=within)
            within = -1 if ending else within
        else:
            found = _element(html, start.start(), bool(start["close"]), within)
            yield from found
            position = found[-1].end


def comment_end(html: str, start: int) -> int:
    """Where the comment that begins at `start` ends for a browser: `--!>` ends it too (HTML, section 13.2.5.43 and after)."""
    close = _COMMENT_END.search(html, start + 4)
    return close.end() if close else len(html)


def _comment(html: str, start: int, within: int) -> Piece:
    """The comment; of one with a condition that is markup to Outlook, only its beginning, and then its end."""
    if within >= 0 and (ending := _HIDDEN_END.match(html, start)):
        return Piece(MarkupContext.COMMENT, start, ending.end(), "!--", within=-1)
    end = comment_end(html, start)
    if within < 0 and is_hidden(html, start, end):
        opening = HIDDEN_BEGIN.match(html, start)
        assert opening is not None
        end, within = opening.end(), start
    elif _ends_hidden(html, end):
        within = -1
    return Piece(MarkupContext.COMMENT, start, end, "!--", within=within)


def is_hidden(html: str, start: int, end: int) -> bool:
    """Whether the comment is a conditional one (`<!--[if mso]>…<![endif]-->`): nothing to browsers, markup to Outlook on Windows."""
    opening = HIDDEN_BEGIN.match(html, start, end)
    return opening is not None and opening.end() <= end - len(HIDDEN_END) and _ends_hidden(html, end)


def _ends_hidden(html: str, end: int) -> bool:
    return html[max(0, end - len(HIDDEN_END)) : end].lower() == HIDDEN_END


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
            found.append(Piece(MarkupContext.INSIDE, inside, begin, element, within=within))
            found.append(Piece(MarkupContext.VALUE, begin, len(html), element, attribute["name"].lower(), within))
            return found
        for kind in ("double", "single", "bare"):
            if attribute[kind] is not None:
                begin, end = attribute.span(kind)
                found.append(Piece(MarkupContext.INSIDE, inside, begin, element, within=within))
                found.append(Piece(MarkupContext.VALUE, begin, end, element, attribute["name"].lower(), within))
                inside = end
        position = attribute.end()
    close = html.find(">", position)
    position = len(html) if close < 0 else close + 1
    found.append(Piece(MarkupContext.INSIDE, inside, position, element, within=within))
    if element in RAW_ELEMENTS and close >= 0:
        ending = re.compile(rf"</{element}(?=[\s/>])", re.IGNORECASE).search(html, position)
        raw_end = ending.start() if ending else len(html)
        if raw_end > position:
            found.append(Piece(MarkupContext.RAW, position, raw_end, element, within=within))
    return found


def tags_and_texts(html: str) -> Iterator[MarkupTag | Piece]:
    """The source with the pieces of each start and end tag put together; texts, comments and raw contents as they are."""
    open_tag: list[Piece] = []
    for piece in pieces(html):
        continues = open_tag and (piece.place is MarkupContext.VALUE or open_tag[-1].place is MarkupContext.VALUE)
        if open_tag and not continues:
            yield _tag(html, open_tag)
            open_tag = []
        if continues or piece.place is MarkupContext.INSIDE:
            open_tag.append(piece)
        else:
            yield piece
    if open_tag:
        yield _tag(html, open_tag)


_WITHOUT_VALUE = re.compile(r"(?:(?<=[\s/\"'])|(?<=^))([A-Za-z][\w:.-]*)(?=[\s/>])(?!\s*=)")


def _tag(html: str, found: list[Piece]) -> MarkupTag:
    first, last = found[0], found[-1]
    spans: dict[str, tuple[int, int]] = {}
    inside = len("<") + len(first.element) + first.start
    for value in found:
        if value.place is MarkupContext.VALUE:
            spans.setdefault(value.attribute, (value.start, value.end))
        elif value is not first or value.end > inside:
            for name in _WITHOUT_VALUE.finditer(html, max(value.start, inside), value.end):
                spans.setdefault(name[1].lower(), (name.end(), name.end()))
    attributes = {name: meant(html[start:end]) for name, (start, end) in spans.items()}
    return MarkupTag(
        first.element, first.start, last.end, attributes, html.endswith("/>", first.start, last.end), spans
    )


_REFERENCE = re.compile(r"&(?:#[xX]?[0-9a-fA-F]+;?|[A-Za-z][A-Za-z0-9]*;?)")
_LEGACY = frozenset(name for name in html5 if not name.endswith(";"))
"""References that count without a semicolon, since they did so in old browsers."""


def meant(value: str) -> str:
    """The value of an attribute that is written as `value`. In `?a=1&currency=2` nothing is a reference: a name without a semicolon counts
    only where no letter, digit or equals sign follows it (HTML, section 13.2.5.73).

    >>> meant("?a=1&currency=2&amp;copy=3&copy")
    '?a=1&currency=2&copy=3©'
    """

    def character(match: re.Match[str]) -> str:
        text = match[0]
        if text.endswith(";") and text[1:] in html5:
            return html5[text[1:]]
        if text.startswith("&#"):
            return unescape(text)
        name = text[1:]
        if name not in _LEGACY or match.string.startswith("=", match.end()):
            return text
        return html5[name]

    return _REFERENCE.sub(character, value) if "&" in value else value


_AMPERSAND = re.compile(r"&(#[0-9]|#[xX][0-9a-fA-F]|[A-Za-z][A-Za-z0-9]*;?|)")
_SHORTEST, _LONGEST = min(map(len, _LEGACY)), max(map(len, _LEGACY))


def with_plain_ampersands(html: str) -> str:
    """The same HTML with each & that begins no reference written as `&amp;`: some parsers take long over many of the others.

    >>> with_plain_ampersands("a & b &nbsp; &x=1 &lt")
    'a &amp; b &nbsp; &amp;x=1 &lt'
    """

    def written(match: re.Match[str]) -> str:
        name = match[1]
        known = name.startswith("#") or name in html5
        known = known or any(name[:length] in _LEGACY for length in range(_SHORTEST, min(_LONGEST, len(name)) + 1))
        return match[0] if known else f"&amp;{name}"

    return _AMPERSAND.sub(written, html) if "&" in html else html


def quoted(value: str) -> str:
    """The value as it is written in double quotes."""
    return value.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
"""Elements without content or end tag."""


_WELL_FORMED_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)")


def depth(html: str) -> int:
    """How deep the elements of well-formed HTML, in which each < that is none of a tag is written &lt;, stand in each other at most."""
    deepest = now = 0
    for closes, element in _WELL_FORMED_TAG.findall(html):
        if element not in VOID:
            now += -1 if closes else 1
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
