"""HTML as a tree that knows where in its source each part stands, for sources in which each element that is opened is closed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import NamedTuple

from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupContext, MarkupTag


class NotWellFormed(ValueError):
    """An element ends that never began, or never ends, or words stand where only elements may."""


class TextNode(NamedTuple):
    """Text as it is meant, and where it is written."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class ElementNode:
    name: str
    attributes: dict[str, str]
    start: int
    end: int = -1
    children: list["ElementNode | TextNode"] = field(default_factory=list)

    @property
    def elements(self) -> list["ElementNode"]:
        """The children; raises NotWellFormed where words stand between them."""
        if any(isinstance(child, TextNode) and child.text.strip(BLANKS) for child in self.children):
            raise NotWellFormed
        return [child for child in self.children if isinstance(child, ElementNode)]


Nodes = Sequence[ElementNode | TextNode]
BLANKS = " \t\r\n\f"


def tree(html: str) -> list[ElementNode | TextNode]:
    """The tree of a source, in which a comment, or what stands in a style sheet, is an element without a name. Raises NotWellFormed for
    elements that are not in pairs."""
    root = ElementNode("", {}, 0)
    open_now = [root]
    for found in markup.tags_and_texts(html):
        if isinstance(found, MarkupTag):
            _tag(found, open_now)
        elif found.place is MarkupContext.TEXT:
            text = unescape(html[found.start : found.end])
            open_now[-1].children.append(TextNode(text, found.start, found.end))
        else:
            open_now[-1].children.append(ElementNode("!", {}, found.start, found.end))
    if len(open_now) > 1:
        raise NotWellFormed
    return root.children


def _tag(tag: MarkupTag, open_now: list[ElementNode]) -> None:
    if tag.element.startswith("/"):
        if len(open_now) == 1 or open_now[-1].name != tag.element[1:]:
            raise NotWellFormed
        open_now.pop().end = tag.end
        return
    element = ElementNode(tag.element, tag.attributes, tag.start, tag.end)
    open_now[-1].children.append(element)
    if tag.element not in markup.VOID:
        open_now.append(element)
