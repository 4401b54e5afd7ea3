"""Where the real mail servers come from: Debian packages and npm, unpacked into a folder of the user's cache. Nothing is installed.

Of a Debian package a *tree* is made, in which its programs can run with that folder as their root: what the package holds, the
libraries its programs need, from this machine or from other packages, and a shell.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from tests.debian import Missing, Packages, run

FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "massmail-relays"
VERSIONS = "packages"
"""The file of a tree that names its packages."""
MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders that are links into usr (https://wiki.debian.org/UsrMerge)."""
ELF = b"\x7fELF"
SHELL = "/bin/sh"


def debian(name: str, *packages: str) -> Path:
    """The tree `name` of these packages, made if it is not there yet. Raises Missing."""
    with _alone(name):
        tree = FOLDER / name
        if not tree.exists():
            with tempfile.TemporaryDirectory(dir=FOLDER) as workshop:
                made = _tree(Path(workshop), packages)
                made.rename(tree)
    return tree


def npm(name: str, package: str) -> Path:
    """The folder with `node_modules` of an npm package. Raises Missing."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise Missing(f"there is no {tool} to fetch {package} with")
    with _alone(name):
        home = FOLDER / name
        if not (home / "node_modules" / package).exists():
            run(
                "npm",
                "install",
                "--prefix",
                str(home),
                "--no-audit",
                "--no-fund",
                "--omit=optional",
                "--fetch-retries=1",
                package,
            )
    return home


def version(tree: Path) -> str:
    """The packages that a tree was made for, and their versions, without what Debian adds to them."""
    names = unquote((tree / VERSIONS).read_text()).splitlines()
    return ", ".join(re.sub(r" (?:\d+:)?([^-+]+).*", r" \1", name) for name in names)


def npm_version(home: Path, package: str) -> str:
    said = json.loads((home / "node_modules" / package / "package.json").read_text())
    return f"{package} {said['version']}"


def _tree(workshop: Path, names: Iterable[str]) -> Path:
    packages = Packages(workshop)
    root = workshop / "root"
    for part in MERGED:
        (root / "usr" / part).mkdir(parents=True)
        (root / part).symlink_to(f"usr/{part}")
    (root / VERSIONS).write_text("\n".join(_unpack(packages, names, root)))
    shutil.copy2(Path(SHELL).resolve(), root / "bin" / "sh")
    wanted = list(names)
    for _ in range(3):  # what the programs need, and what that needs; never all that hangs together with it
        if not (lacking := _take_libraries(root)):
            break
        wanted = packages.libraries_of(wanted)
        _unpack(packages, wanted, root)
    if lacking:
        raise Missing(f"{', '.join(sorted(lacking))} is not to be had")
    return root


def _unpack(packages: Packages, names: Iterable[str], root: Path) -> list[str]:
    with packages.unpacked(*names) as (unpacked, versions):
        for file in unpacked.rglob("*"):
            if file.is_symlink() or file.is_file():
                target = root / file.relative_to(unpacked)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                shutil.copy2(file, target, follow_symlinks=False)
    return versions


def _take_libraries(root: Path) -> set[str]:
    """Copy the libraries into the tree that its programs need and this machine has. Returns those that nobody has."""
    files = [file for file in root.rglob("*") if _is_program(file)]
    folders = {file.parent for file in files if ".so" in file.name}
    environ = dict(os.environ) | {"LD_LIBRARY_PATH": os.pathsep.join(map(str, folders))}
    own = {file.name for file in files}
    lacking: set[str] = set()
    for file in files:
        asked = subprocess.run(["ldd", file], env=environ, capture_output=True, text=True)
        lacking |= set(re.findall(r"(\S+) => not found", asked.stdout))
        for found in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", asked.stdout, re.MULTILINE):
            target = root / found.lstrip("/")
            if not found.startswith(str(root)) and not target.exists() and Path(found).name not in own:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(Path(found).resolve(), target)
    return {name for name in lacking if name not in own}


def _is_program(file: Path) -> bool:
    if file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as content:
        return content.read(4) == ELF


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Only one process makes a tree at a time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
