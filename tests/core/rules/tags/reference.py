"""Tags rendered by python-liquid itself: the general way, by which the compiled way of `rules/message` is measured."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache

from liquid import Environment, FalsyStrictUndefined, Mode
from liquid.builtin.content import Literal
from liquid.builtin.illegal import Illegal
from liquid.builtin.output import Output as OutputTag
from liquid.builtin.tags.for_tag import ForTag
from liquid.builtin.tags.if_tag import IfTag
from liquid.builtin.tags.unless_tag import UnlessTag
from markupsafe import Markup

from webapp.core.rules.tags import filters, values
from webapp.core.rules.tags.nodes import (
    MOST_ROWS,
    Branch,
    Condition,
    Escape,
    Loop,
    Nodes,
    Output,
    Slot,
    Test,
    Text,
    literal,
)
from webapp.core.rules.tags.parser import parse


class _Cut(Environment):
    """Liquid with output, if, unless and for, the filters on texts and the escapes; no assignment, no inclusion, and limits."""

    block_nesting_limit = 30
    output_stream_limit = 20_000_000
    loop_iteration_limit = MOST_ROWS
    local_namespace_limit = 0
    suppress_blank_control_flow_blocks = False

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in (Literal, OutputTag, Illegal, IfTag, UnlessTag, ForTag):
            self.add_tag(tag)
        for name, function in filters.ON_TEXT.items():
            self.add_filter(name, _on_text(function))
        for how in Escape:
            self.add_filter(f"as_{how.value}", lambda value, how=how: Markup(values.escape(_plain(value), how)))


def _on_text(function: Callable[..., str]) -> Callable[..., str]:
    """The filter with its texts as they are. Where values are escaped, Liquid takes a text between quotes for HTML, and whatever is put
    together with it would be escaped on the way, before the escape at the end."""
    return lambda value, *others: function(
        _plain(value), *(_plain(one) if isinstance(one, str) else one for one in others)
    )


def _plain(value: object) -> str:
    return str.__str__(value) if isinstance(value, str) else str(value)


_PLAIN = _Cut(tolerance=Mode.STRICT, undefined=FalsyStrictUndefined, autoescape=False)
_HTML = _Cut(tolerance=Mode.STRICT, undefined=FalsyStrictUndefined, autoescape=True)


def render(source: str, tag_values: Mapping[str, object], *, field: str = "text") -> str:
    """A subject or a plain text with the values filled in. Raises Invalid for a source with problems, KeyError for a missing value."""
    return render_nodes(parse(source, field=field), tag_values)


def render_nodes(nodes: Nodes, tag_values: Mapping[str, object]) -> str:
    """The tree with the values filled in, cleaned and escaped as their places demand. Nothing else in it is changed. `services` is a list
    of mappings from a field to its value."""
    template = _template(nodes)
    return template.render(**{name: _cleaned(value) for name, value in tag_values.items()})


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return values.clean(value)
    assert isinstance(value, list)
    return [{field: values.clean(said) for field, said in service.items()} for service in value]


@lru_cache(maxsize=64)
def _template(nodes: Nodes):
    environment = _HTML if any(slot.escape is not Escape.PLAIN for slot in _slots(nodes)) else _PLAIN
    return environment.from_string(to_source(nodes))


def _slots(nodes: Nodes):
    for node in nodes:
        if isinstance(node, Slot):
            yield node
        elif isinstance(node, Branch):
            for _, body in node.arms:
                yield from _slots(body)
            yield from _slots(node.otherwise)
        elif isinstance(node, Loop):
            yield from _slots(node.body)
            yield from _slots(node.otherwise)


def to_source(nodes: Nodes) -> str:
    """The tree as Liquid writes it, every value with its escape, and a bare name in a condition as what it means: not empty."""
    out = []
    for node in nodes:
        if isinstance(node, Text):
            out.append(node.text.replace("{", "{{ '{' }}"))
        elif isinstance(node, Slot):
            out.append(f"{{{{ {_output(node.output)} | as_{node.escape.value} }}}}")
        elif isinstance(node, Loop):
            otherwise = f"{{% else %}}{to_source(node.otherwise)}" if node.otherwise else ""
            rows = f"{{% for service in services limit: {node.limit} %}}"
            out.append(f"{rows}{to_source(node.body)}{otherwise}{{% endfor %}}")
        else:
            for number, (condition, body) in enumerate(node.arms):
                keyword = "elsif" if number else "unless" if condition.negated else "if"
                out.append(f"{{% {keyword} {_condition(condition)} %}}{to_source(body)}")
            end = "endunless" if node.arms[0][0].negated else "endif"
            out.append(f"{{% else %}}{to_source(node.otherwise)}{{% {end} %}}")
    return "".join(out)


def of_date(day: date, pattern: str) -> str:
    """A day as Liquid's own filter writes it."""
    return (
        Environment()
        .from_string("{{ day | date: pattern }}")
        .render(day=datetime(day.year, day.month, day.day), pattern=pattern)
    )


def _output(output: Output) -> str:
    return " | ".join([output.name, *(step.source for step in output.steps)])


def _condition(condition: Condition) -> str:
    return f" {condition.joined_by} ".join(_test(test) for test in condition.tests)


def _test(test: Test) -> str:
    if test.name in ("forloop.first", "forloop.last"):
        return test.name
    if test.operator == "filled":
        return f"{test.name} != ''"
    return f"{test.name} {test.operator} {literal(test.operand)}"
