"""An environment of its own that holds what locks name and nothing else, made without a network of what this environment has."""

import os
import shutil
import sys
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement

from webapp.bootstrap.environment import BROWSER_SCRIPTS, ROOT


class BareEnvironment:
    """`python` is its interpreter, `bin` where its programs lie."""

    def __init__(self, folder: Path) -> None:
        """Of the empty environment in `folder`."""
        self.folder, self.bin = folder, folder / "bin"
        self.python = self.bin / "python"
        (self._packages,) = folder.glob("lib/*/site-packages")

    def take(self, lock: str) -> None:
        """Add what the lock of that name (from the clone's root) has for this Python. A package that is not here in that version fails the
        caller."""
        for line in (ROOT / lock).read_text().splitlines():
            if not line.startswith((" ", "#")) and line:
                wanted = Requirement(line.rstrip("\\ "))
                if wanted.marker is None or wanted.marker.evaluate():
                    self._add(wanted)

    def take_browser_scripts(self) -> None:
        """Add what `massmail browser-scripts` would install."""
        shutil.copytree(Path(sys.prefix) / BROWSER_SCRIPTS, self.folder / BROWSER_SCRIPTS)

    def _add(self, wanted: Requirement) -> None:
        found = metadata.distribution(wanted.name)
        assert wanted.specifier.contains(found.version), f"{wanted}: here is {found.version}"
        for file in found.files or ():
            there = Path(str(found.locate_file(file)))
            if file.parts[0] != "..":
                _link(there, self._packages / file)
                if file.suffix == ".py" and (compiled := Path(cache_from_source(str(there)))).exists():
                    _link(compiled, Path(cache_from_source(str(self._packages / file))))
            elif there.parent.name == "bin":
                _copy_program(there, self.bin / there.name, self.python)


def _link(there: Path, here: Path) -> None:
    here.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(there, here)
    except OSError:  # another file system
        shutil.copy2(there, here)


def _copy_program(there: Path, here: Path, python: Path) -> None:
    """A program of a package; the first line of a script names the interpreter."""
    content = there.read_bytes()
    if content.startswith(b"#!") and b"python" in content.partition(b"\n")[0]:
        content = f"#!{python}\n".encode() + content.partition(b"\n")[2]
    here.write_bytes(content)
    here.chmod(0o755)
