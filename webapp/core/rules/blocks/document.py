"""The document of a mail's body, as the design view knows it. All values are immutable, and equal where they say the same."""

from dataclasses import dataclass, field
from enum import StrEnum


class Alignment(StrEnum):
    """Where lines stand. The direction of the language decides where there is none."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


class TextColour(StrEnum):
    """A colour by what it is for, so that a brand and dark mode can each say which it is."""

    BRAND = "brand"
    MUTED = "muted"
    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads, with the other attributes that a source may give it."""

    href: str
    title: str | None = None
    target: str | None = None
    rel: str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """How words are set apart. `is_fill`: a part of a template that somebody still fills in."""

    link: Target | None = None
    is_fill: bool = False
    colour: TextColour | None = None
    is_bold: bool = False
    is_italic: bool = False
    is_underlined: bool = False
    is_struck: bool = False


PLAIN = Marks()


@dataclass(frozen=True, slots=True)
class Words:
    """Text without tags; blanks in a row are one, as in HTML."""

    text: str
    marks: Marks = PLAIN


@dataclass(frozen=True, slots=True)
class TagInText:
    """A tag or a condition, to the letter: `{{ first_name }}`, `{% if company %}`."""

    source: str
    marks: Marks = PLAIN


@dataclass(frozen=True, slots=True)
class LineBreak:
    marks: Marks = PLAIN


@dataclass(frozen=True, slots=True)
class PictureInText:
    """A picture; sizes are in CSS pixels, as they are written."""

    src: str
    alt: str | None = None
    title: str | None = None
    width: str | None = None
    height: str | None = None
    marks: Marks = PLAIN


Inline = Words | TagInText | LineBreak | PictureInText
InlineRow = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class ParagraphBlock:
    content: InlineRow = ()
    align: Alignment | None = None


@dataclass(frozen=True, slots=True)
class HeadingBlock:
    level: int
    content: InlineRow = ()
    align: Alignment | None = None


@dataclass(frozen=True, slots=True)
class ListBlock:
    """A list; each item begins with a paragraph. `start` is the first number of a numbered one."""

    items: tuple[tuple["Block", ...], ...]
    is_numbered: bool = False
    start: int = 1


@dataclass(frozen=True, slots=True)
class QuoteBlock:
    blocks: tuple["Block", ...]


@dataclass(frozen=True, slots=True)
class DividerBlock:
    pass


@dataclass(frozen=True, slots=True)
class ButtonBlock:
    """A link that looks like a button. Its words have no marks."""

    href: str
    content: InlineRow = ()


@dataclass(frozen=True, slots=True)
class TableCell:
    blocks: tuple[ParagraphBlock, ...]
    is_header: bool = False
    colspan: int = 1
    rowspan: int = 1


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table of facts. A row whose first cell begins with a condition or loop, and whose last cell ends with its end, is shown or
    repeated as a whole."""

    rows: tuple[tuple[TableCell, ...], ...]


@dataclass(frozen=True, slots=True)
class ColumnsBlock:
    """Two or three columns beside each other, which stand below each other on a phone."""

    columns: tuple[tuple["Block", ...], ...]


@dataclass(frozen=True, slots=True)
class SpacerBlock:
    """Room; `height` in CSS pixels."""

    height: int


@dataclass(frozen=True, slots=True)
class SocialBlock:
    """Links to where the business is found elsewhere: what is shown, and the address."""

    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class UnsubscribeBlock:
    """A small line with the link to decline."""

    content: InlineRow


@dataclass(frozen=True, slots=True)
class FooterBlock:
    """Small words at the end."""

    blocks: tuple[ParagraphBlock, ...]


@dataclass(frozen=True, slots=True)
class ForeignBlock:
    """HTML that the design view has no room for, kept to the letter."""

    html: str


Block = (
    ParagraphBlock
    | HeadingBlock
    | ListBlock
    | QuoteBlock
    | DividerBlock
    | ButtonBlock
    | TableBlock
    | ColumnsBlock
    | SpacerBlock
    | SocialBlock
    | UnsubscribeBlock
    | FooterBlock
    | ForeignBlock
)


@dataclass(frozen=True, slots=True)
class BlockDocument:
    blocks: tuple[Block, ...] = field(default=())
