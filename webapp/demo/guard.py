"""Ends the demo's programs when its supervisor cannot do so any more, because it was killed.

`python -m webapp.demo.guard` reads process ids from its standard input, one a line. When the input ends, for whatever reason,
whoever is still alive of them and of what they started is ended. That reaches further than the parent-death signal, which
Linux alone has and which a worker's work-horse does not inherit.
"""

import signal
import subprocess
import sys

from webapp.demo import children

PATIENCE = 3.0
"""Seconds to end by oneself."""


def start() -> subprocess.Popen[bytes]:
    """Start a guard; write process ids to its `stdin`."""
    command = [sys.executable, "-m", "webapp.demo.guard"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def main() -> None:
    for harmless in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(harmless, signal.SIG_IGN)
    leaders = [int(line) for line in sys.stdin]
    children.end_sessions(leaders, PATIENCE)


if __name__ == "__main__":
    main()
