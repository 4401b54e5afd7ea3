"""Rules of the files under static/ that a reader, or the browser's policy, relies on. Whether modules parse is tests/browser/unit's."""

import re
from pathlib import PurePosixPath

import pytest

from tests import source

SCRIPTS = [name for name in source.tracked_files() if name.startswith("static/") and name.endswith(".js")]
SHEETS = [name for name in source.tracked_files() if name.startswith("static/") and name.endswith(".css")]
WIDTH = 140
"""Characters of a line at most."""

FORBIDDEN = {
    r"\bvar\b": "let or const, which end with their block",
    r"(?<![=!])[=!]=(?!=)": "=== or !==, which change no types",
    r"\bconsole\.|\bdebugger\b|\balert\(": "a trace of looking for a mistake",
    r"\beval\(|\bnew Function\b": "what the policy of the console forbids",
    r"\bdocument\.write\b|\binsertAdjacentHTML\b|\b(inner|outer)HTML\s*\+?=(?!=)": "HTML made of text: make elements, or have the server",
}
"""What no script of ours says, with what it should say instead."""

LITERALS = re.compile(
    r"""/\*.*?\*/|(?<![:\\])//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|\$\{[^}]*\}|[^`\\])*`"""
    r"""|(?<=[(,=:\[!&|?{};\n\s])/(?![/*\s])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*""",
    re.S,
)


def code(name: str) -> str:
    """The script without comments, strings and regular expressions; of template strings the expressions stay."""
    return LITERALS.sub(lambda found: " ".join(re.findall(r"\$\{([^}]*)\}", found[0])) or '""', source.text(name))


def exports(name: str) -> set[str]:
    return set(
        re.findall(r"^export (?:default )?(?:async )?(?:function|class|const|let) (\w+)", source.text(name), re.M)
    )


def imports(name: str) -> list[tuple[str, str, str]]:
    """(file, name there, name here) of each import of ours; `*` for a whole module, "" for one imported for what it does."""
    found = []
    for what, path in re.findall(r'^import (?:(.+?) from )?"(\.[^"]+)";', source.text(name), re.M):
        file = str(PurePosixPath(*resolved(PurePosixPath(name).parent / path)))
        if not what or what.startswith("*"):
            found.append((file, "*" if what else "", what.removeprefix("* as ")))
            continue
        for one in what.strip("{} ").split(","):
            there, _, here = one.strip().partition(" as ")
            found.append((file, there, here or there))
    return found


def resolved(path: PurePosixPath) -> list[str]:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return parts


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_says_nothing_forbidden(name: str):
    said = code(name)
    for pattern, instead in FORBIDDEN.items():
        assert (found := re.search(pattern, said)) is None, f"{found and found[0]}: {instead}"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_uses_what_it_imports_and_gets_what_it_names(name: str):
    said = re.sub(r"^import .*$", "", code(name), flags=re.M)
    for file, there, here in imports(name):
        assert file in SCRIPTS, f"{file} does not exist"
        if here:
            assert re.search(rf"\b{re.escape(here)}\b", said), f"{here} is not used"
        if there not in ("", "*"):
            assert there in exports(file), f"{file} exports no {there}"


def test_somebody_imports_what_is_exported():
    wanted = {(file, there) for name in SCRIPTS for file, there, _ in imports(name)}
    unused = {
        f"{name}: {one}"
        for name in SCRIPTS
        for one in exports(name)
        if (name, one) not in wanted and not ((name, "*") in wanted and uses_of(name, one))
    }
    assert unused == set()


def uses_of(module: str, name: str) -> bool:
    """Whether some script that imports the whole module uses this name of it."""
    for script in SCRIPTS:
        for file, there, here in imports(script):
            if file == module and there == "*" and re.search(rf"\b{here}(\.{name}\b|\[)", code(script)):
                return True
    return False


def test_a_page_or_a_script_asks_for_every_script():
    pages = "".join(source.text(name) for name in source.templates())
    imported = {file for name in SCRIPTS for file, _, _ in imports(name)}
    assert [name for name in SCRIPTS if name not in imported and f"'{name.removeprefix('static/')}'" not in pages] == []


@pytest.mark.parametrize("name", SHEETS)
def test_a_style_sheet_has_one_declaration_a_line(name: str):
    css = re.sub(r"/\*.*?\*/", "", source.text(name), flags=re.S)
    for number, line in enumerate(css.splitlines(), 1):
        bare = re.sub(r'"[^"]*"|\([^()]*\)', "", line).strip()
        assert not re.search(r"[{};]\s*\S", bare), f"line {number}: {line.strip()}"


@pytest.mark.parametrize("name", SCRIPTS + SHEETS)
def test_a_line_is_short_enough_to_be_read(name: str):
    long = [number for number, line in enumerate(source.text(name).splitlines(), 1) if len(line) > WIDTH]
    assert long == []
