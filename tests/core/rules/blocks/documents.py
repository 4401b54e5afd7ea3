"""Documents by the thousand: each number gives always the same one, of every block and mark, in each other as deep as they may stand."""

from random import Random

from webapp.core.rules.blocks.document import (
    PLAIN,
    Alignment,
    Block,
    BlockDocument,
    ButtonBlock,
    ColumnsBlock,
    DividerBlock,
    FooterBlock,
    HeadingBlock,
    Inline,
    InlineRow,
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
    Target,
    TextColour,
    UnsubscribeBlock,
    Words,
)

WORDS = ["Hello", "Zoë", "a & b", "<none>", "“quoted”", "2\xa0GB", "שלום", "3 < 4", "it's", '"so"', "&amp;", "end."]
TAGS = ["{{ first_name }}", '{{ company | default: "you & yours" }}', "{% if company %}", "{% endif %}"]
ADDRESSES = [
    "https://example.com/?a=1&b=2",
    "mailto:desk@example.com",
    "https://example.com/{{ client_id }}",
    "{{ unsubscribe_url }}",
]


def document(number: int) -> BlockDocument:
    """The random document of that number."""
    blocks = _Maker(Random(number)).blocks(3, most=4)
    # An empty line alone is an empty body, which has no blocks at all.
    return BlockDocument(() if blocks == (ParagraphBlock(),) else blocks)


class _Maker:
    def __init__(self, random: Random):
        self.random = random

    def blocks(self, depth: int, *, least: int = 1, most: int = 3) -> tuple[Block, ...]:
        return tuple(self.block(depth) for _ in range(self.random.randint(least, most)))

    def block(self, depth: int) -> Block:
        simple = [
            self.paragraph,
            lambda: HeadingBlock(self.random.randint(1, 3), self.row(least=1), self.align()),
            DividerBlock,
            lambda: ButtonBlock(self.random.choice(ADDRESSES), self.row(least=1, plain=True)),
            lambda: SpacerBlock(self.random.randint(4, 120)),
            lambda: UnsubscribeBlock(self.row(least=1)),
            lambda: SocialBlock(tuple((word, "https://example.com/x?y=1&z") for word in ("LinkedIn", "A & B"))),
            lambda: FooterBlock(tuple(self.paragraph() for _ in range(self.random.randint(1, 2)))),
        ]
        deep = [
            lambda: self.list(depth),
            lambda: QuoteBlock(self.blocks(depth - 1)),
            self.table,
            lambda: ColumnsBlock(tuple(self.blocks(depth - 2) for _ in range(self.random.randint(2, 3)))),
        ]
        return self.random.choice([*simple, *(deep[: depth + 1] if depth > 0 else [])])()

    def list(self, depth: int) -> ListBlock:
        is_numbered = self.random.random() < 0.5
        items = tuple(
            (self.paragraph(), *self.blocks(depth - 1, least=0, most=2)) for _ in range(self.random.randint(1, 3))
        )
        return ListBlock(items, is_numbered, self.random.choice([1, 4]) if is_numbered else 1)

    def table(self) -> TableBlock:
        across = self.random.randint(1, 4)
        has_header = self.random.random() < 0.5
        rows = [
            tuple(self.cell(is_header=has_header and not number) for _ in range(across))
            for number in range(self.random.randint(1, 4))
        ]
        if across > 1 and self.random.random() < 0.3:
            rows.append((TableCell((self.paragraph(),), colspan=across),))
        return TableBlock(tuple(rows))

    def cell(self, *, is_header: bool) -> TableCell:
        return TableCell(tuple(self.paragraph() for _ in range(self.random.choice([1, 1, 2]))), is_header)

    def paragraph(self) -> ParagraphBlock:
        return ParagraphBlock(self.row(), self.align())

    def align(self) -> Alignment | None:
        return self.random.choice([None, None, None, *Alignment])

    def row(self, *, least: int = 0, plain: bool = False) -> InlineRow:
        """Inline content whose neighbours differ, and which neither begins nor ends with a break."""
        found: list[Inline] = []
        for _ in range(self.random.randint(least, 4)):
            item = self.inline(plain=plain)
            last = found[-1] if found else None
            if isinstance(item, LineBreak) and not isinstance(last, Words):
                continue
            if isinstance(last, Words) and isinstance(item, Words):
                item = Words(" " + item.text, item.marks)
                if last.marks == item.marks:
                    continue
            found.append(item)
        if found and isinstance(found[-1], LineBreak):
            found.pop()
        return tuple(found) if found or not least else (Words("Words"),)

    def inline(self, *, plain: bool) -> Inline:
        marks = PLAIN if plain else self.marks()
        words = Words(" ".join(self.random.choices(WORDS, k=self.random.randint(1, 3))), marks)
        tag = TagInText(self.random.choice(TAGS), marks)
        if plain:
            return self.random.choice([words, tag])
        picture = PictureInText(
            "https://example.com/a.png?x=1&y", "A “b” & c", None, self.random.choice([None, "120"]), marks=marks
        )
        return self.random.choice([words, words, words, tag, LineBreak(marks), picture])

    def marks(self) -> Marks:
        some = self.random.random
        link = Target(self.random.choice(ADDRESSES), "A title" if some() < 0.2 else None) if some() < 0.2 else None
        colour = self.random.choice([None, None, *TextColour]) if some() < 0.3 else None
        return Marks(link, some() < 0.05, colour, some() < 0.2, some() < 0.2, some() < 0.1, some() < 0.1)
