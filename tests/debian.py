"""Files out of Debian's packages, fetched and unpacked by apt and dpkg; nothing is installed."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

TOOLS = ("apt-get", "apt-cache", "dpkg-deb", "ldd")
DOWNLOAD_S = 300


class Missing(Exception):
    """Programs that are not to be had on this machine; the text says why."""


class Packages:
    """What apt knows, with a folder for its work. Raises Missing, as all its methods do, where something is not to be had."""

    def __init__(self, workshop: Path) -> None:
        for tool in TOOLS:
            if shutil.which(tool) is None:
                raise Missing(f"there is no {tool}")
        self._workshop = workshop
        self._options: list[str] = ["-o", "APT::Sandbox::User=root"]
        try:
            run("apt-cache", "show", "postfix")
        except Missing:  # the system has no lists of packages, so these are our own
            (workshop / "lists" / "partial").mkdir(parents=True)
            self._options += ["-o", f"Dir::State::lists={workshop / 'lists'}", "-o", f"Dir::Cache={workshop}"]
            run("apt-get", *self._options, "update")

    @contextmanager
    def unpacked(self, *names: str) -> Iterator[tuple[Path, list[str]]]:
        """A folder with all their files, and the names of the packages with their versions; gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self._workshop) as folder:
            fetched, unpacked = Path(folder, "fetched"), Path(folder, "unpacked")
            for made in (fetched, unpacked):
                made.mkdir()
            run("apt-get", *self._options, "download", *names, cwd=fetched)
            packages = sorted(fetched.glob("*.deb"))
            for package in packages:
                run("dpkg-deb", "-x", str(package), str(unpacked))
            yield unpacked, [" ".join(package.name.split("_")[:2]) for package in packages]

    def libraries_of(self, names: Iterable[str]) -> list[str]:
        """The packages with libraries that these depend on, but for that of C."""
        known = run("apt-cache", *self._options, "depends", *names)
        return sorted(set(re.findall(r"^ +Depends: (lib[^\s:]+)$", known, re.MULTILINE)) - {"libc6"})


def run(*command: str, cwd: Path | None = None) -> str:
    """What a command says. Raises Missing when it fails, or takes too long."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=DOWNLOAD_S)
    except subprocess.TimeoutExpired:
        raise Missing(f"{command[0]} took too long") from None
    if done.returncode:
        lines = (done.stderr.strip() or "no reason given").splitlines()
        said = next((line for line in lines if re.match(r"E: |npm error", line)), lines[-1])
        raise Missing(f"{command[0]} says: {said}")
    return done.stdout
