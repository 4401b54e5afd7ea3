"""Which build of Python to use. How one was compiled makes a sixth of the processor time of a mail: without profile-guided optimisation,
as from pyenv unless asked for, or with it, as most systems do. They do not all say so, so they are asked to run something."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

SYSTEM = (Path("/usr/local/bin"), Path("/usr/bin"))
"""Where a system keeps its own Python."""

CLEARLY = 1.15
"""So many times as fast another must be."""

PATIENCE_S = 20

_DESCRIBE = """
import importlib.util, json, sys, time

class Counter:
    def __init__(self):
        self.seen = {}
    def add(self, number):
        self.seen[number] = f"{number}:{len(self.seen)}"

def seconds():
    began, counter = time.perf_counter(), Counter()
    for number in range(10_000):
        counter.add(number)
    return time.perf_counter() - began

calls = 10_000 / min(seconds() for _ in range(9))
print(json.dumps([sys.version_info[:2], calls, all(map(importlib.util.find_spec, ("venv", "ensurepip")))]))
"""


class Build(NamedTuple):
    """A Python's version as major and minor number, how many calls of a small method it makes in a second, and whether it can make
    environments."""

    version: tuple[int, int]
    calls: float
    is_complete: bool


def described(python: str | Path) -> Build | None:
    """What a Python says of itself, after some 50 ms; None where there is none that answers."""
    try:
        said = subprocess.run([python, "-I", "-c", _DESCRIBE], capture_output=True, timeout=PATIENCE_S)
        (major, minor), calls, is_complete = json.loads(said.stdout)
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired):
        return None
    return Build((major, minor), calls, is_complete)


def best(running: str = sys.executable, system: Iterable[Path] = SYSTEM) -> str:
    """The Python to make an environment with: the running one, unless the system has one of the same version that is clearly faster."""
    mine = described(running)
    if mine is None:
        return running
    for folder in system:
        python = folder / f"python{mine.version[0]}.{mine.version[1]}"
        other = described(python)
        if other and other.version == mine.version and other.is_complete and other.calls > CLEARLY * mine.calls:
            return os.fspath(python)
    return running
