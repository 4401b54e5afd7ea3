"""The commands of `python3 -m webapp`: each makes the environment ready and goes on inside it."""

import os
import sys
from collections.abc import Sequence

from webapp.bootstrap.environment import DEMO, TESTS, Environment, EnvironmentProblem

USAGE = """\
python3 -m webapp demo    the whole program on this machine, with made-up clients and a mail catcher; Ctrl-C ends it
                          --port N  --clients N  --fresh  --apart
python3 -m webapp test    all tests; what follows goes to pytest, for instance: test tests/core -k audience
                          --full   also those values that are left out every day
                          --faults [NAME …] [--json FILE]   the fault tests of the sending engine (up to an hour)
                          --relays [NAME …] [--json FILE]   the same engine before real mail servers (some ten minutes)
python3 -m webapp bench   the benchmarks: [NAME …] [--json FILE]
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code, or does not return when it becomes another program."""
    command, rest = (arguments[0], list(arguments[1:])) if arguments else ("help", [])
    if command in ("help", "-h", "--help"):
        print(USAGE, end="")
        return 0
    if command not in COMMANDS:
        print(f"There is no command {command!r}.\n\n{USAGE}", end="", file=sys.stderr)
        return 2
    if os.name != "posix":
        print("This runs on Linux and macOS. On Windows, use it inside WSL.", file=sys.stderr)
        return 1
    try:
        return COMMANDS[command](rest)
    except EnvironmentProblem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next start takes up where this one ended.", file=sys.stderr)
        return 130


def demo(arguments: Sequence[str]) -> int:
    """The whole program on this machine."""
    environment = Environment()
    if not environment.is_ready(DEMO):
        environment.make_ready(DEMO)
    if not environment.is_this_one():
        environment.run("webapp", ["demo", *arguments])
    from webapp.demo.command import run

    return run(arguments)


def test(arguments: Sequence[str]) -> int:
    """The tests: two at a time unless told otherwise, each file's tests in one process, the files in the order of tests/order.py."""
    environment = _with_tests()
    for option, module in (("--faults", "tests.faults"), ("--relays", "tests.relays")):
        if option in arguments:
            environment.run(module, [word for word in arguments if word != option])
    chosen = any(word.startswith(("-n", "--numprocesses", "--pdb", "--trace")) for word in arguments)
    environment.run("pytest", [*([] if chosen else SIDE_BY_SIDE), *arguments])


def bench(arguments: Sequence[str]) -> int:
    """The benchmarks."""
    _with_tests().run("tests.benchmarks", arguments)


SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""With more at a time on two processors, tests that judge order disturb each other."""

COMMANDS = {"demo": demo, "test": test, "bench": bench}


def _with_tests() -> Environment:
    environment = Environment()
    if not environment.is_ready(TESTS):
        environment.make_ready(TESTS)
    return environment
