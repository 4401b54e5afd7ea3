"""The text part, where none was written: what the HTML part says, with its links readable."""

import re

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree
from lxml.html import HtmlElement, document_fromstring

from webapp.core.errors import Invalid
from webapp.core.rules.message.document import Document
from webapp.core.rules.tags.build import nest, with_addresses, without_condition_lines
from webapp.core.rules.tags.grammar import TagError
from webapp.core.rules.tags.tree import Block, Escape, Nodes, Slot

_IN_ADDRESS = "u"
"""The kind of word that stands for a tag in a link's address, where its value is percent-encoded."""

_ROWS = ("table", "thead", "tbody", "tfoot", "tr")
_CELLS = ("td", "th")


def text_of(document: Document) -> Nodes:
    """The tree of the text part. Raises Invalid where a condition cannot be kept, as its parts come to stand in another order."""
    body = document_fromstring(document.html).find("body")
    assert body is not None
    for styled in body.xpath("descendant-or-self::*[@style]"):
        # Only what hides is of use here: margins and paddings would become blanks.
        styled.set("style", "display:none" if _HIDDEN.search(styled.get("style", "")) else "")
    _conditions_as_words(body, document)
    for picture in list(body.iter("img")):
        _replace(picture, picture.get("alt", "").strip())
    for link in list(body.iter("a")):
        _write_out(link, document)
    text = _tidy(Inscriptis(body, ParserConfig(css=CSS_PROFILES["strict"], table_cell_separator="  ")).get_text())
    text = _close_to_next(text, document)
    try:
        return nest(with_addresses(without_condition_lines(_row(text, document))))
    except TagError:
        sentence = "No text can be derived from this HTML because of where its conditions stand: please write the text yourself."
        raise Invalid(sentence, "text") from None


def _conditions_as_words(body: HtmlElement, document: Document) -> None:
    """Comments that stand for conditions as words of the text. One between table rows goes into the cell after it, an end into the
    cell before."""
    everything = list(body.iter())
    between_rows: list[tuple[int, str, bool]] = []
    for place, node in enumerate(everything):
        if not isinstance(node, etree._Comment):
            continue
        match = document.words.pattern.fullmatch(node.text or "")
        parent = node.getparent()
        if match and parent is not None and parent.tag in _ROWS:
            tag = document.tags[int(match["number"])]
            between_rows.append((place, match[0], isinstance(tag, Block) and tag.keyword in ("endif", "endunless")))
            _replace(node, "")
        else:
            _replace(node, match[0] if match else "")
    for place, word, is_end in between_rows:
        if is_end and (cell := next((n for n in reversed(everything[:place]) if n.tag in _CELLS), None)) is not None:
            _append(cell, word)
    for place, word, is_end in reversed(between_rows):
        if not is_end and (cell := next((n for n in everything[place:] if n.tag in _CELLS), None)) is not None:
            cell.text = word + (cell.text or "")


def _write_out(link: HtmlElement, document: Document) -> None:
    """The address after the link's words, unless these are the address: `Pay now <https://…>`."""
    href = link.get("href", "").strip()
    scheme, _, rest = href.partition(":")
    words = " ".join(link.text_content().split())
    if scheme.lower() in ("http", "https"):
        shown = (
            href
            if words in (href, rest.strip("/"), href.rstrip("/"))
            else document.words.pattern.sub(
                lambda match: (
                    match[0] if isinstance(document.tags[int(match["number"])], Block) else match[0][:-1] + _IN_ADDRESS
                ),
                href,
            )
        )
    elif scheme.lower() in ("mailto", "tel"):
        shown = rest.partition("?")[0]
    else:
        return
    if words not in (shown, rest.strip("/"), href.rstrip("/")):
        _append(link, f" <{shown}>" if words else shown)


def _tidy(text: str) -> str:
    """The text without the blanks that layout made, and with one empty line where there are several."""
    lines = []
    for line in text.replace("\xa0", " ").split("\n"):
        line = _WIDE.sub("  ", line.rstrip())
        indent = len(line) - len(line.lstrip())
        lines.append(line if 2 <= indent <= 8 else line.lstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _close_to_next(text: str, document: Document) -> str:
    """The text without the empty lines after a line that holds only conditions, so that a paragraph left out leaves no gap."""

    def closed(match: re.Match[str]) -> str:
        numbers = [int(word["number"]) for word in document.words.pattern.finditer(match[0])]
        return f"{match[1]}\n" if all(isinstance(document.tags[number], Block) for number in numbers) else match[0]

    return re.sub(rf"^((?:[ \t]*{document.words.uncaptured()})+)[ \t]*\n{{2,}}", closed, text, flags=re.MULTILINE)


_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_WIDE = re.compile(r"(?<=\S)[ \t]{3,}")


def _row(text: str, document: Document) -> list[str | Slot | Block]:
    items: list[str | Slot | Block] = []
    position = 0
    for match in document.words.of_kind(f"z{_IN_ADDRESS}").finditer(text):
        tag = document.tags[int(match["number"])]
        in_address = match["kind"] == _IN_ADDRESS
        items += (
            text[position : match.start()],
            Slot(tag.output, Escape.URL if in_address else Escape.PLAIN) if isinstance(tag, Slot) else tag,
        )
        position = match.end()
    return [*items, text[position:]]


def _append(node: etree._Element, text: str) -> None:
    """Put text at the end of what is in a node."""
    if len(node):
        node[-1].tail = (node[-1].tail or "") + text
    else:
        node.text = (node.text or "") + text


def _replace(node: etree._Element, text: str) -> None:
    """Take a node out of the tree, and put text in its place."""
    parent, before = node.getparent(), node.getprevious()
    assert parent is not None
    text += node.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + text
    else:
        parent.text = (parent.text or "") + text
    parent.remove(node)
