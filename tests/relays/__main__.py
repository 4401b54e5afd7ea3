"""`python3 -m webapp test --relays [NAME …] [--json FILE] [--short]`: send to real mail servers, compare what they have with the ledger.

Each gets 25 mails every 2 s for a minute, and then 3,000 as fast as they go; in short 75 and 300. What is not to be had on this machine
is left out, and the table says so. The exit code is 1 when a mail was lost, came twice or other than it was made, a pace was exceeded,
or somebody had to press "Resume".
"""

import argparse
import json
import sys
from pathlib import Path

from tests import run
from tests.faults.side_by_side import side_by_side
from tests.relays.table import HEAD, RELAYS, play_one

AT_A_TIME, AT_A_TIME_SHORT = 2, 4


def main(arguments: list[str]) -> int:
    names = [real.name for real in RELAYS]
    parser = argparse.ArgumentParser(prog="python3 -m webapp test --relays", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    parser.add_argument("--short", action="store_true", help="fewer mails")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(names):
        parser.error(f"no such relay: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    wanted = [(name, chosen.short) for name in names if name in (chosen.names or names)]
    print(HEAD, flush=True)
    run.begin()
    try:
        played = side_by_side(play_one, wanted, at_a_time=AT_A_TIME_SHORT if chosen.short else AT_A_TIME)
    finally:
        run.end()
    if chosen.json:
        chosen.json.write_text(json.dumps([one.row() for one in played], indent=1) + "\n")
    failed, missing = (
        sum(map(bool, found)) for found in ([one.wrong for one in played], [one.missing for one in played])
    )
    print(f"{len(played) - failed - missing} passed, {failed} failed, {missing} not to be had")
    return 1 if failed or (missing and run.nothing_may_be_skipped()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
