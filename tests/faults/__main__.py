"""`python3 -m webapp test --faults [NAME …] [--json FILE] [--short] [--at-a-time N] [--seed N]`: run fault families, print a table.

The exit code is 1 when a promise was not kept.
"""

import argparse
import json
import sys
from pathlib import Path

from tests import run
from tests.faults import family
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side

FAMILIES = (
    "kill",
    "cells",
    "chance",
    "crowd",
    "redis",
    "failover",
    "pooler",
    "pause",
    "pace",
    "relay",
    "relays",
    "waiting",
    "declines",
    "disturbed",
    "lost_host",
    "restored",
    "parsers",
)
"""Modules of this package, in the order of the report. Each has `run(*, short: bool, seed: int) -> Result`; its docstring's first line is
its promise. `short` is the form for continuous integration: the same faults, fewer repetitions, and what depends on the speed of
the machine is only told."""

AT_A_TIME_SHORT = 2
"""Families side by side in the short form, which judges next to nothing by the clock: they wait more than they work. Else one by one."""

LONGEST = ("relays",)
"""Side by side it begins first, and the others that have many workers at a time come when it has ended."""

MOST_FAILURES, MOST_LETTERS = 4, 700
"""Of each family that failed, said again at the end."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m webapp test --faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FAMILIES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    parser.add_argument("--short", action="store_true", help="fewer repetitions")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (1)")
    parser.add_argument(
        "--at-a-time", type=int, metavar="N", help=f"families side by side (1, short {AT_A_TIME_SHORT})"
    )
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.names) - set(FAMILIES)
    if unknown:
        parser.error(f"no such family: {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    print(f"{'family':<14}{'runs':>7}{'mails':>10}{'lost':>7}{'twice':>7}{'uncertain':>11}{'min':>7}  ", flush=True)
    run.begin()
    try:
        at_a_time = chosen.at_a_time or (AT_A_TIME_SHORT if chosen.short else 1)
        names = chosen.names or sorted(FAMILIES, key=lambda name: at_a_time > 1 and name not in LONGEST)
        calls = [(name, chosen.short, chosen.seed) for name in names]
        results = (
            side_by_side(family.run, calls, at_a_time=at_a_time)
            if at_a_time > 1
            else [family.run(*call) for call in calls]
        )
    finally:
        run.end()
    if chosen.json:
        chosen.json.write_text(json.dumps([result.row() for result in results], indent=1) + "\n")
    _say_again([result for result in results if not result.met])
    met = sum(result.met for result in results)
    print(f"{met} passed, {len(results) - met} failed")
    return 0 if met == len(results) else 1


def _say_again(failed: list[Result]) -> None:
    """What was not kept, once more at the end, where it is found first."""
    for result in failed:
        print(f"{result.name} is not met:")
        for words in result.failures[:MOST_FAILURES]:
            print(f"    {words:.{MOST_LETTERS}}".replace("\n", "\n    "))
        if len(result.failures) > MOST_FAILURES:
            print(f"    and {len(result.failures) - MOST_FAILURES} more, above")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
