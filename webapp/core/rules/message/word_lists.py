"""Lists as Word writes them: paragraphs that say `mso-list:l0 level1` and hold their own bullets. They become lists of HTML."""

import re
from dataclasses import dataclass
from html import unescape

_ATTRIBUTES = r'(?:\s[^\s=">]+="[^"]*")*'
_PARAGRAPH = re.compile(rf"<p({_ATTRIBUTES})>((?:(?!</?p[\s>]).)*)</p>", re.DOTALL)
_LEVEL = re.compile(r"mso-list:\s*l\d+\s+level(\d)", re.IGNORECASE)
_SPAN = re.compile(r"<(/?)span[\s>]")
_IGNORED = re.compile(r'<span style="mso-list:\s*Ignore;?">', re.IGNORECASE)
_OF_WORD = re.compile(r"\s*(?:mso-list|mso-add-space|margin(?:-\w+)?|text-indent|tab-stops)\s*:[^;]*;?", re.IGNORECASE)
_NUMBER = re.compile(r"\(?(\d{1,4}|[A-Za-z]{1,4})[.)]")


@dataclass(frozen=True, slots=True)
class _Item:
    level: int
    marker: str
    attributes: str
    inside: str

    @property
    def opening(self) -> str:
        """The list that begins with this item: one with numbers begins at its number."""
        number = _NUMBER.match(self.marker)
        if not number:
            return "<ul>"
        first = number[1]
        if first.isdigit():
            return f'<ol start="{first}">' if first != "1" else "<ol>"
        kind = ("i" if set(first.lower()) <= set("ivxl") and first.lower() != "l" else "a") if first else "1"
        return f'<ol type="{kind if first.islower() else kind.upper()}">'

    @property
    def closing(self) -> str:
        return f"</{self.opening[1:3]}>"


def as_lists(body: str) -> str:
    """Clean HTML with its runs of such paragraphs as lists; others stay as they are.

    >>> as_lists('<p style="mso-list:l0 level1 lfo1"><span style="mso-list:Ignore">·</span>one</p>')
    '<ul><li>one</li></ul>'
    """
    if "mso-list:" not in body:
        return body
    out: list[str] = []
    run: list[_Item] = []
    position = 0
    for match in _PARAGRAPH.finditer(body):
        item = _item(match[1], match[2])
        between = body[position : match.start()]
        if run and (item is None or between.strip()):
            out.append(_list(run))
            run = []
        if not run:
            out.append(between)
        if item:
            run.append(item)
        else:
            out.append(match[0])
        position = match.end()
    if run:
        out.append(_list(run))
    return "".join([*out, body[position:]])


def _item(attributes: str, inside: str) -> _Item | None:
    style = re.search(r'\sstyle="([^"]*)"', attributes)
    level = _LEVEL.search(style[1]) if style else None
    if style is None or level is None:
        return None
    rest = _OF_WORD.sub("", style[1]).strip()
    attributes = attributes.replace(style[0], f' style="{rest}"' if rest else "")
    marker, inside = _without_marker(inside)
    inside = re.sub(r"^\s*<span[^<>]*></span>", "", inside)
    return _Item(int(level[1]), marker, attributes, inside.strip())


def _without_marker(inside: str) -> tuple[str, str]:
    """The bullet or number, and the item without it."""
    begin = _IGNORED.search(inside)
    if not begin:
        return "", inside
    depth, end = 1, len(inside)
    for span in _SPAN.finditer(inside, begin.end()):
        depth += -1 if span[1] else 1
        if not depth:
            end = span.start()
            break
    marker = " ".join(unescape(re.sub(r"<[^>]*>", "", inside[begin.end() : end])).split())
    return marker, inside[: begin.start()] + inside[end:].removeprefix("</span>")


def _list(run: list[_Item]) -> str:
    out: list[str] = []
    opened: list[_Item] = []
    for item in run:
        while opened and opened[-1].level > item.level:
            out.append(f"</li>{opened.pop().closing}")
        if opened and opened[-1].level == item.level:
            out.append("</li>")
        else:
            out.append(item.opening)
            opened.append(item)
        out.append(f"<li{item.attributes}>{item.inside}")
    while opened:
        out.append(f"</li>{opened.pop().closing}")
    return "".join(out)
