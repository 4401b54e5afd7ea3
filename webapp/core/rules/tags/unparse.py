"""From a tree back to a source that reads as the tree it came from: for a text part that is made from HTML and then edited by hand."""

from webapp.core.rules.tags.nodes import MOST_ROWS, Condition, Loop, Nodes, Slot, Test, Text, literal


def source_of(nodes: Nodes) -> str:
    """The text with its tags between braces.

    >>> from webapp.core.rules.tags.nodes import Escape, Filter, Output
    >>> source_of((Text("Hi "), Slot(Output("first_name", (Filter("default", ("there",)),)), Escape.PLAIN)))
    'Hi {{ first_name | default: "there" }}'
    """
    out: list[str] = []
    for node in nodes:
        if isinstance(node, Text):
            out.append(node.text)
        elif isinstance(node, Slot):
            out.append(f"{{{{ {node.output.source} }}}}")
        elif isinstance(node, Loop):
            out += (loop_start(node.limit), source_of(node.body))
            if node.otherwise:
                out += ("{% else %}", source_of(node.otherwise))
            out.append("{% endfor %}")
        else:
            (first, body), *others = node.arms
            word = "unless" if first.negated else "if"
            out += (f"{{% {word} {_condition(first)} %}}", source_of(body))
            for condition, arm in others:
                out += (f"{{% elsif {_condition(condition)} %}}", source_of(arm))
            if node.otherwise:
                out += ("{% else %}", source_of(node.otherwise))
            out.append(f"{{% end{word} %}}")
    return "".join(out)


def loop_start(limit: int = MOST_ROWS) -> str:
    """The beginning of a list of services."""
    return "{% for service in services %}" if limit == MOST_ROWS else f"{{% for service in services limit: {limit} %}}"


def _condition(condition: Condition) -> str:
    return f" {condition.joined_by} ".join(_test(test) for test in condition.tests)


def _test(test: Test) -> str:
    return test.name if test.operator == "filled" else f"{test.name} {test.operator} {literal(test.operand)}"
