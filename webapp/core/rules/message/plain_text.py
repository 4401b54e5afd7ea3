"""The text part, where none was written: what the HTML part says, in its order, with its links readable."""

import re
from collections.abc import Iterator

from lxml import etree
from lxml.html import HtmlElement, document_fromstring

from webapp.core.errors import Invalid
from webapp.core.rules.message.document import Document
from webapp.core.rules.message.lines import Lines
from webapp.core.rules.tags.expressions import TagError
from webapp.core.rules.tags.nodes import OPENING, Block, Escape, Nodes, Slot
from webapp.core.rules.tags.parser import nest, with_addresses, without_condition_lines

_IN_ADDRESS = "u"
"""The kind of word that stands for a tag in a link's address, where its value is percent-encoded."""

_PARAGRAPHS = frozenset({
    "blockquote", "dir", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "menu", "ol", "p", "pre", "table", "ul",
})  # fmt: skip
_BLOCKS = _PARAGRAPHS | {
    "address", "article", "aside", "body", "caption", "center", "dd", "details", "div", "dt", "figcaption", "footer", "header", "li",
    "main", "map", "nav", "section", "summary", "tbody", "td", "tfoot", "th", "thead", "tr",
}  # fmt: skip
_LISTS = frozenset({"ul", "ol", "dir", "menu"})
_HIDDEN = re.compile(
    r"(?:display\s*:\s*none|visibility\s*:\s*hidden|max-height\s*:\s*0(?:px|%)?|opacity\s*:\s*0(?:\.0+)?)\s*(?:!\s*important\s*)?(?:;|\Z)",
    re.IGNORECASE,
)
_FILLER = re.compile("[\u034f\u00ad\u061c\u180e\u200b-\u200f\u2060\ufeff]")
"""Characters that nobody sees. Designs fill the line that follows the subject in a list of mails with them."""
_FILLED = re.compile(rf"(?:{_FILLER.pattern}[\s\u2007]*){{3,}}")
_LONG_CELL = 60
"""Characters in a cell from which on a row is no row of a list of figures, but columns of text beside each other."""


def text_of(document: Document) -> Nodes:
    """The tree of the text part. Raises Invalid where a condition cannot be kept, as its parts come to stand in another order."""
    body = document_fromstring(document.html).find("body")
    assert body is not None
    lines = Lines()
    _BodyWalk(document, lines).element(body)
    try:
        return nest(with_addresses(without_condition_lines(_row(lines.text(), document))))
    except TagError:
        sentence = "No text can be derived from this HTML because of where its conditions stand: please write the text yourself."
        raise Invalid(sentence, "text") from None


class _BodyWalk:
    """A walk through the body. Its depth is bounded, as the document's is."""

    def __init__(self, document: Document, lines: Lines):
        self._document, self._lines = document, lines
        self._markers: list[Iterator[str]] = []
        self._open: list[str] = []

    def element(self, node: HtmlElement) -> None:
        if isinstance(node, etree._Comment):
            if match := self._document.words.pattern.fullmatch(node.text or ""):
                self._lines.condition(node.text, ends_row=self._ends_row(int(match["number"])))
            return
        if not isinstance(node.tag, str) or "hidden" in node.attrib or _HIDDEN.search(node.get("style", "")):
            return
        match node.tag:
            case "br":
                self._lines.line_end()
            case "img":
                self._words_apart(node.get("alt", "").strip())
            case "a" | "area":
                self._link(node)
            case "tr" if (cells := _figures(node)) is not None:
                self._lines.break_line()
                for number, cell in enumerate(cells):
                    if number:
                        self._lines.gap()
                    self._inside(cell)
                self._lines.break_line()
            case "style" | "title" | "head":
                pass
            case tag:
                self._block(node) if tag in _BLOCKS else self._inside(node)

    def _ends_row(self, number: int) -> bool:
        """Whether a row of a list ends with this word, so that the next begins or what stands there without any."""
        block = self._document.tags[number]
        assert isinstance(block, Block)
        opened = self._open[-1] if self._open else ""
        if block.keyword in OPENING:
            self._open.append(block.keyword)
        elif block.keyword in OPENING.values() and self._open:
            self._open.pop()
        elif block.keyword == "else" and opened == "for":
            self._open[-1] = "else"
            return True
        return block.keyword == "endfor" and opened == "for"

    def _block(self, node: HtmlElement) -> None:
        lines = self._lines
        in_list = node.tag in _LISTS and node.getparent() is not None and node.getparent().tag in ("li", *_LISTS)
        margin = lines.paragraph if node.tag in _PARAGRAPHS and not in_list else lines.break_line
        margin()
        if node.tag in _LISTS:
            self._markers.append(_markers(node))
            with lines.indented("  "):
                self._inside(node)
            self._markers.pop()
        elif node.tag == "li":
            with lines.item(next(self._markers[-1], "* ") if self._markers else "* "):
                self._inside(node)
        elif node.tag == "blockquote":
            with lines.indented("> "):
                self._inside(node)
        elif node.tag == "pre":
            with lines.as_written():
                self._inside(node)
        else:
            self._inside(node)
        margin()

    def _inside(self, node: HtmlElement) -> None:
        self._text(node.text)
        for child in node:
            self.element(child)
            self._text(child.tail)

    def _text(self, text: str | None) -> None:
        if text:
            self._lines.words(_without_filler(text))

    def _words_apart(self, words: str) -> None:
        """Words that no blank separates from their neighbours, though the eye does."""
        if words:
            self._lines.apart()
            self._lines.words(_without_filler(words))
            self._lines.apart()

    def _link(self, link: HtmlElement) -> None:
        """The link's words, and after them its address, unless these are the address: `Pay now <https://…>`."""
        href = re.sub("[\t\n\r\f]", "", link.get("href", "")).strip()
        if link.tag == "area":
            self._lines.break_line()
        self._lines.apart_from_links()
        mark = self._lines.mark()
        if link.tag == "area":
            self._text(link.get("alt", ""))
        self._inside(link)
        words = self._lines.since(mark)
        shown, same = self._shown(href), (href, href.partition(":")[2].strip("/"), href.rstrip("/"))
        if shown and words not in (*same, shown):
            self._lines.address(f"<{shown}>" if words else shown)
        if shown:
            self._lines.after_link()

    def _shown(self, href: str) -> str:
        """What is written of an address: all of one of the web, the mail address or number of others; "" for a place in the mail."""
        scheme, _, rest = href.partition(":")
        match scheme.lower():
            case "http" | "https" | "webcal":
                return self._document.words.pattern.sub(self._in_address, href)
            case "mailto" | "tel" | "sms":
                return rest.partition("?")[0]
        return "" if href.startswith("#") else href

    def _in_address(self, match: re.Match[str]) -> str:
        is_condition = isinstance(self._document.tags[int(match["number"])], Block)
        return match[0] if is_condition else match[0][:-1] + _IN_ADDRESS


def _without_filler(text: str) -> str:
    return _FILLED.sub(" ", text).replace("\u00ad", "").replace("\u200b", "") if _FILLER.search(text) else text


def _figures(row: HtmlElement) -> list[HtmlElement] | None:
    """The cells of a row that reads as one line: short ones with nothing in them that stands in lines of its own. None for others."""
    cells = [cell for cell in row if cell.tag in ("td", "th") and (len(cell) or (cell.text or "").strip("\xa0 \t\n"))]
    if len(cells) < 2 or len([child for child in row if child.tag in ("td", "th")]) < sum(1 for _ in row):
        return None  # conditions between the cells stay where they are
    for cell in cells:
        if any(below.tag in _BLOCKS or below.tag in ("br", "img", "area") for below in cell.iterdescendants()):
            return None
        if len(cell.text_content().strip()) > _LONG_CELL:
            return None
    return cells


def _markers(parent: HtmlElement) -> Iterator[str]:
    """What stands before the items of a list: a star, or their numbers, counted as browsers do (`start`, `reversed`, `value`)."""
    items = [item for item in parent if item.tag == "li"]
    step = -1 if "reversed" in parent.attrib else 1
    number = _whole(parent.get("start"), len(items) if step < 0 else 1)
    for item in items:
        number = _whole(item.get("value"), number)
        yield f"{_as_letters(number, parent.get('type', ''))}. " if parent.tag == "ol" else "* "
        number += step


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and re.fullmatch(r"\s*-?\d{1,9}\s*", text, re.ASCII) else otherwise


def _as_letters(number: int, kind: str) -> str:
    if kind in ("a", "A") and 1 <= number <= 26:
        return chr(ord(kind) + number - 1)
    return str(number)


def _row(text: str, document: Document) -> list[str | Slot | Block]:
    return list(_items(text, document))


def _items(text: str, document: Document) -> Iterator[str | Slot | Block]:
    position = 0
    for match in document.words.of_kind(f"z{_IN_ADDRESS}").finditer(text):
        tag = document.tags[int(match["number"])]
        in_address = match["kind"] == _IN_ADDRESS
        yield text[position : match.start()]
        yield Slot(tag.output, Escape.URL if in_address else Escape.PLAIN) if isinstance(tag, Slot) else tag
        position = match.end()
    yield text[position:]
