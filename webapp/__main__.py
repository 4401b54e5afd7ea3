"""`python3 -m webapp demo`, `… test`, `… bench`: the whole program from a fresh clone, with Python and its venv and nothing else."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a newcomer's python3 may be older: this file parses there, and says so
    has = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(f"This needs Python 3.11 or newer, and this is Python {has}. Try: python3.11 -m webapp demo")

from webapp.bootstrap.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
