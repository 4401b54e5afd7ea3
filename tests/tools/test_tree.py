"""The figures and the tree in docs/architecture.md: made by the command, and current."""

from pathlib import Path

from webapp.paths import ROOT
from webapp.tools import imports, tree


def house(folder: Path, **files: str) -> imports.Graph:
    """Modules of a package `webapp`, by name and content."""
    for name, content in files.items():
        path = folder / "webapp" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return imports.graph(imports.modules(folder, ["webapp"]))


def test_the_document_says_what_the_command_says():
    said = (ROOT / "docs" / "architecture.md").read_text().partition(tree.BEGIN)[2].partition(tree.END)[0]
    assert said == tree.text(), "renew it: python3 -m webapp.tools.tree --write"


def test_a_circle_is_found_also_where_an_import_hides_in_a_function(tmp_path: Path):
    found = house(
        tmp_path,
        one="from webapp import two",
        two="from webapp.three import x",
        three="def f():\n    import webapp.one",
        four="from webapp import one",
    )
    assert imports.circles(found) == [["webapp.one", "webapp.three", "webapp.two"]]


def test_an_arrow_that_points_upwards_is_found(tmp_path: Path):
    found = house(tmp_path, core__rules__a="from webapp.core import b", core__b="from webapp.core.rules import a")
    assert imports.upward(found) == [("webapp.core.rules.a", "webapp.core.b")]


def test_no_arrow_points_upwards():
    assert imports.upward(imports.graph(imports.modules(ROOT, tree.OURS))) == []


def test_a_function_is_as_long_as_from_its_def_to_its_end(tmp_path: Path):
    (tmp_path / "a.py").write_text("x = 1\n\n@print\ndef f():\n    a = 1\n\n    return a\n")
    assert list(tree.functions_of(tmp_path / "a.py")) == [("f", 4)]
