"""The program's own environment: made in `.venv` from the hash-pinned locks, brought up to date when a lock changes."""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = {
    "program": "requirements.lock",
    "browser scripts": "webapp/pages/assets/requirements.lock",
    "demo": "webapp/demo/requirements.lock",
    "tests": "tests/requirements.lock",
    "lint": ".ci/requirements.lock",
}
"""What can be installed, and the lock that says what it is. Production has the first two, and `program` is part of every environment."""

DEMO = ("program", "browser scripts", "demo")
TESTS = (*DEMO, "tests")

BROWSER_SCRIPTS = Path("share", "massmail")
"""Where wheels are unpacked, in the environment, of which only files are taken: not among Python's packages, whose requirements they would
then not meet. `webapp/pages/assets/wheels.py` looks there."""

PIP_INSTALL = (
    *("-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--disable-pip-version-check"),
    *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
)
UNFINISHED = "massmail-unfinished"
NO_NETWORK = ("NewConnectionError", "NameResolutionError", "ConnectTimeout", "ProxyError", "Network is unreachable")


class EnvironmentProblem(Exception):
    """The environment cannot be made; the text says in whole sentences what to do."""


class Environment:
    """The environment of the clone at `root`. MASSMAIL_VENV puts it elsewhere than in `.venv`."""

    def __init__(self, root: Path = ROOT, environ: Mapping[str, str] = os.environ):
        self.root = root
        self.folder = Path(environ.get("MASSMAIL_VENV") or root / ".venv")
        self.python = self.folder / "bin" / "python"

    def is_this_one(self) -> bool:
        """True when this very process runs in it."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def is_ready(self, parts: Sequence[str]) -> bool:
        """True when everything that the locks of `parts` (keys of LOCKS) name is installed, as they name it now."""
        there = self.python.exists() and not self._unfinished.exists()
        return there and all(self._installed(part) == self._wanted(part) for part in parts)

    def runs(self) -> bool:
        """False when there is none, or its Python was removed or the folder moved to a machine with another."""
        with contextlib.suppress(OSError):
            return subprocess.run([self.python, "-c", "import pip"], capture_output=True).returncode == 0
        return False

    def make_ready(self, parts: Sequence[str]) -> None:
        """Make the environment, or bring it up to date. An install that was interrupted is begun anew. Raises EnvironmentProblem."""
        with self._alone():
            if self.is_ready(parts):
                return
            began = time.monotonic()
            try:
                if self._unfinished.exists() or not self.runs():
                    self._make()
                for part in parts:
                    if self._installed(part) != self._wanted(part):
                        self._install(part)
            except OSError as error:
                raise EnvironmentProblem(
                    f"Cannot write to {self.folder}: {error.strerror}. Copy this folder to one you may write to, or name another place "
                    f"for the environment: MASSMAIL_VENV=/some/folder python3 -m webapp demo"
                ) from error
            _say(f"done in {time.monotonic() - began:.0f} s")

    def run(self, module: str, arguments: Sequence[str]) -> NoReturn:
        """Become `python -m module arguments` in this environment: does not return."""
        os.chdir(self.root)
        sys.stdout.flush()
        os.execv(self.python, [str(self.python), "-m", module, *arguments])

    @property
    def _unfinished(self) -> Path:
        return self.folder / UNFINISHED

    def _stamp(self, part: str) -> Path:
        return self.folder / f"massmail-{part.replace(' ', '-')}"

    def _installed(self, part: str) -> str | None:
        try:
            return self._stamp(part).read_text()
        except OSError:
            return None

    def _wanted(self, part: str) -> str:
        return hashlib.sha256((self.root / LOCKS[part]).read_bytes()).hexdigest()

    def _make(self) -> None:
        if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
            raise EnvironmentProblem(
                "This Python has no venv. On Debian and Ubuntu: apt install python3-venv. Elsewhere install the full Python."
            )
        ours = self._unfinished.exists() or (self.folder / "pyvenv.cfg").exists()
        if self.folder.exists() and not ours and any(self.folder.iterdir()):
            raise EnvironmentProblem(
                f"{self.folder} holds something else than an environment of Python: move it away or remove it."
            )
        _say("Making the environment, once: about 15 seconds")
        if ours:
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._unfinished.touch()
        made = subprocess.run([sys.executable, "-m", "venv", self.folder], capture_output=True, text=True)
        if made.returncode != 0:
            raise EnvironmentProblem(
                f"Python could not make an environment in {self.folder}:\n{made.stdout}{made.stderr}"
            )

    def _install(self, part: str) -> None:
        _say(f"Installing what {LOCKS[part]} names")
        self._unfinished.touch()
        self._stamp(part).unlink(missing_ok=True)
        wanted = self._wanted(part)
        apart: list[str] = []
        if part == "browser scripts":
            shutil.rmtree(self.folder / BROWSER_SCRIPTS, ignore_errors=True)
            apart = ["--target", str(self.folder / BROWSER_SCRIPTS)]
        command = [str(self.python), *PIP_INSTALL, *apart, "-r", str(self.root / LOCKS[part])]
        pip = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._unfinished.unlink()
        if pip.returncode != 0:
            raise EnvironmentProblem(_words_of_pip(pip.stdout))
        self._stamp(part).write_text(wanted)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One start at a time installs; another waits for it."""
        import fcntl

        lock = os.open(self.root, os.O_RDONLY)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _say("Waiting for another start of this clone, which is making the environment")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _words_of_pip(output: str) -> str:
    if any(sign in output for sign in NO_NETWORK):
        return (
            "The package index cannot be reached, and the first start installs packages from it. Connect to the network, or name a "
            "mirror or proxy as for pip (PIP_INDEX_URL, HTTPS_PROXY), and start again."
        )
    if "No space left" in output:
        return "The disk is full: the environment takes about 200 MB, with the tests 450 MB. Make room and start again."
    if "No matching distribution" in output:
        kind = f"Python {sys.version_info.major}.{sys.version_info.minor} on {os.uname().sysname} {os.uname().machine}"
        return f"A package has no ready-made build for {kind}; 3.11 to 3.13 on Linux and macOS are known to work. pip says:\n{output}"
    return f"pip could not install the packages. It says:\n{output}"


def _say(words: str) -> None:
    print(f"  {words} …" if words[0].isupper() else f"  {words}", file=sys.stderr, flush=True)
