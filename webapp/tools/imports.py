"""Which module imports which, read from the source: circles, and arrows that point upwards."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

RANKS = ("webapp.core.rules", "webapp.core.tables", "webapp.core", "webapp.adapters", "webapp.pages", "webapp.app")
"""From the innermost to the outermost; who is inside knows nothing of who is outside."""

BESIDE = {"webapp.cli": "webapp.pages", "jobs": "webapp.app"}
"""Commands stand beside pages. Jobs are like pages, but each worker makes the app, so they stand outside it."""

Graph = Mapping[str, frozenset[str]]


def modules(root: Path, folders: Iterable[str]) -> dict[str, Path]:
    """Our modules by name, but for migrations, which import nothing of ours."""
    found = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            if ".migrations" not in name:
                found[name] = path
    return found


def graph(paths: Mapping[str, Path]) -> Graph:
    """Each module with those it imports, also inside functions."""
    return {name: frozenset(_imported(name, path, paths)) for name, path in paths.items()}


def _imported(name: str, path: Path, paths: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in paths)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found = whole if whole in paths else node.module
                if found in paths and found != name:
                    yield found


def circles(graph: Graph) -> list[list[str]]:
    """Groups of modules that import each other in a circle, by Tarjan's algorithm (SIAM Journal on Computing 1(2), 1972)."""
    found: list[list[str]] = []
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(module: str) -> None:
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            place = stack.index(module)
            group = sorted(stack[place:])
            del stack[place:]
            if len(group) > 1:
                found.append(group)

    for module in sorted(graph):
        if module not in number:
            visit(module)
    return found


def upward(graph: Graph) -> list[tuple[str, str]]:
    """Imports from further inside to further outside: (who, whom)."""
    ranks = {module: rank for module in graph if (rank := _rank(module)) is not None}
    return [
        (module, other)
        for module, those in sorted(graph.items())
        for other in sorted(those)
        if module in ranks and other in ranks and ranks[other] > ranks[module]
    ]


def _rank(module: str) -> int | None:
    """None for who stands beside all of it, such as settings."""
    if module == "webapp.core.errors":  # which all of the core may raise
        return 0
    fitting = [part for part in (*RANKS, *BESIDE) if module == part or module.startswith(f"{part}.")]
    if not fitting:
        return None
    part = max(fitting, key=len)
    return RANKS.index(BESIDE.get(part, part))
