"""Styles go inline: each element gets the declarations of the rules that match it, for the mail programs that read no style sheets.

Which rules match an element is css-inline's to say. Which declaration wins is decided here by the cascade (CSS Cascading 4, section 6),
because a rule may give several values for one property, of which a mail program takes the last that it understands.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import css_inline
import tinycss2
from tinycss2 import ast

from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.message import css

_FOR_SCREENS = re.compile(r"\s*(?:(?:only\s+)?(?:all|screen))?\s*", re.IGNORECASE)
_STANDS_STILL = frozenset(
    {
        "first-child", "last-child", "only-child", "nth-child", "nth-last-child", "first-of-type", "last-of-type", "only-of-type",
        "nth-of-type", "nth-last-of-type", "not", "empty", "is", "where",
    }
)  # fmt: skip
"""Pseudo-classes that follow from the document alone. Others (`:hover`, `:root` …) stay in the style sheet."""

Declared = dict[str, list[str]]
"""Values by property, several where a rule gives several, in the order in which they are written."""


@dataclass(slots=True)
class Sheet:
    """One style element: its text, its `media`, and whether a guard such as `<!--[if !mso]><!-->` keeps it from some mail programs: then,
    as with media of other kinds than screens, nothing of it goes inline. `rest` is what stays of it."""

    text: str
    media: str = ""
    guarded: bool = False
    rest: str = ""

    @property
    def goes_inline(self) -> bool:
        return not self.guarded and any(map(_FOR_SCREENS.fullmatch, self.media.split(",")))


@dataclass(slots=True)
class _Rule:
    """A rule with one selector. `order` is its place among all, `matched` whether any element has it."""

    selector: str
    specificity: tuple[int, int, int]
    order: int
    normal: Declared
    important: Declared
    matched: bool = False


@dataclass(slots=True)
class _RuleParts:
    """A rule of a sheet in its parts: selectors that go inline, and those that stay where they are."""

    node: ast.Node
    inline: list[_Rule] = field(default_factory=list)
    staying: list[str] = field(default_factory=list)


def inlined(root: str, body: str, sheets: Sequence[Sheet]) -> str:
    """The body (its tags included) with the sheets' rules in the style attributes of its elements. `root` are the attributes of the html
    element as written. Fills each sheet's `rest`. Raises Invalid."""
    css.refuse_too_much(sheet.text for sheet in sheets)
    nodes = [css.rules(sheet.text) for sheet in sheets]
    variables = _variables(
        node for sheet, found in zip(sheets, nodes, strict=True) if sheet.goes_inline for node in found
    )
    kept = [
        [_parts(node, sheet.goes_inline, variables) for node in found]
        for sheet, found in zip(sheets, nodes, strict=True)
    ]
    rules = [rule for parts in kept for part in parts for rule in part.inline]
    for order, rule in enumerate(rules):
        rule.order = order
    if rules:
        body = _matched(root, body, rules)
    for sheet, parts in zip(sheets, kept, strict=True):
        sheet.rest = "\n".join(filter(None, map(_rest, parts)))
    return body


def _variables(nodes: Iterable[ast.Node]) -> dict[str, str]:
    """Custom properties of the root with their values, for mail programs that know none."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.QualifiedRule) and tinycss2.serialize(node.prelude).strip().lower() in (
            ":root",
            "html",
        ):
            for item in tinycss2.parse_blocks_contents(node.content):
                if isinstance(item, ast.Declaration) and item.name.startswith("--"):
                    found[item.name] = css.written(item.value).strip()
    return found


_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*))?\)")


def _resolved(value: str, variables: dict[str, str]) -> str | None:
    """The value with those of variables written out; None where there is none, or one has no value."""
    if "var(" not in value:
        return None
    for _ in range(5):
        value = _VARIABLE.sub(lambda match: variables.get(match[1], (match[2] or "").strip() or match[0]), value)
        if "var(" not in value:
            return value
        if len(value) > 1000:
            break
    return None


def _parts(node: ast.Node, goes_inline: bool, variables: dict[str, str]) -> _RuleParts:
    if not goes_inline or not isinstance(node, ast.QualifiedRule):
        return _RuleParts(node)
    declared = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
    if not declared or not all(isinstance(item, (ast.Declaration, ast.ParseError)) for item in declared):
        return _RuleParts(node)  # nested rules
    normal: Declared = {}
    important: Declared = {}
    for item in declared:
        if isinstance(item, ast.Declaration):
            name = item.name if item.name.startswith("--") else item.lower_name
            values = (important if item.important else normal).setdefault(name, [])
            value = css.written(item.value).strip()
            stand_in = _resolved(value, variables)
            values += [one for one in (stand_in, value) if one is not None and one not in values]
    found = _RuleParts(node)
    for selector in _split(node.prelude):
        text = css.written(selector).strip()
        specificity = _specificity(selector)
        if specificity is None or not text:
            found.staying.append(text)
        else:
            found.inline.append(_Rule(text, specificity, 0, normal, important))
    return found


def _rest(part: _RuleParts) -> str:
    """What stays of a rule: all of one that is not for inlining; the selectors that match nothing now, as they may in a mail program; and
    those with `!important`, which must go on winning over other rules that stay."""
    if not part.inline and not part.staying:
        return css.written([part.node])
    staying = set(part.staying) | {rule.selector for rule in part.inline if not rule.matched or rule.important}
    ordered = [text for selector in _split(part.node.prelude) if (text := css.written(selector).strip()) in staying]
    return f"{','.join(ordered)}{{{css.written(part.node.content)}}}" if ordered else ""


def _split(prelude: Sequence[ast.Node]) -> Iterator[list[ast.Node]]:
    selector: list[ast.Node] = []
    for token in prelude:
        if token == ",":
            yield selector
            selector = []
        else:
            selector.append(token)
    yield selector


def _specificity(selector: Sequence[ast.Node]) -> tuple[int, int, int] | None:
    """How specific a selector is (Selectors 4, section 17); None for one that cannot go inline: of the root, of a state such as `:hover`,
    of a part that is no element."""
    ids = classes = types = 0
    last_type = ""
    before: ast.Node | None = None
    for token in selector:
        if isinstance(token, ast.HashToken):
            ids += 1
        elif isinstance(token, ast.SquareBracketsBlock):
            classes += 1
        elif isinstance(token, (ast.IdentToken, ast.FunctionBlock)) and before == ":":
            name = token.lower_value if isinstance(token, ast.IdentToken) else token.lower_name
            if name not in _STANDS_STILL:
                return None
            inner = (
                [_specificity(one) for one in _split(token.arguments)]
                if name in ("not", "is", "where")
                else [(0, 1, 0)]
            )
            if None in inner:
                return None
            if name != "where":
                most = max(found for found in inner if found is not None)
                ids, classes, types = ids + most[0], classes + most[1], types + most[2]
        elif isinstance(token, ast.IdentToken):
            if before == ".":
                classes += 1
            else:
                types += 1
                last_type = token.lower_value
        elif isinstance(token, (ast.WhitespaceToken, ast.LiteralToken)) and last_type == "html":
            last_type = ""
        before = token
    if last_type in ("html", "head"):
        return None
    return ids, classes, types


_ID = re.compile(r"--r(\d+): ?1")
_OWN = re.compile(r"--o(\d+): ?1")


def _matched(root: str, body: str, rules: Sequence[_Rule]) -> str:
    """The body after css-inline has told, by a property of its own for each rule, which rules match which element."""
    own: list[str] = []
    sheet = "".join(f"{rule.selector}{{--r{rule.order}:1}}" for rule in rules)
    try:
        done = css_inline.inline(
            f"<!DOCTYPE html><html{root}><head><style>{sheet}</style></head>{_own_styles_aside(body, own)}</html>",
            keep_style_tags=False,
            load_remote_stylesheets=False,
        )
    except css_inline.InlineError as error:
        raise Invalid(f"The style sheet of this HTML cannot be read: {error}", "html") from None
    start = done.index("<body")
    out: list[str] = []
    position = start
    styles: dict[tuple[tuple[int, ...], int], str] = {}
    for match in _STYLED.finditer(done, start):
        ids = tuple(sorted({int(number) for number in _ID.findall(match[1])}))
        ours = _OWN.search(match[1])
        key = (ids, int(ours[1]) if ours else -1)
        if key not in styles:
            for number in ids:
                rules[number].matched = True
            styles[key] = _cascade([rules[number] for number in ids], own[key[1]] if ours else "")
        out += (done[position : match.start()], f' style="{markup.quoted(styles[key])}"')
        position = match.end()
    return "".join([*out, done[position:]]).removesuffix("</html>")


_STYLED = re.compile(r' style="((?:--[ro]\d+: ?1;? ?)+)"')


_WITH_STYLE = re.compile(r'(<[a-z][^\s>]*(?:\s(?!style=)[^\s="<>]+="[^"]*")*\sstyle=")([^"]*)')


def _own_styles_aside(body: str, own: list[str]) -> str:
    """The body, well-formed as it is, with a word in place of each style attribute's value; the values go into `own`."""

    def aside(match: re.Match[str]) -> str:
        own.append(markup.meant(match[2]))
        return f"{match[1]}--o{len(own) - 1}:1"

    return _WITH_STYLE.sub(aside, body)


def _cascade(rules: Sequence[_Rule], own: str) -> str:
    """The value of an element's style attribute: what wins, in the order in which it wins, with the values that stand in for it. `own` is
    what its attribute says, which stays as it is written."""
    rules = sorted(rules, key=lambda rule: (rule.specificity, rule.order))
    result: Declared = {}
    for rule in rules:
        _override(result, rule.normal)
    for name in css.names(own):
        if (name in result) and not _may_fail(own):
            del result[name]
    important: Declared = {}
    for rule in rules:
        _override(important, rule.important)
    for name in important:
        if not _may_fail("".join(important[name])):
            result.pop(name, None)
    before, after = _written(result), _written(important)
    if not before and not after:
        return own
    own = own.strip()
    return before + (f"{own.removesuffix(';')};" if own else "") + after


def _override(result: Declared, stronger: Declared) -> None:
    for name, values in stronger.items():
        weaker = result.pop(name, [])
        stand_in = weaker if all(map(_may_fail, values)) else []
        result[name] = [value for value in stand_in if value not in values] + values


def _may_fail(value: str) -> bool:
    """Whether a mail program may not understand the value, and take an earlier one: gradients, var(), min()."""
    return "(" in value and not value.lower().startswith(("rgb(", "url("))


def _written(declared: Declared) -> str:
    return "".join(f"{name}: {value};" for name, values in declared.items() for value in values)
