"""Which build of Python to use. One that was compiled without profile-guided optimisation, as from pyenv unless asked for, needs a sixth
more processor time for each mail."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

SYSTEM = (Path("/usr/local/bin"), Path("/usr/bin"))
"""Where a system keeps its own Python."""

PATIENCE_S = 10

_DESCRIBE = """
import importlib.util, json, sys, sysconfig
options = sysconfig.get_config_var("CONFIG_ARGS")
is_fast = options is None or "--enable-optimizations" in options
print(json.dumps([sys.version_info[:2], is_fast, all(map(importlib.util.find_spec, ("venv", "ensurepip")))]))
"""


class Build(NamedTuple):
    """A Python's version as major and minor number, whether it was built to be fast (one that does not say how it was built counts as
    such), and whether it can make environments."""

    version: tuple[int, int]
    is_fast: bool
    is_complete: bool


def described(python: str | Path) -> Build | None:
    """What a Python says of itself; None where there is none that answers."""
    try:
        said = subprocess.run([python, "-I", "-c", _DESCRIBE], capture_output=True, timeout=PATIENCE_S)
        (major, minor), is_fast, is_complete = json.loads(said.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Build((major, minor), is_fast, is_complete)


def best(running: str = sys.executable, system: Iterable[Path] = SYSTEM) -> str:
    """The Python to make an environment with: the running one, unless that was not built to be fast and the system has one of the same
    version that was."""
    mine = described(running)
    if mine is None or mine.is_fast:
        return running
    for folder in system:
        python = folder / f"python{mine.version[0]}.{mine.version[1]}"
        if described(python) == Build(mine.version, is_fast=True, is_complete=True):
            return os.fspath(python)
    return running
