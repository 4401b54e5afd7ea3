"""The grammar of tags: `{{ name | default: "there" }}`, conditions `{% if company %}…{% elsif … %}…{% else %}…{% endif %}`, `unless`, and
the loop `{% for service in services %}…{% endfor %}`.

A cut of Liquid: one flat name a tag, a few filters, conditions of `==`, `!=`, `contains`, `and`, `or` on flat texts, and one loop, in which
`service.domain` and `forloop.index` are names too. What stands between the braces is read by python-liquid; what is more than this cut is
refused in words of our own.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeVar

from liquid import Environment
from liquid.ast import Node
from liquid.builtin import expressions as liquid
from liquid.builtin.expressions import logical, primitive
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.exceptions import LiquidError
from liquid.expression import Expression

from webapp.core.rules.tags import filters
from webapp.core.rules.tags.nodes import MOST_ROWS, POSITION, ROW, TYPED, Block, Condition, Filter, Name, Output, Test

Read = TypeVar("Read", Output, Block)
Source = TypeVar("Source", bound=Node)


class TagError(Exception):
    """What stands between the braces cannot be read. `name` is the piece that is wrong, `suggestion` what was probably meant: a
    tag's name as somebody wrote it, or with `is_right` what may stand there as it is."""

    def __init__(self, message: str, name: str = "", suggestion: str | None = None, *, is_right: bool = False):
        super().__init__(message)
        self.name = name
        self.suggestion = suggestion
        self.is_right = is_right


_TYPOGRAPHIC_QUOTES = str.maketrans("“”„«»″", '""""""')
_SYNTAX = Environment()


def read_output(inner: str) -> Output:
    """What stands between `{{` and `}}`. Raises TagError. Whether the name exists is not asked here: `check()` does."""
    return _found(_read_output, inner)


def read_block(inner: str) -> Block:
    """What stands between `{%` and `%}`. Raises TagError."""
    return _found(_read_block, inner)


def _found(read: Callable[[str], Read], inner: str) -> Read:
    answer: Read | TagError = _either_quotes(read, inner)
    if isinstance(answer, TagError):
        raise TagError(str(answer), answer.name, answer.suggestion, is_right=answer.is_right)
    return answer


@lru_cache(maxsize=4096)
def _either_quotes(read: Callable[[str], Read], inner: str) -> Read | TagError:
    """Read as it is; if that fails, with the quotes that a word processor makes turned straight. Errors are answers, to be kept too."""
    try:
        return read(inner)
    except TagError as error:
        straight = inner.translate(_TYPOGRAPHIC_QUOTES)
        try:
            return error if straight == inner else read(straight)
        except TagError:
            return error


_KEYWORDS = "if, elsif, else, endif, unless, endunless, for, endfor"
_BARE_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*")
_LITERALS = frozenset({"true", "false", "nil", "null", "empty", "blank"})
_SEVERAL_WORDS = re.compile(r"[^\W\d]\w*(?:[ -]+\w+)+")


def _read_output(inner: str) -> Output:
    if _BARE_NAME.fullmatch(inner) and inner not in _LITERALS:
        return Output(inner)
    if not inner:
        raise TagError("There is no name between these braces.")
    words = inner.partition("|")[0].strip()
    if _SEVERAL_WORDS.fullmatch(words):
        joined = re.sub(r"[ -]+", "_", words)
        raise TagError(f"A tag’s name is one word: {words} has blanks or hyphens.", words, joined)
    expression = _liquid("{{", inner, "}}", OutputNode).expression
    if not isinstance(expression, liquid.FilteredExpression):
        raise TagError(f"{_quoted(inner)} is more than a tag can do here.")
    found = tuple(_filter(f) for f in expression.filters or ())
    if len(found) > filters.MOST_FILTERS:
        raise TagError(f"A tag has at most {filters.MOST_FILTERS} filters.")
    for late in found[1:]:
        if late.name in TYPED:
            raise TagError(f"The filter {late.name} stands first, right behind the tag’s name.", late.name)
    return Output(_name(expression.left, inner), found)


def _filter(found: liquid.Filter) -> Filter:
    if found.name == "escape":
        raise TagError(
            "The filter escape is not needed: values are always written so that they cannot become HTML.", "escape"
        )
    if found.name not in filters.FORMS:
        meant = filters.meant(found.name)
        hint = f" Did you mean {meant}?" if meant else ""
        known = ", ".join(filters.FORMS)
        raise TagError(f"There is no filter {found.name}.{hint} There are: {known}.", found.name, meant, is_right=True)
    read = Filter(found.name, tuple(_argument(found.name, argument) for argument in found.args))
    if wrong := filters.complaint(read):
        message, piece, meant = wrong
        hint = f" Did you mean {meant}?" if meant else ""
        raise TagError(f"{message}{hint}", piece, meant, is_right=True)
    return read


def _argument(name: str, found: liquid.KeywordArgument | liquid.PositionalArgument) -> str | int | Name:
    value = found.value if isinstance(found, liquid.PositionalArgument) else None
    match value:
        case liquid.StringLiteral() | primitive.IntegerLiteral():
            return value.value
        case liquid.Path():
            return Name(_name(value, str(value)))
        case None:
            raise TagError(f"The filter {name} takes {filters.FORMS[name].takes}: {filters.FORMS[name].example}.", name)
    raise TagError(f'The text after {name}: stands in quotes: {name}: "{value}".', name)


def _read_block(inner: str) -> Block:
    keyword, rest = [*inner.split(None, 1), "", ""][:2]
    match keyword:
        case "if" | "elsif":
            return Block(keyword, _condition(keyword, rest))
        case "unless":
            condition = _condition(keyword, rest)
            return Block(keyword, Condition(condition.tests, condition.joined_by, negated=True))
        case "else" if rest:
            raise TagError("{% else %} takes no condition; a further condition is {% elsif … %}.", "else")
        case "else" | "endif" | "endunless" | "endfor":
            return Block(keyword)
        case "for":
            return Block(keyword, limit=_rows(rest))
        case "elseif" | "elif":
            raise TagError("A further condition is {% elsif … %}.", keyword)
        case "":
            raise TagError("There is nothing between these braces.")
    raise TagError(f"{{% {keyword} %}} cannot be used here. There are: {_KEYWORDS}.", keyword)


_FOR = "{% for service in services %}"


def _rows(text: str) -> int:
    """How many services the loop shows at most."""
    if not text:
        raise TagError(f"A list of services begins with {_FOR}.", "for")
    loop = _liquid("{% for", text, "%}{% endfor %}", ForNode).expression
    if str(loop.iterable) != "services":
        raise TagError(f"Only services can be listed: {_FOR}.", str(loop.iterable), "services", is_right=True)
    if loop.identifier != "service":
        raise TagError(
            f"In a list each service is called service: {_FOR}.", str(loop.identifier), "service", is_right=True
        )
    if loop.offset is not None or loop.reversed:
        raise TagError(
            "A list of services begins with the one that is due next: it takes a limit, and nothing else.", "for"
        )
    if loop.limit is None:
        return MOST_ROWS
    if not isinstance(loop.limit, primitive.IntegerLiteral) or not 1 <= loop.limit.value <= MOST_ROWS:
        raise TagError(f"A list shows 1 to {MOST_ROWS} services: {{% for service in services limit: 10 %}}.", "limit")
    return loop.limit.value


def _condition(keyword: str, text: str) -> Condition:
    if not text:
        raise TagError(f"{{% {keyword} %}} needs a condition: {{% {keyword} company %}}.", keyword)
    boolean = _liquid("{% if", text, "%}{% endif %}", IfNode).condition
    if not isinstance(boolean, liquid.BooleanExpression):
        raise TagError(f"The condition {_quoted(text)} cannot be read.")
    joined: list[str] = []
    tests = tuple(_tests(boolean.expression, text, joined))
    if len(set(joined)) > 1:
        raise TagError("A condition joins with either “and” or “or”, not both: put one {% if %} into another.")
    return Condition(tests, "or" if "or" in joined else "and")


def _tests(expression: Expression, text: str, joined: list[str]) -> Iterator[Test]:
    match expression:
        case logical.LogicalAndExpression() | logical.LogicalOrExpression():
            joined.append("and" if isinstance(expression, logical.LogicalAndExpression) else "or")
            yield from _tests(expression.left, text, joined)
            yield from _tests(expression.right, text, joined)
        case logical.EqExpression():
            yield Test(_name(expression.left, text), "==", _operand(expression.right))
        case logical.NeExpression():
            yield Test(_name(expression.left, text), "!=", _operand(expression.right))
        case logical.ContainsExpression():
            yield Test(_name(expression.left, text), "contains", _operand(expression.right))
        case liquid.Path():
            name = _name(expression, text)
            yield Test("service_count", "!=", "0") if name == "services" else Test(name)
        case _:
            raise TagError(
                f'The condition {_quoted(text)} cannot be read. Compare with ==, != or contains: status == "Active".'
            )


def _operand(expression: Expression) -> str | Name:
    match expression:
        case liquid.StringLiteral():
            return expression.value
        case liquid.Path():
            return Name(_name(expression, str(expression)))
        case primitive.Empty() | primitive.Blank() | primitive.Nil():
            return ""
    raise TagError(f'What a tag is compared with stands in quotes: "{expression}".')


def _name(expression: Expression, text: str) -> str:
    if not isinstance(expression, liquid.Path):
        raise TagError(f"{_quoted(text)} does not begin with a tag’s name.")
    match expression.path:
        case [str(only)]:
            return only
        case [str(first), str(second)] if f"{first}." in (ROW, POSITION):
            return f"{first}.{second}"
    dotted = str(expression)
    raise TagError(f"{dotted} cannot be used: tags are single words.", dotted, dotted)


def _liquid(opening: str, inner: str, closing: str, kind: type[Source]) -> Source:
    """The one node of this kind that python-liquid makes of the source. Raises TagError with its complaint."""
    try:
        nodes = _SYNTAX.from_string(f"{opening} {inner} {closing}").nodes
    except LiquidError as error:
        raise TagError(_in_plain_words(inner, str(error.args[0]) if error.args else "")) from None
    if len(nodes) != 1 or not isinstance(nodes[0], kind):
        raise TagError(f"{_quoted(inner)} cannot be read.")
    return nodes[0]


def _in_plain_words(inner: str, complaint: str) -> str:
    for quote in "\"'":
        if inner.count(quote) % 2:
            return f"A quote is missing in {_quoted(inner)}."
    if re.match(r"not\b", inner):
        return "There is no “not” here: write {% unless company %}, or compare with != ."
    if inner.endswith("|"):
        return f"A filter is missing after the bar: {', '.join(filters.FORMS)}."
    if re.search(r"default\s*:\s*[^\"'\s]", inner):
        return 'The text after default: stands in quotes: {{ first_name | default: "there" }}.'
    if re.search(r"default\b(?!\s*:)", inner):
        return 'A colon is missing after default: {{ first_name | default: "there" }}.'
    if "=" in inner and not re.search(r"[=!]=", inner):
        return 'To compare, write two signs: status == "Active".'
    return f"{_quoted(inner)} cannot be read: {complaint}." if complaint else f"{_quoted(inner)} cannot be read."


def _quoted(text: str) -> str:
    return f"“{text}”" if len(text) <= 60 else f"“{text[:60]}…”"
