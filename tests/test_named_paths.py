"""What docs, docstrings and comments name is there: files, folders and the places that links lead to."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests import source

TRACKED = frozenset(source.tracked_files())
FOLDERS = frozenset(str(parent) for name in TRACKED for parent in PurePosixPath(name).parents)
FILE_NAMES = frozenset(PurePosixPath(name).name for name in TRACKED)

ROOMS = sorted({PurePosixPath(folder).name for folder in FOLDERS if folder.count("/") < 3} - {""})
PATH = re.compile(rf"(?<![\w/.:-])(?:{'|'.join(map(re.escape, ROOMS))})(?:/[\w.-]*\w)+/?")
FILE = re.compile(r"(?<![\w/.:*<>-])(?:[\w-]+\.(?:py|md|lock|toml|yaml)|_\w+\.html)\b(?![\w/:])")
MADE_LATER = re.compile(r"^(instance|dist|docs/.*\.png)")
"""What is made by running something."""

PROSE = [name for name in sorted(TRACKED) if name.endswith(".md")]
CODE = [name for name in sorted(TRACKED) if name.endswith(".py") and "/migrations/" not in name]


def named_in(name: str) -> Iterator[str]:
    """Paths and file names in a document, or in the docstrings and comments of code."""
    for text in [source.text(name)] if name.endswith(".md") else said_in(source.text(name)):
        text = re.sub(r"\w+://\S+", "", text)
        yield from PATH.findall(text)
        yield from FILE.findall(PATH.sub("", text))


def said_in(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def is_there(path: str, name: str) -> bool:
    """Whether a path leads somewhere from the root, or from a folder above the file that names it; a bare name from anywhere. What is in
    a module, as in `adapters/pulse.PULSE_S`, must stand in it."""
    path = path.rstrip("/.")
    if "/" not in path:
        return path in FILE_NAMES
    starts = ["", "webapp/", "webapp/core/", "templates/", *(f"{parent}/" for parent in PurePosixPath(name).parents)]
    module, _, attribute = path.rpartition(".")
    for start in starts:
        if any(f"{start}{path}{end}" in TRACKED | FOLDERS for end in ("", ".py")):
            return True
        for file in () if attribute in ("py", "html") else (f"{start}{module}.py", f"{start}{module}/__init__.py"):
            if file in TRACKED and re.search(rf"\b{attribute}\b", source.text(file)):
                return True
    return False


@pytest.mark.parametrize("name", [*PROSE, *CODE])
def test_paths_that_are_named_exist(name: str):
    missing = {path for path in named_in(name) if not is_there(path, name) and not MADE_LATER.match(path)}
    assert missing == set()


@pytest.mark.parametrize("name", PROSE)
def test_links_of_a_document_lead_somewhere(name: str):
    for target in re.findall(r"\]\(([^)\s]+)\)", source.text(name)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        document = name
        if path:
            document = str(PurePosixPath(name).parent / path).removeprefix("./")
            while "/../" in document or document.startswith("../"):
                document = re.sub(r"(^|/)[^/]+/\.\./", r"\1", document, count=1)
            assert document in TRACKED | FOLDERS, target
        if anchor:
            assert anchor in anchors_of(source.text(document)), target


def anchors_of(text: str) -> set[str]:
    """The names under which the headings of a document are reached: lower case, blanks as hyphens, without punctuation."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
