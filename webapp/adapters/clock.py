"""The time, which pages, commands and jobs hand to the core: it never looks at a clock itself."""

import socket
import time
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from webapp.core.rules.pacing import Reading

# CLOCK_BOOTTIME also counts while the machine sleeps; elsewhere than on Linux the monotonic clock has to do.
_TICKS = getattr(time, "CLOCK_BOOTTIME", None)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


ticks = time.monotonic if _TICKS is None else partial(time.clock_gettime, _TICKS)
"""Seconds since this machine's boot: the same for all its processes, and no change of the wall clock moves them."""


@cache
def boot() -> str:
    """What tells this boot of this machine from all others."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()[:36]


def reading() -> Reading:
    """All clocks at once."""
    return Reading(now(), boot(), ticks())
