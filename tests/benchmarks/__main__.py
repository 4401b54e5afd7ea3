"""`python3 -m webapp bench [NAME …] [--json FILE] [--short]`: run benchmarks, print a table with goals.

Speeds are compared in one run, interleaved, and reported as ratios with their spread: machines are shared and noisy. The exit code is 1
when something broke, never because something was slow.
"""

import argparse
import json
import platform
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path

from tests.benchmarks.figure import Figure
from tests.benchmarks.yardstick import calls_a_second

SUBJECTS = (
    "audience",
    "freeze",
    "memory",
    "console",
    "pace",
    "render",
    "declining",
    "signing",
    "smtp",
    "sending",
    "parts",
    "sqlite",
    "round_trip",
    "workers",
)
"""Modules of this package, in the order of the table. Each has `run(*, short: bool) -> Iterable[Figure]`."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m webapp bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SUBJECTS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--short", action="store_true", help="small numbers: shows that it works, not how fast it is")
    chosen = parser.parse_args(arguments)
    strange = set(chosen.names) - set(SUBJECTS)
    if strange:
        parser.error(f"no such benchmark: {', '.join(sorted(strange))}; there are {', '.join(SUBJECTS)}")
    print(_python())
    print(f"{'figure':<58}{'value':>12}{'low':>12}{'high':>12}  {'unit':<12}{'goal':<14}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended even so
    figures: list[Figure] = []
    broken = 0
    for name in chosen.names or SUBJECTS:
        try:
            for figure in import_module(f"tests.benchmarks.{name}").run(short=chosen.short):
                print(figure.line(), flush=True)
                figures.append(figure)
        except Exception:
            broken += 1
            print(f"{name} broke:\n{traceback.format_exc()}", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps([figure.row() for figure in figures], indent=1) + "\n")
    met = sum(figure.met for figure in figures)
    unknown = sum(figure.value is None for figure in figures)
    print(f"{met} of {len(figures)} figures meet their goals" + (f", {unknown} not measured" if unknown else ""))
    print(f"{len(chosen.names or SUBJECTS) - broken} passed, {broken} failed")
    return 1 if broken else 0


def _python() -> str:
    """What runs here, and a yardstick for it: how much a figure says depends on the machine, and on how its Python was built."""
    program = f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}"
    return f"{program}, {calls_a_second() / 1e6:.1f} million calls a second"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
