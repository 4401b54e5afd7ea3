"""The program as text: its files, what they import, call and say. For the tests that hold the design."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VOID = frozenset(
    "area base br col embed hr img input link meta source track wbr path rect circle line polyline".split(" ")  # noqa: SIM905
)


@cache
def tracked_files() -> tuple[str, ...]:
    """Paths of all files of the project, from the root: those git knows, and new ones it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    assert listed.returncode == 0, "this test asks git which files belong to the project"
    return tuple(sorted(name for name in set(listed.stdout.splitlines()) if (ROOT / name).is_file()))


def python_files(*folders: str) -> Iterator[str]:
    for name in tracked_files():
        if name.endswith(".py") and name.startswith(tuple(f"{folder}/" for folder in folders)):
            yield name


def templates() -> Iterator[str]:
    yield from (name for name in tracked_files() if name.startswith("templates/") and name.endswith(".html"))


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8", "replace")


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(text(name), name)


def module_of(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(name: str) -> Iterator[str]:
    """Every module the file imports, also inside functions; `from a import b` yields both `a` and `a.b`."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                package = name.split("/")[: -node.level]
                module = ".".join([*package, *([module] if module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def needs(name: str) -> Iterator[str]:
    """The files of ours that a file imports, also inside functions. `from a import b` needs the file of `a.b` where that is a module, and
    else that of `a`."""
    known = {module_of(other): other for other in python_files("webapp", "jobs")}
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            inner = [f"{module}.{alias.name}" for alias in node.names]
            named = [one if one in known else module for one in inner]
        else:
            continue
        yield from (known[one] for one in named if one in known)


def strings(name: str) -> Iterator[str]:
    """Every string constant of the file, docstrings included."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def class_names(name: str) -> Iterator[str]:
    """The name of every class that the file makes, also inside classes and functions."""
    yield from (node.name for node in ast.walk(tree(name)) if isinstance(node, ast.ClassDef))


def constants(node: ast.AST) -> Iterator[ast.Constant]:
    """Every string constant in `node`."""
    yield from (one for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str))


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called; parts that are not names are left out."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else node.attr
    return ""


class Roots(HTMLParser):
    """The outermost elements of a piece of HTML: (tag, attributes)."""

    def __init__(self, template: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._depth = 0
        self.feed(template)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._depth == 0:
            self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._depth += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._depth == 0:
            self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._depth -= 1


def macro_name(template: str) -> str:
    """What the macro of a fragment's file is called: `tabs_fragment` in `templates/audience/_tabs.html`."""
    return f"{Path(template).stem.removeprefix('_')}_fragment"


def fragment_html(name: str) -> str:
    """The own HTML of the fragment in the file `name`: what its macro makes, without what the macros in it make."""
    begun = re.compile(rf"{{% macro {macro_name(name)}\(.*?\) -%}}\n(.*)\n{{%- endmacro %}}\n$", re.S).search(
        text(name)
    )
    return without_jinja(begun[1] if begun else text(name))


def without_jinja(template: str) -> str:
    """The template's own HTML: expressions become a letter, statements and comments vanish, and so do macros it defines and the
    second way of an if."""
    template = re.sub(r"{#.*?#}", "", template, flags=re.S)
    template = re.sub(r"{%-?\s*macro\b.*?endmacro\s*-?%}", "", template, flags=re.S)
    template = re.sub(r"{{.*?}}", "x", template, flags=re.S)
    return re.sub(r"{%.*?%}", "", template, flags=re.S)
