"""From stored HTML to the document.

Whatever the design view has no room for comes back as a `ForeignBlock`, to the letter, wherever a block may stand; so no source is refused,
and nothing of it is lost.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from webapp.core.rules.blocks import inline
from webapp.core.rules.blocks.document import (
    Alignment,
    Block,
    BlockDocument,
    ButtonBlock,
    ColumnsBlock,
    DividerBlock,
    FooterBlock,
    ForeignBlock,
    HeadingBlock,
    InlineRow,
    ListBlock,
    ParagraphBlock,
    QuoteBlock,
    SocialBlock,
    SpacerBlock,
    TableBlock,
    TableCell,
    UnsubscribeBlock,
    Words,
)
from webapp.core.rules.blocks.elements import BLANKS, ElementNode, Nodes, NotWellFormed, TextNode, tree
from webapp.core.rules.blocks.inline import NoRoom
from webapp.core.rules.blocks.migrating import UnknownVersion, upgraded

_HEADINGS = {"h1": 1, "h2": 2, "h3": 3}
_ALIGNED = re.compile(r"align-(left|center|right)")
_NUMBER = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_Found = TypeVar("_Found")
TALLEST, LEAST_COLUMNS, MOST_COLUMNS = 200, 2, 3


def read(html: str) -> BlockDocument:
    """The document of a stored body."""
    try:
        return BlockDocument(tuple(_blocks(tree(html), html)))
    except NotWellFormed:
        return BlockDocument((ForeignBlock(html),))


def _blocks(nodes: Nodes, html: str) -> Iterator[Block]:
    """The blocks of a row of nodes. What lies loose between blocks, and what is not known, is kept in one piece as long as it goes on."""
    begin = end = -1
    for node in nodes:
        block = _block(node, html) if isinstance(node, ElementNode) else None
        if block is None:
            if isinstance(node, TextNode) and not node.text.strip(BLANKS):
                continue
            begin, end = node.start if begin < 0 else begin, node.end
            continue
        if begin >= 0:
            yield ForeignBlock(html[begin:end].strip(BLANKS))
            begin = -1
        yield block
    if begin >= 0:
        yield ForeignBlock(html[begin:end].strip(BLANKS))


def _block(element: ElementNode, html: str) -> Block | None:
    """The block that an element is; None where there is no room for it."""
    try:
        if "data-block" in element.attributes:
            return _marked(upgraded(element), html)
        return _plain(element, html)
    except (NoRoom, NotWellFormed, UnknownVersion):
        return None


def _plain(element: ElementNode, html: str) -> Block | None:
    name = element.name
    if name == "p" and element.attributes == {"class": "button"}:
        return _button(element)
    if name == "p":
        return ParagraphBlock(inline.row(element.children), _align(element))
    if name in _HEADINGS:
        return HeadingBlock(_HEADINGS[name], inline.row(element.children), _align(element))
    if name in ("ul", "ol"):
        return _list(element, html)
    _only(element)
    if name == "hr":
        return DividerBlock()
    if name == "blockquote":
        return QuoteBlock(_some(_blocks(element.children, html)))
    return None


def _marked(element: ElementNode, html: str) -> Block | None:
    known = dict(element.attributes)
    kind = (element.name, known.pop("data-block"))
    del known["data-version"]
    height = known.pop("data-height", "") if kind[1] == "spacer" else ""
    if known:
        raise NoRoom
    match kind:
        case ("table", "table"):
            return _table(element)
        case ("div", "columns"):
            return _columns(element, html)
        case ("div", "spacer"):
            return _spacer(element, height)
        case ("ul", "social"):
            return SocialBlock(_some(map(_social, element.elements)))
        case ("p", "unsubscribe"):
            return UnsubscribeBlock(inline.row(element.children))
        case ("div", "footer"):
            return FooterBlock(_some(map(_paragraph, element.elements)))
    return None


def _only(element: ElementNode, *names: str) -> None:
    """Raises NoRoom for an element with attributes other than these."""
    if element.attributes.keys() - set(names):
        raise NoRoom


def _some(found: Iterable[_Found]) -> tuple[_Found, ...]:
    items = tuple(found)
    if not items:
        raise NoRoom
    return items


def _align(element: ElementNode) -> Alignment | None:
    if not element.attributes:
        return None
    _only(element, "class")
    found = _ALIGNED.fullmatch(element.attributes["class"])
    if not found:
        raise NoRoom
    return Alignment(found[1])


def _paragraph(element: ElementNode) -> ParagraphBlock:
    if element.name != "p":
        raise NoRoom
    return ParagraphBlock(inline.row(element.children), _align(element))


def _button(element: ElementNode) -> ButtonBlock:
    link, *more = element.elements
    if more or link.name != "a" or link.attributes.keys() != {"href"}:
        raise NoRoom
    content = inline.row(link.children)
    if any(item.marks != inline.PLAIN for item in content):
        raise NoRoom
    return ButtonBlock(link.attributes["href"], content)


def _list(element: ElementNode, html: str) -> ListBlock:
    is_numbered = element.name == "ol"
    _only(element, *(["start"] if is_numbered else []))
    start = element.attributes.get("start", "1")
    if not re.fullmatch(r"-?[0-9]{1,9}", start, re.ASCII):
        raise NoRoom
    return ListBlock(_some(_item(item, html) for item in element.elements), is_numbered, int(start))


def _item(element: ElementNode, html: str) -> tuple[Block, ...]:
    """An item: its first paragraph may be written without its <p>, where nothing but lists follows."""
    if element.name != "li" or element.attributes:
        raise NoRoom
    first, rest = _loose(element.children)
    blocks = tuple(_blocks(rest, html))
    if first is None and (not blocks or not isinstance(blocks[0], ParagraphBlock)):
        first = ()
    elif first is not None and not all(isinstance(block, ListBlock) for block in blocks):
        raise NoRoom
    return blocks if first is None else (ParagraphBlock(first), *blocks)


def _loose(nodes: Sequence[ElementNode | TextNode]) -> tuple[InlineRow | None, Nodes]:
    """What stands before the first block, and the blocks."""
    count = next(
        (
            number
            for number, node in enumerate(nodes)
            if isinstance(node, ElementNode) and node.name not in inline.ELEMENTS
        ),
        len(nodes),
    )
    row = inline.row(nodes[:count])
    return (row or None), nodes[count:]


def _table(element: ElementNode) -> TableBlock:
    parts = element.elements
    rows = parts[0].elements if len(parts) == 1 and parts[0].name == "tbody" and not parts[0].attributes else parts
    return TableBlock(_some(_row(row) for row in rows))


def _row(element: ElementNode) -> tuple[TableCell, ...]:
    if element.name != "tr" or element.attributes:
        raise NoRoom
    return _some(map(_cell, element.elements))


def _cell(element: ElementNode) -> TableCell:
    if element.name not in ("td", "th"):
        raise NoRoom
    _only(element, "colspan", "rowspan")
    first, rest = _loose(element.children)
    if first is not None and rest:
        raise NoRoom
    paragraphs = [_paragraph(node) for node in rest if isinstance(node, ElementNode)]
    if any(isinstance(node, TextNode) and node.text.strip(BLANKS) for node in rest):
        raise NoRoom
    return TableCell(
        (ParagraphBlock(first),) if first is not None else tuple(paragraphs) or (ParagraphBlock(),),
        element.name == "th",
        _number(element.attributes.get("colspan", "1")),
        _number(element.attributes.get("rowspan", "1")),
    )


def _columns(element: ElementNode, html: str) -> ColumnsBlock:
    columns = element.elements
    if not LEAST_COLUMNS <= len(columns) <= MOST_COLUMNS:
        raise NoRoom
    if any(column.name != "div" or column.attributes != {"data-column": ""} for column in columns):
        raise NoRoom
    return ColumnsBlock(tuple(_some(_blocks(column.children, html)) for column in columns))


def _spacer(element: ElementNode, height: str) -> SpacerBlock:
    if element.elements or _number(height) > TALLEST:
        raise NoRoom
    return SpacerBlock(_number(height))


def _social(item: ElementNode) -> tuple[str, str]:
    if item.name != "li" or item.attributes or len(item.elements) != 1:
        raise NoRoom
    link = item.elements[0]
    words = inline.row(link.children)
    if link.name != "a" or link.attributes.keys() != {"href"} or len(words) != 1 or not isinstance(words[0], Words):
        raise NoRoom
    return words[0].text, link.attributes["href"]


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise NoRoom
    return int(text)
