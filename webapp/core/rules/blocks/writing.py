"""From the document to the HTML that is stored: the one form in which each block is written, the same as the design view writes."""

from collections.abc import Iterable, Iterator, Sequence

from webapp.core.rules.blocks.document import (
    PLAIN,
    Alignment,
    Block,
    BlockDocument,
    ButtonBlock,
    ColumnsBlock,
    DividerBlock,
    FooterBlock,
    ForeignBlock,
    HeadingBlock,
    Inline,
    LineBreak,
    ListBlock,
    Marks,
    ParagraphBlock,
    PictureInText,
    QuoteBlock,
    SocialBlock,
    SpacerBlock,
    TableBlock,
    TableCell,
    TagInText,
    TextColour,
    UnsubscribeBlock,
    Words,
)
from webapp.core.rules.blocks.migrating import SCHEMA

BREAK = "<br>"


def write(document: BlockDocument) -> str:
    """The stored form, a block a line."""
    return StoredForm().whole(document)


class StoredForm:
    """How each block is stored. What leaves in mails is written by a class below it, which has other forms for some."""

    def whole(self, document: BlockDocument) -> str:
        return "\n".join(map(self.block, document.blocks))

    def block(self, block: Block) -> str:
        match block:
            case ParagraphBlock():
                return self.paragraph(block)
            case HeadingBlock(level, content, align):
                return f"<h{level}{self.aligned(align)}>{self.inline(content)}</h{level}>"
            case ListBlock():
                return self._list(block)
            case QuoteBlock(blocks):
                return f"<blockquote>{self.blocks(blocks)}</blockquote>"
            case DividerBlock():
                return "<hr>"
            case ButtonBlock(href, content):
                return f'<p class="button"><a href="{quoted(href)}">{self.inline(content)}</a></p>'
            case ForeignBlock(html):
                return html
            case TableBlock():
                return self.table(block)
            case ColumnsBlock():
                return self.columns(block)
            case SpacerBlock():
                return self.spacer(block)
            case SocialBlock():
                return self.social(block)
            case UnsubscribeBlock():
                return self.unsubscribe(block)
            case FooterBlock():
                return self.footer(block)

    def blocks(self, blocks: Iterable[Block]) -> str:
        return "".join(map(self.block, blocks))

    def paragraph(self, block: ParagraphBlock) -> str:
        return f"<p{self.aligned(block.align)}>{self.inline(block.content) or BREAK}</p>"

    def table(self, block: TableBlock) -> str:
        rows = (f"<tr>{''.join(map(self._cell, cells))}</tr>" for cells in block.rows)
        return f"<table{_mark('table')}><tbody>\n{lines(rows)}</tbody></table>"

    def columns(self, block: ColumnsBlock) -> str:
        inside = (f'<div data-column="">\n{lines(map(self.block, column))}</div>' for column in block.columns)
        return f"<div{_mark('columns')}>\n{lines(inside)}</div>"

    def spacer(self, block: SpacerBlock) -> str:
        return f'<div{_mark("spacer")} data-height="{block.height}"></div>'

    def social(self, block: SocialBlock) -> str:
        return f"<ul{_mark('social')}>\n{lines(f'<li>{link(*found)}</li>' for found in block.links)}</ul>"

    def unsubscribe(self, block: UnsubscribeBlock) -> str:
        return f"<p{_mark('unsubscribe')}>{self.inline(block.content) or BREAK}</p>"

    def footer(self, block: FooterBlock) -> str:
        return f"<div{_mark('footer')}>\n{lines(map(self.block, block.blocks))}</div>"

    def aligned(self, align: Alignment | None) -> str:
        """The attributes that say where lines stand."""
        return f' class="align-{align}"' if align else ""

    def coloured(self, colour: TextColour) -> str:
        """The attributes that say a colour."""
        return f' class="colour-{colour}"'

    def _list(self, block: ListBlock) -> str:
        name = "ol" if block.is_numbered else "ul"
        start = f' start="{block.start}"' if block.is_numbered and block.start != 1 else ""
        return f"<{name}{start}>\n{lines(f'<li>{self._item(item)}</li>' for item in block.items)}</{name}>"

    def _item(self, blocks: Sequence[Block]) -> str:
        first, *rest = blocks
        is_tight = isinstance(first, ParagraphBlock) and not first.align and bool(first.content or not rest)
        if isinstance(first, ParagraphBlock) and is_tight and all(isinstance(one, ListBlock) for one in rest):
            return self.inline(first.content) + self.blocks(rest)
        return self.blocks(blocks)

    def _cell(self, cell: TableCell) -> str:
        name = "th" if cell.is_header else "td"
        only = cell.blocks[0] if len(cell.blocks) == 1 and not cell.blocks[0].align else None
        inside = self.inline(only.content) if only else self.blocks(cell.blocks)
        return f"<{name}{spans(cell)}>{inside}</{name}>"

    def inline(self, content: Sequence[Inline]) -> str:
        """Inline content, with each mark around as much as it holds for."""
        out: list[str] = []
        open_now: list[tuple[str, str]] = []
        for item in content:
            wanted = list(self._elements(item.marks))
            kept = next(
                (number for number, pair in enumerate(zip(open_now, wanted, strict=False)) if pair[0] != pair[1]),
                min(len(open_now), len(wanted)),
            )
            out += [f"</{name}>" for name, _ in reversed(open_now[kept:])]
            out += [f"<{name}{attributes}>" for name, attributes in wanted[kept:]]
            open_now = wanted
            out.append(_inline(item))
        out += [f"</{name}>" for name, _ in reversed(open_now)]
        return "".join(out)

    def _elements(self, marks: Marks) -> Iterator[tuple[str, str]]:
        """The elements of the marks, from the outermost on, in the order in which the design view nests them."""
        if marks == PLAIN:
            return
        if marks.link:
            names = ("href", "title", "target", "rel")
            yield "a", _attributes((name, getattr(marks.link, name)) for name in names)
        if marks.colour:
            yield "span", self.coloured(marks.colour)
        if marks.is_fill:
            yield "mark", ' class="fill"'
        for name, is_on in (
            ("strong", marks.is_bold),
            ("em", marks.is_italic),
            ("u", marks.is_underlined),
            ("s", marks.is_struck),
        ):
            if is_on:
                yield name, ""


def _mark(name: str) -> str:
    return f' data-block="{name}" data-version="{SCHEMA}"'


def lines(parts: Iterable[str]) -> str:
    """Parts, each with a line end."""
    return "".join(f"{part}\n" for part in parts)


def link(words: str, href: str) -> str:
    return f'<a href="{quoted(href)}">{escaped(words)}</a>'


def spans(cell: TableCell) -> str:
    """The attributes of a cell that is larger than one."""
    across = f' colspan="{cell.colspan}"' if cell.colspan > 1 else ""
    return across + (f' rowspan="{cell.rowspan}"' if cell.rowspan > 1 else "")


def _inline(item: Inline) -> str:
    match item:
        case Words(text):
            return escaped(text)
        case TagInText(source):
            return escaped(source)
        case LineBreak():
            return BREAK
        case PictureInText():
            names = ("src", "alt", "title", "width", "height")
            return f"<img{_attributes((name, getattr(item, name)) for name in names)}>"


def _attributes(found: Iterable[tuple[str, str | None]]) -> str:
    return "".join(f' {name}="{quoted(value)}"' for name, value in found if value is not None)


def escaped(text: str) -> str:
    """Text as browsers write it."""
    return text.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(value: str) -> str:
    """The value of an attribute, as browsers write it."""
    return escaped(value).replace('"', "&quot;")
