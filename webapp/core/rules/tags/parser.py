"""From a source to its tree of texts, slots and branches."""

import re
from collections.abc import Iterable, Sequence

from webapp.core.errors import Invalid
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.check import check
from webapp.core.rules.tags.expressions import TagError, read_block, read_output
from webapp.core.rules.tags.lexer import Token
from webapp.core.rules.tags.nodes import OPENING, Block, Branch, Condition, Escape, Loop, Nodes, Slot, Text, keys_in

Items = Sequence[str | Slot | Block]
"""A source in a row: what stands between the tags, the tags at their places, and the beginnings and ends of conditions."""


def parse(source: str, *, field: str) -> Nodes:
    """The tree of a subject ("subject") or of a plain text ("text"). Raises Invalid, with the first problem, where `check()` finds any.

    A line of a text that holds nothing but `{% … %}` is no line of the mail. In an address that is written out (https://…), values are
    percent-encoded, as in a link of HTML.
    """
    refuse_problems(source, field=field)
    items = trimmed(source, list(lexer.tokens(source, is_html=False)), whole_lines=field == "text")
    return nest(with_addresses(items))


def refuse_problems(source: str, *, field: str) -> None:
    """Raise Invalid with the first blocking problem of the source's tags, if there is one."""
    for problem in check(source, None, field=field):
        if problem.blocking:
            raise Invalid(f"Line {problem.line}, column {problem.column}: {problem.message}", field)


def read(token: Token) -> Slot | Block:
    """The tag that stands between the braces; its place is not known yet. Raises TagError."""
    if token.kind == "output":
        return Slot(read_output(token.inner), Escape.PLAIN)
    return read_block(token.inner)


def trimmed(source: str, tokens: Iterable[Token], *, whole_lines: bool) -> list[str | Slot | Block]:
    """The source in a row, without the blanks that `{{-` and `-}}` take away and, with `whole_lines`, without the lines that hold
    only conditions."""
    items: list[str | Slot | Block] = []
    position, eat_left = 0, False
    for token in tokens:
        if token.kind not in ("output", "block"):
            continue
        between = source[position : token.start]
        if eat_left:
            between = between.lstrip()
        if token.trim_left:
            between = between.rstrip()
        items += (between, read(token))
        position, eat_left = token.end, token.trim_right
    rest = source[position:]
    items.append(rest.lstrip() if eat_left else rest)
    return without_condition_lines(items) if whole_lines else items


_LINE_START = re.compile(r"(?:^|(?<=\n))[ \t]*\Z")
_LINE_END = re.compile(r"[ \t]*(?:\n|\Z)")


def without_condition_lines(items: list[str | Slot | Block]) -> list[str | Slot | Block]:
    """Texts stand at even places, tags at odd ones. A run of blocks alone on its line takes its line end along."""
    begin = 1
    while begin < len(items):
        end = begin
        while (
            isinstance(items[end], Block)
            and end + 2 < len(items)
            and isinstance(items[end + 2], Block)
            and _blank(items[end + 1])
        ):
            end += 2
        before, after = items[begin - 1], items[end + 1]
        assert isinstance(before, str) and isinstance(after, str)
        starts = _LINE_START.search(before) and (begin == 1 or "\n" in before)
        ends = _LINE_END.match(after) if end + 2 >= len(items) or "\n" in after else None
        if isinstance(items[begin], Block) and starts and ends:
            items[begin - 1] = before.rstrip(" \t")
            items[end + 1] = after[ends.end() :]
        begin = end + 2
    return items


def _blank(text: object) -> bool:
    return isinstance(text, str) and not text.strip(" \t")


_ADDRESS_OPEN = re.compile(r"https?://[^\s<>\"]*\Z", re.IGNORECASE)


def with_addresses(items: Items) -> list[str | Slot | Block]:
    """The row with the slots marked that stand in an address written out as text."""
    answer: list[str | Slot | Block] = []
    behind = ""
    for item in items:
        if isinstance(item, str):
            behind = (behind + item)[-2000:]
        elif isinstance(item, Slot):
            if _ADDRESS_OPEN.search(behind):
                item = Slot(item.output, Escape.URL)
            behind += "x"
        answer.append(item)
    return answer


def nest(items: Items) -> Nodes:
    """The tree of a row. Raises TagError where conditions do not begin and end in pairs."""
    nodes, rest = _until((), list(reversed(items)))
    if rest:
        raise TagError("A condition ends that has not begun.")
    return nodes


def _until(ends: tuple[str, ...], stack: list[str | Slot | Block]) -> tuple[Nodes, list[str | Slot | Block]]:
    """Nodes up to one of the keywords in `ends`, which is left on the stack."""
    nodes: list[Text | Slot | Branch | Loop] = []
    while stack:
        item = stack[-1]
        if isinstance(item, Block) and (item.keyword in ends or item.keyword not in OPENING):
            if item.keyword in ends:
                return tuple(nodes), stack
            raise TagError(f"{{% {item.keyword} %}} stands at a wrong place.")
        stack.pop()
        if isinstance(item, Block):
            nodes.append(_loop(item, stack) if item.keyword == "for" else _branch(item, stack))
        elif isinstance(item, Slot):
            nodes.append(item)
        elif nodes and isinstance(nodes[-1], Text):
            nodes[-1] = Text(nodes[-1].text + item)
        elif item:
            nodes.append(Text(item))
    if ends:
        raise TagError("A condition has no end.")
    return tuple(nodes), stack


def _branch(opening: Block, stack: list[str | Slot | Block]) -> Branch:
    end = OPENING[opening.keyword]
    arms: list[tuple[Condition, Nodes]] = []
    block, condition = opening, opening.condition
    while True:
        body, stack = _until(("elsif", "else", end) if condition else (end,), stack)
        if condition:
            arms.append((condition, body))
        else:
            otherwise = body
        last = stack.pop()
        assert isinstance(last, Block)  # at which _until stops
        block = last
        if block.keyword == end:
            return Branch(tuple(arms), otherwise if condition is None else ())
        condition = block.condition


def _loop(opening: Block, stack: list[str | Slot | Block]) -> Loop:
    body, stack = _until(("else", "endfor"), stack)
    last = stack.pop()
    otherwise: Nodes = ()
    if isinstance(last, Block) and last.keyword == "else":
        otherwise, stack = _until(("endfor",), stack)
        stack.pop()
    return Loop(body, otherwise, opening.limit)


def used(source: str, *, field: str = "html") -> tuple[str, ...]:
    """The names of the tags that the source uses, conditions and defaults included, each once, in the order of reading; "services" for a
    list of them. What cannot be read is left out."""
    names: dict[str, None] = {}
    for token in lexer.tokens(source, is_html=field == "html"):
        try:
            found = read(token) if token.kind in ("output", "block") else None
        except TagError:
            continue
        if isinstance(found, Slot):
            names |= dict.fromkeys(found.output.names())
        elif found and found.condition:
            names |= dict.fromkeys(found.condition.names())
        elif found and found.keyword == "for":
            names["services"] = None
    return tuple(name for name in names if "." not in name)


def keys_of(*trees: Nodes) -> tuple[str, ...]:
    """The keys of the values that the trees take, each once, in the order of reading; those of a loop's services included."""
    return tuple(dict.fromkeys(key for nodes in trees for key in keys_in(nodes)))
