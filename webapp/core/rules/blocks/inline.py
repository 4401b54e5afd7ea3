"""What stands in a line: words, tags, breaks and pictures, each with how it is set apart."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from webapp.core.rules.blocks.document import (
    PLAIN,
    Inline,
    InlineRow,
    LineBreak,
    Marks,
    PictureInText,
    TagInText,
    Target,
    TextColour,
    Words,
)
from webapp.core.rules.blocks.elements import BLANKS, ElementNode, Nodes, TextNode

__all__ = ["ELEMENTS", "PLAIN", "TAG", "NoRoom", "row"]

TAG = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}")
"""As `static/editor/tags.js` has it."""
_BLANKS = re.compile(f"[{BLANKS}]+")
_PICTURE = ("src", "alt", "title", "width", "height")
_LINK = {"href", "title", "target", "rel"}
_SIMPLE: dict[str, Callable[[Marks], Marks]] = {
    "strong": lambda marks: replace(marks, is_bold=True),
    "em": lambda marks: replace(marks, is_italic=True),
    "u": lambda marks: replace(marks, is_underlined=True),
    "s": lambda marks: replace(marks, is_struck=True),
}
for _other, _name in (("b", "strong"), ("i", "em"), ("strike", "s"), ("del", "s")):
    _SIMPLE[_other] = _SIMPLE[_name]
_COLOURS = {f"colour-{colour}": colour for colour in TextColour}
ELEMENTS = frozenset({*_SIMPLE, "a", "mark", "span", "br", "img"})


class NoRoom(ValueError):
    """The design view has nothing for this, so it is kept as it is written."""


def row(nodes: Nodes) -> InlineRow:
    """The inline content of a block: blanks in a row are one, none stands at a line's edge, and neighbours of one kind are one. A single
    break is how an empty line is written, and is none. Raises NoRoom."""
    found = _joined(list(_inline(nodes, PLAIN)))
    return () if len(found) == 1 and isinstance(found[0], LineBreak) else tuple(found)


def _inline(nodes: Sequence[ElementNode | TextNode], marks: Marks) -> Iterator[Inline]:
    for node in nodes:
        if isinstance(node, TextNode):
            yield from _texts(node.text, marks)
        elif node.name == "br" and not node.attributes:
            yield LineBreak(marks)
        elif node.name == "img" and "src" in node.attributes and not node.attributes.keys() - set(_PICTURE):
            known = node.attributes
            sizes = known.get("width"), known.get("height")
            yield PictureInText(known["src"], known.get("alt"), known.get("title"), *sizes, marks)
        else:
            yield from _inline(node.children, _with(marks, node))


def _with(marks: Marks, element: ElementNode) -> Marks:
    known = element.attributes
    if element.name in _SIMPLE and not known:
        return _SIMPLE[element.name](marks)
    if element.name == "a" and "href" in known and not known.keys() - _LINK:
        return replace(marks, link=Target(known["href"], known.get("title"), known.get("target"), known.get("rel")))
    if element.name == "mark" and known == {"class": "fill"}:
        return replace(marks, is_fill=True)
    if element.name == "span" and known.keys() == {"class"}:
        colour = _COLOURS.get(known["class"])
        if colour:
            return replace(marks, colour=colour)
    raise NoRoom


def _texts(text: str, marks: Marks) -> Iterator[Inline]:
    position = 0
    for match in TAG.finditer(text):
        yield Words(text[position : match.start()], marks)
        yield TagInText(match[0], marks)
        position = match.end()
    yield Words(text[position:], marks)


def _joined(items: list[Inline]) -> list[Inline]:
    """With blanks as a browser shows them: one where there are several, none at the beginning or end of a line."""
    done: list[Inline] = []
    at_blank = True
    for item in items:
        if isinstance(item, Words):
            text = _BLANKS.sub(" ", item.text)
            text = text.removeprefix(" ") if at_blank else text
            if not text:
                continue
            at_blank = text.endswith(" ")
            last = done[-1] if done else None
            if isinstance(last, Words) and last.marks == item.marks:
                done[-1] = Words(last.text + text, item.marks)
                continue
            item = replace(item, text=text)
        else:
            if isinstance(item, LineBreak):
                _trim(done)
            at_blank = isinstance(item, LineBreak)
        done.append(item)
    _trim(done)
    return done


def _trim(done: list[Inline]) -> None:
    if done and isinstance(done[-1], Words) and done[-1].text.endswith(" "):
        text = done[-1].text.removesuffix(" ")
        if text:
            done[-1] = replace(done[-1], text=text)
        else:
            done.pop()
