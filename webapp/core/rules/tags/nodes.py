"""What a tagged source is made of: texts, slots for values, branches with their conditions, and loops over services."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

MOST_ROWS = 100
"""A mail shows no more of a client's services than these, whatever a loop asks for."""


@dataclass(frozen=True, slots=True)
class Name:
    """A tag's value as an operand."""

    name: str


def literal(operand: "str | int | Name") -> str:
    """An argument or operand as it is written in a source."""
    if isinstance(operand, Name):
        return operand.name
    if isinstance(operand, int):
        return str(operand)
    quote = "'" if '"' in operand else '"'
    return f"{quote}{operand}{quote}"


TYPED = frozenset({"date", "money", "plural"})
"""Filters that work on a day, an amount or a number, not on a text. They stand first, and are part of what a value is: whoever reads the
values writes them, in the recipient's language."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`default: "there"`: a filter and what stands behind its colon. `filters.FORMS` says what each one takes."""

    name: str
    arguments: tuple[str | int | Name, ...] = ()

    @property
    def source(self) -> str:
        return f"{self.name}: {', '.join(map(literal, self.arguments))}" if self.arguments else self.name


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ name | filter | filter: "text" }}`."""

    name: str
    filters: tuple[Filter, ...] = ()

    def names(self) -> Iterator[str]:
        yield self.name
        yield from (one.name for found in self.filters for one in found.arguments if isinstance(one, Name))

    @property
    def source(self) -> str:
        return " | ".join([self.name, *(found.source for found in self.filters)])

    @property
    def key(self) -> str:
        """Which value this takes: the tag's name, with a typed filter behind it as the source has it."""
        return Output(self.name, self.filters[:1]).source if self._is_typed else self.name

    @property
    def steps(self) -> tuple[Filter, ...]:
        """The filters that work on the value's text."""
        return self.filters[1:] if self._is_typed else self.filters

    @property
    def _is_typed(self) -> bool:
        return bool(self.filters) and self.filters[0].name in TYPED


@dataclass(frozen=True, slots=True)
class Test:
    """`name`, or a comparison of a tag with a text or another tag. `filled` is the bare name: true when the value is not empty."""

    __test__ = False

    name: str
    operator: Literal["filled", "==", "!=", "contains"] = "filled"
    operand: str | Name = ""

    def names(self) -> Iterator[str]:
        yield self.name
        if isinstance(self.operand, Name):
            yield self.operand.name


@dataclass(frozen=True, slots=True)
class Condition:
    """Tests joined by one and the same word; `negated` for `unless`."""

    tests: tuple[Test, ...]
    joined_by: Literal["and", "or"] = "and"
    negated: bool = False

    def names(self) -> Iterator[str]:
        for test in self.tests:
            yield from test.names()


@dataclass(frozen=True, slots=True)
class Block:
    """One `{% … %}`. `condition` belongs to if, unless and elsif, `limit` to for."""

    keyword: Literal["if", "unless", "elsif", "else", "endif", "endunless", "for", "endfor"]
    condition: Condition | None = None
    limit: int = MOST_ROWS


OPENING = MappingProxyType({"if": "endif", "unless": "endunless", "for": "endfor"})
"""The blocks that something must end, and what ends them."""


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between the tags, as it goes into the part."""

    text: str


class Escape(StrEnum):
    """How a value is written at the place where its tag stands: see `values.escape`."""

    PLAIN = "plain"
    HTML = "html"
    URL = "url"
    MAIL_URL = "mail_url"


@dataclass(frozen=True, slots=True)
class Slot:
    """A tag at its place."""

    output: Output
    escape: Escape


@dataclass(frozen=True, slots=True)
class Branch:
    """A condition with its arms: the first whose condition holds is taken, else `otherwise`."""

    arms: "tuple[tuple[Condition, Nodes], ...]"
    otherwise: "Nodes" = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """`body` once for each of a client's matching services, at most `limit` times; `otherwise` where there is none."""

    body: "Nodes"
    otherwise: "Nodes" = ()
    limit: int = MOST_ROWS


Nodes = tuple[Text | Slot | Branch | Loop, ...]

ROW = "service."
"""What the fields of a service are called inside a loop begins so."""

POSITION = "forloop."
"""And what says at which service a loop is."""


def outputs_in(nodes: Nodes) -> Iterator[Output]:
    """Every output in the tree, and for each name in a condition an output of it alone, in the order of reading."""
    for node in nodes:
        if isinstance(node, Slot):
            yield node.output
        elif isinstance(node, Branch):
            for condition, body in node.arms:
                yield from (Output(name) for name in condition.names())
                yield from outputs_in(body)
            yield from outputs_in(node.otherwise)
        elif isinstance(node, Loop):
            yield from outputs_in(node.body)
            yield from outputs_in(node.otherwise)


def names_in(nodes: Nodes) -> Iterator[str]:
    """Every name in the tree, conditions, defaults and fields of a service included, in the order of reading; repeated as often as used."""
    for output in outputs_in(nodes):
        yield from output.names()


def keys_in(nodes: Nodes) -> Iterator[str]:
    """The key of every value that the tree takes, in the order of reading; repeated as often as used."""
    for output in outputs_in(nodes):
        yield output.key
        yield from list(output.names())[1:]


def loops_in(nodes: Nodes) -> Iterator[Loop]:
    """Every loop in the tree. None stands in another."""
    for node in nodes:
        if isinstance(node, Loop):
            yield node
        elif isinstance(node, Branch):
            for _, body in node.arms:
                yield from loops_in(body)
            yield from loops_in(node.otherwise)


def rows_key(loops: Iterable[Loop], keys: Iterable[str]) -> str:
    """The key of the one value that all loops of a message take: how many services at most, and which of their fields."""
    fields = dict.fromkeys(key.removeprefix(ROW) for key in keys if key.startswith(ROW))
    return f"services: {json.dumps([max(loop.limit for loop in loops), list(fields)], ensure_ascii=False)}"


def read_rows_key(key: str) -> tuple[int, list[str]] | None:
    """What `rows_key` has put into a key; None for the key of another value."""
    if not key.startswith("services: "):
        return None
    limit, fields = json.loads(key.removeprefix("services: "))
    return limit, fields
