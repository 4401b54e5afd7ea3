"""Where the real mail servers come from: Debian packages and npm, unpacked into a folder of the user's cache. Nothing is installed.

Of a Debian package a *tree* is made, in which its programs can run with that folder as their root: what the package holds, the
libraries its programs need, from this machine or from other packages, and a shell.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "massmail-relays"
DOWNLOAD_S = 300
TOOLS = ("apt-get", "apt-cache", "dpkg-deb", "ldd")
MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders that are links into usr (https://wiki.debian.org/UsrMerge)."""
ELF = b"\x7fELF"
SHELL = "/bin/sh"


class Missing(Exception):
    """A relay is not to be had on this machine; the text says why."""


def debian(name: str, *packages: str) -> Path:
    """The tree `name` of these packages, made if it is not there yet. Raises Missing."""
    for tool in TOOLS:
        if shutil.which(tool) is None:
            raise Missing(f"there is no {tool} to fetch {packages[0]} with")
    with _alone(name):
        tree = FOLDER / name
        if not tree.exists():
            with tempfile.TemporaryDirectory(dir=FOLDER) as workshop:
                made = _tree(Path(workshop), packages)
                made.rename(tree)
    return tree


def npm(name: str, package: str, *more: str) -> Path:
    """The folder with `node_modules` of npm packages. Raises Missing."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise Missing(f"there is no {tool} to fetch {package} with")
    with _alone(name):
        home = FOLDER / name
        if not (home / "node_modules" / package).exists():
            _run("npm", "install", "--prefix", str(home), "--no-audit", "--no-fund", "--omit=optional", package, *more)
    return home


def _tree(workshop: Path, packages: Iterable[str]) -> Path:
    options = _package_lists(workshop)
    root = workshop / "root"
    for part in MERGED:
        (root / "usr" / part).mkdir(parents=True)
        (root / part).symlink_to(f"usr/{part}")
    _unpack(packages, options, workshop, root)
    shutil.copy2(Path(SHELL).resolve(), root / "bin" / "sh")
    wanted = list(packages)
    for _ in range(3):  # what the programs need, and what that needs; never all that hangs together with it
        if not (lacking := _take_libraries(root)):
            break
        known = _run("apt-cache", *options, "depends", *wanted)
        wanted = sorted(set(re.findall(r"^ +Depends: (lib[^\s:]+)$", known, re.MULTILINE)) - {"libc6"})
        _unpack(wanted, options, workshop, root)
    if lacking:
        raise Missing(f"{', '.join(sorted(lacking))} is not to be had")
    return root


def _package_lists(workshop: Path) -> list[str]:
    """The options with which apt knows packages: none, or lists of our own where the system has none."""
    try:
        _run("apt-cache", "show", "postfix")
    except Missing:
        (workshop / "lists" / "partial").mkdir(parents=True)
        options = ["-o", f"Dir::State::lists={workshop / 'lists'}", "-o", f"Dir::Cache={workshop}"]
        _run("apt-get", *options, "update")
        return options
    return []


def _unpack(packages: Iterable[str], options: Iterable[str], workshop: Path, root: Path) -> None:
    with tempfile.TemporaryDirectory(dir=workshop) as name:
        fetched, unpacked = Path(name, "fetched"), Path(name, "unpacked")
        fetched.mkdir()
        _run("apt-get", "-o", "APT::Sandbox::User=root", *options, "download", *packages, cwd=fetched)
        for package in fetched.glob("*.deb"):
            _run("dpkg-deb", "-x", str(package), str(unpacked))
        for file in unpacked.rglob("*"):
            if file.is_symlink() or file.is_file():
                target = root / file.relative_to(unpacked)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                shutil.copy2(file, target, follow_symlinks=False)


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


def _run(*command: str, cwd: Path | None = None) -> str:
    words = " ".join(command[:2])
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=DOWNLOAD_S)
    except subprocess.TimeoutExpired:
        raise Missing(f"{words} took too long") from None
    if done.returncode:
        said = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise Missing(f"{words} says: {said}")
    return done.stdout
