"""From a stored body to what leaves: tables that every mail program draws, with classes that the style sheet of `sheet.py` sets.

Columns are boxes that stand beside each other as far as there is room, in a table that only Outlook on Windows reads. Buttons and
quotations keep their stored form here; they become tables where the colours are known.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from webapp.core.rules.blocks.document import (
    Alignment,
    ColumnsBlock,
    FooterBlock,
    InlineRow,
    SocialBlock,
    SpacerBlock,
    TableBlock,
    TableCell,
    TagInText,
    TextColour,
    UnsubscribeBlock,
)
from webapp.core.rules.blocks.reading import read
from webapp.core.rules.blocks.writing import StoredForm, lines, link, spans

_LAYOUT = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
_USED = re.compile(r'\sdata-block="|\sclass="(?:align|colour)-')
_BEGINS = re.compile(r"\{%-?\s*(?:for|if|unless)\b")
_ENDS = re.compile(r"\{%-?\s*end(?:for|if|unless)\b")
_PERCENT = {2: "50%", 3: "33.33%"}


def uses_blocks(html: str) -> bool:
    """Whether a body has anything that leaves in another form than it is stored in. A body without is not touched."""
    return _USED.search(html) is not None


def laid_out(html: str) -> str:
    """The body as it leaves; that which uses no block comes back as it is."""
    return _laid_out(html) if uses_blocks(html) else html


@lru_cache(maxsize=16)
def _laid_out(html: str) -> str:
    return LeavingForm().whole(read(html))


class LeavingForm(StoredForm):
    """How each block leaves."""

    def table(self, block: TableBlock) -> str:
        rows = lines(self._row(cells, is_first=not number) for number, cells in enumerate(block.rows))
        return f'<table class="b-table" width="100%" cellpadding="0" cellspacing="0" border="0"><tbody>\n{rows}</tbody></table>'

    def _row(self, cells: Sequence[TableCell], *, is_first: bool) -> str:
        begin, cells, end = _around(cells)
        inside = "".join(self._leaving_cell(cell, is_first=is_first) for cell in cells)
        return f"{begin}<tr>{inside}</tr>{end}"

    def _leaving_cell(self, cell: TableCell, *, is_first: bool) -> str:
        name = "th" if cell.is_header else "td"
        scope = f' scope="{"col" if is_first else "row"}"' if cell.is_header else ""
        aligned = {block.align for block in cell.blocks}
        align = aligned.pop() if len(aligned) == 1 else None
        inside = "<br>".join(self.inline(block.content) for block in cell.blocks) if align or not aligned else None
        inside = self.blocks(cell.blocks) if inside is None else inside
        start = f' align="{align}"' if align else ""
        return (
            f'<{name} class="b-{name}"{scope}{spans(cell)}{start} valign="top"{self.aligned(align)}>{inside}</{name}>'
        )

    def columns(self, block: ColumnsBlock) -> str:
        count = len(block.columns)
        cell = f'<td width="{_PERCENT[count]}" valign="top">'
        boxes = f"<!--[if mso]></td>{cell}<![endif]-->".join(
            f'<div class="b-column b-of-{count}"><table {_LAYOUT} width="100%"><tr><td class="b-in-column">\n'
            f"{lines(map(self.block, column))}</td></tr></table></div>"
            for column in block.columns
        )
        return (
            f'<table class="b-columns" {_LAYOUT} width="100%"><tr><td class="b-beside">'
            f'<!--[if mso]><table {_LAYOUT} width="100%"><tr>{cell}<![endif]-->{boxes}'
            "<!--[if mso]></td></tr></table><![endif]--></td></tr></table>"
        )

    def spacer(self, block: SpacerBlock) -> str:
        height = block.height
        style = f"height:{height}px;font-size:0;line-height:{height}px;mso-line-height-rule:exactly"
        return f'<table {_LAYOUT} width="100%"><tr><td height="{height}" style="{style}">&nbsp;</td></tr></table>'

    def social(self, block: SocialBlock) -> str:
        return f'<p class="b-social">{" &nbsp;·&nbsp; ".join(link(*found) for found in block.links)}</p>'

    def unsubscribe(self, block: UnsubscribeBlock) -> str:
        return f'<p class="b-small">{self.inline(block.content)}</p>'

    def footer(self, block: FooterBlock) -> str:
        inside = self.blocks(block.blocks)
        return f'<table class="b-footer" {_LAYOUT} width="100%"><tr><td class="b-in-footer">{inside}</td></tr></table>'

    def aligned(self, align: Alignment | None) -> str:
        return f' style="text-align:{align}"' if align else ""

    def coloured(self, colour: TextColour) -> str:
        return f' class="b-{colour}"'


def _around(cells: Sequence[TableCell]) -> tuple[str, Sequence[TableCell], str]:
    """A row's condition or loop, which stands in its first and last cell, and the cells without it."""
    begin, end = _edge(cells[0].blocks[0].content, 0, _BEGINS), _edge(cells[-1].blocks[-1].content, -1, _ENDS)
    if begin is None or end is None:
        return "", cells, ""
    *before, last = cells
    *paragraphs, final = last.blocks
    last = replace(last, blocks=(*paragraphs, replace(final, content=final.content[:-1])))
    first, *rest = *before, last
    opening, *paragraphs = first.blocks
    first = replace(first, blocks=(replace(opening, content=opening.content[1:]), *paragraphs))
    return begin, (first, *rest), end


def _edge(content: InlineRow, place: int, wanted: re.Pattern[str]) -> str | None:
    item = content[place] if content else None
    return item.source if isinstance(item, TagInText) and wanted.match(item.source) else None
