"""How a content uses its tags: where an empty value would leave a blank, and where something stands in for it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from webapp.core.errors import Invalid
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.expressions import TagError
from webapp.core.rules.tags.names import BY_NAME
from webapp.core.rules.tags.nodes import Block, Branch, Condition, Loop, Name, Nodes, Output, Slot, Test
from webapp.core.rules.tags.parser import nest, read, refuse_problems


@dataclass(frozen=True, slots=True)
class TagUse:
    """One place where a tag's value is written. `chain` is the tag and then the tags that stand in for it one after another; `covered` says
    that no recipient finds a blank there: a text stands in at last, or a condition around it asks whether there is a value. `limit` is how
    many services a list shows at most."""

    chain: tuple[str, ...]
    covered: bool
    limit: int | None = None

    @property
    def name(self) -> str:
        return self.chain[0]


def uses(source: str, *, field: str) -> tuple[TagUse, ...]:
    """Every use in a subject, HTML or text, in the order of reading. What cannot be read is left out, and so are names that are no tags;
    while conditions are not in order, they are not looked at."""
    tokens = [token for token in lexer.tokens(source, is_html=field == "html") if token.kind in ("output", "block")]
    found: list[str | Slot | Block] = []
    position = 0
    for token in tokens:
        found.append(source[position : token.start].strip())
        position = token.end
        with suppress(TagError):
            found.append(read(token))
    try:
        refuse_problems(source, field=field)
        nodes = nest(found)
    except (Invalid, TagError):
        nodes = tuple(item for item in found if isinstance(item, Slot))
    return tuple(use for use in _uses(nodes, frozenset()) if use.name in BY_NAME)


def _uses(nodes: Nodes, filled: frozenset[str]) -> Iterator[TagUse]:
    """`filled` are the tags of which the conditions around say that they are not empty."""
    for node in nodes:
        if isinstance(node, Slot):
            yield _use(node.output, filled)
        elif isinstance(node, Branch):
            for condition, body in node.arms:
                yield from _uses(body, filled | _filled_where(condition))
            yield from _uses(node.otherwise, filled | _filled_where_not(node.arms[0][0]))
        elif isinstance(node, Loop):
            yield TagUse(("services",), bool(node.otherwise) or "services" in filled, node.limit)
            yield from _uses(node.body, filled | {"services"})
            yield from _uses(node.otherwise, filled)


def _use(output: Output, filled: frozenset[str]) -> TagUse:
    chain, covered = [output.name], False
    for step in output.filters:
        if step.name != "default":
            continue
        (instead,) = step.arguments
        if isinstance(instead, Name):
            chain.append(instead.name)
        elif instead:
            covered = True
    return TagUse(tuple(chain), covered or bool(filled & set(chain)))


def _filled_where(condition: Condition) -> frozenset[str]:
    """The tags that have a value wherever the condition holds."""
    if condition.negated or (condition.joined_by == "or" and len(condition.tests) > 1):
        return frozenset()
    return frozenset(
        "services" if _asks_for_services(test) else test.name
        for test in condition.tests
        if test.operator == "filled"
        or _asks_for_services(test)
        or (test.operator == "!=" and test.operand == "")
        or (test.operator in ("==", "contains") and isinstance(test.operand, str) and test.operand)
    )


def _asks_for_services(test: Test) -> bool:
    return (test.name, test.operator, test.operand) == ("service_count", "!=", "0")


def _filled_where_not(condition: Condition) -> frozenset[str]:
    """The tags that have a value wherever the condition does not hold: `{% unless company %}…{% else %}`, `{% if company == "" %}`."""
    if len(condition.tests) != 1:
        return frozenset()
    (test,) = condition.tests
    if condition.negated and test.operator == "filled":
        return frozenset({test.name})
    if not condition.negated and test.operator == "==" and test.operand == "":
        return frozenset({test.name})
    return frozenset()
