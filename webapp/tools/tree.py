"""`python3 -m webapp.tools.tree`: figures and tree of the house, as in docs/architecture.md; `--write` renews them there."""

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from webapp.paths import ROOT
from webapp.tools.imports import circles, graph, modules, upward

DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- made by python3 -m webapp.tools.tree --write -->\n", "<!-- end -->\n"
OURS = ("webapp", "jobs")
LONG = 50
"""Lines of a function from which on it is counted as a long one."""


def main(arguments: Sequence[str]) -> int:
    made = text()
    if list(arguments) == ["--write"]:
        before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
        DOCUMENT.write_text(before + BEGIN + made + END + rest.partition(END)[2], "utf-8")
    else:
        print(made, end="")
    return 0


def text() -> str:
    """Figures and tree in Markdown."""
    return "\n".join([*_figures(), "", "```", *_tree(), "```", ""])


def _figures() -> Iterator[str]:
    paths = modules(ROOT, OURS)
    imports = graph(paths)
    functions = [found for path in paths.values() for found in functions_of(path)]
    long = sorted(name for name, lines in functions if lines > LONG)
    rings, wrong = circles(imports), upward(imports)
    yield "| figure | |"
    yield "| --- | --- |"
    yield f"| modules | some {len(paths) // 10 * 10} |"
    yield f"| functions | some {len(functions) // 100 * 100:,} |"
    yield f"| functions over {LONG} lines | {_counted(long)} |"
    yield f"| circles of imports, inside functions too | {_counted([' - '.join(ring) for ring in rings])} |"
    yield f"| arrows that point upwards | {_counted([f'{who} - {whom}' for who, whom in wrong])} |"


def _counted(those: Sequence[str]) -> str:
    return f"{len(those)}: {', '.join(f'`{one}`' for one in those)}" if those else "0"


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a module with the number of its lines, from `def` to its end."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def _tree() -> Iterator[str]:
    for name, path in modules(ROOT, OURS).items():
        depth = name.count(".") - (name.startswith("webapp.") and name.count(".") > 0)
        is_package = path.name == "__init__.py"
        if is_package or name.startswith(("webapp.core.", "webapp.adapters.", "jobs.")) or name.count(".") == 1:
            label = "  " * depth + (f"{path.parent.name}/" if is_package else path.name)
            yield f"{label:<34} {_sentence(path)}".rstrip()


def _sentence(path: Path) -> str:
    """What a module says of itself: its first sentence, or what stands before its first colon or semicolon if that is long. A room of the
    console that says nothing has it said by its views."""
    said = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0].replace("\n", " ")
    if not said and path.with_name("views.py").exists():
        return _sentence(path.with_name("views.py"))
    sentence = said.split(". ")[0].rstrip(".")
    for mark in (";", ":"):
        if len(sentence) > 100:
            sentence = sentence.partition(mark)[0]
    return sentence


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
