"""What a tagged source is made of: texts, slots for values, and branches with their conditions."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Name:
    """A tag's value as an operand."""

    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    """`default` takes a text or another tag, `upcase`, `downcase` and `capitalize` nothing."""

    name: str
    argument: str | Name | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ name | filter | filter: "text" }}`."""

    name: str
    filters: tuple[Filter, ...] = ()

    def names(self) -> Iterator[str]:
        yield self.name
        yield from (f.argument.name for f in self.filters if isinstance(f.argument, Name))


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
    """One `{% … %}`. `condition` belongs to if, unless and elsif."""

    keyword: Literal["if", "unless", "elsif", "else", "endif", "endunless"]
    condition: Condition | None = None


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


Nodes = tuple[Text | Slot | Branch, ...]


def names_in(nodes: Nodes) -> Iterator[str]:
    """Every tag's name in the tree, conditions and defaults included, in the order of reading; repeated as often as used."""
    for node in nodes:
        if isinstance(node, Slot):
            yield from node.output.names()
        elif isinstance(node, Branch):
            for condition, body in node.arms:
                yield from condition.names()
                yield from names_in(body)
            yield from names_in(node.otherwise)
