"""Values of tags: made harmless, filtered, compared and escaped for the place they stand in."""

import re
from collections.abc import Callable, Sequence
from html import escape as html_escape
from urllib.parse import quote

from webapp.core.rules.tags.filters import ON_TEXT
from webapp.core.rules.tags.nodes import Condition, Escape, Filter, Name, Output, Test

Value = Callable[[Sequence[str]], str]
"""From the values of a message's tags, in their order, to one text."""

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SPECIAL = re.compile("[&<>\"']")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_BREAKS = frozenset("\t\n\v\f\r\x85\u2028\u2029")


def clean(value: str) -> str:
    """One line of text without control characters: tabs and line ends become blanks, other controls go, blanks at both ends too."""
    if not value.isprintable() and _CONTROLS.search(value):
        value = _CONTROLS.sub(lambda match: " " if match[0] in _BREAKS else "", value)
    return value.strip()


def escape(value: str, how: Escape) -> str:
    """The value as it may stand at its place.

    HTML: nothing in it can open an element, an entity or end a quoted attribute. URL: percent-encoded (RFC 3986 section 2.3: all but
    unreserved characters), so that it can neither end a path segment or query field nor, as the scheme is always static, begin another
    URL. MAIL_URL: the same, but for the @ of an address (RFC 6068).
    """
    if how is Escape.HTML:
        return html_escape(value) if _SPECIAL.search(value) else value
    if how is Escape.PLAIN:
        return value
    if _UNRESERVED.fullmatch(value):
        return value
    return quote(value, safe="@" if how is Escape.MAIL_URL else "")


def value_of(output: Output, order: Sequence[str]) -> Value:
    """A function that takes the values with the keys in `order` and gives what the tag says, not yet escaped."""
    index = order.index(output.key)
    steps = [_step(f, order) for f in output.steps]
    if not steps:
        return lambda values: values[index]
    if len(steps) == 1:
        only = steps[0]
        return lambda values: only(values[index], values)

    def stepwise(values: Sequence[str]) -> str:
        value = values[index]
        for step in steps:
            value = step(value, values)
        return value

    return stepwise


def _step(found: Filter, order: Sequence[str]) -> Callable[[str, Sequence[str]], str]:
    function, arguments = ON_TEXT[found.name], found.arguments
    match arguments:
        case ():
            return lambda value, _values: function(value)
        case (Name(name),):
            index = order.index(name)
            return lambda value, values: function(value, values[index])
        case (only,):
            return lambda value, _values: function(value, only)
    return lambda value, _values: function(value, *arguments)


def holds(condition: Condition, order: Sequence[str]) -> Callable[[Sequence[str]], bool]:
    """A function that takes the values of the tags named in `order` and tells whether the condition is met."""
    tests = [_test(test, order) for test in condition.tests]
    joined, negated = (all if condition.joined_by == "and" else any), condition.negated
    if len(tests) == 1:
        only = tests[0]
        return (lambda values: not only(values)) if negated else only
    return lambda values: joined(test(values) for test in tests) is not negated


def _test(test: Test, order: Sequence[str]) -> Callable[[Sequence[str]], bool]:
    left, operand = order.index(test.name), test.operand
    if test.operator == "filled":
        return lambda values: values[left] != ""
    if isinstance(operand, Name):
        right = order.index(operand.name)
        match test.operator:
            case "==":
                return lambda values: values[left] == values[right]
            case "!=":
                return lambda values: values[left] != values[right]
        return lambda values: values[right] in values[left]
    match test.operator:
        case "==":
            return lambda values: values[left] == operand
        case "!=":
            return lambda values: values[left] != operand
    return lambda values: operand in values[left]
