"""From a tree back to a source that reads as the tree it came from: for a text part that is made from HTML and then edited by hand."""

from webapp.core.rules.tags.nodes import Condition, Filter, Name, Nodes, Output, Slot, Test, Text


def source_of(nodes: Nodes) -> str:
    """The text with its tags between braces.

    >>> source_of((Text("Hi "), Slot(Output("first_name", (Filter("default", "there"),)), Escape.PLAIN)))
    'Hi {{ first_name | default: "there" }}'
    """
    out: list[str] = []
    for node in nodes:
        if isinstance(node, Text):
            out.append(node.text)
        elif isinstance(node, Slot):
            out.append(f"{{{{ {_output(node.output)} }}}}")
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


def _output(output: Output) -> str:
    return " | ".join([output.name, *(_filter(found) for found in output.filters)])


def _filter(found: Filter) -> str:
    return found.name if found.argument is None else f"{found.name}: {_operand(found.argument)}"


def _condition(condition: Condition) -> str:
    return f" {condition.joined_by} ".join(_test(test) for test in condition.tests)


def _test(test: Test) -> str:
    return test.name if test.operator == "filled" else f"{test.name} {test.operator} {_operand(test.operand)}"


def _operand(operand: str | Name) -> str:
    if isinstance(operand, Name):
        return operand.name
    quote = "'" if '"' in operand else '"'
    return f"{quote}{operand}{quote}"
