"""The lock by which only one demo uses a folder. Where its console is reached stands in the locked file, for other programs to read."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from webapp import private

NAME = "demo.lock"


class Taken(Exception):
    """A demo is running with the data in this folder."""


@contextmanager
def held(instance: Path) -> Iterator[TextIO]:
    """Hold the lock of the folder `instance`, which is made if it is new. Raises Taken, or OSError where the folder cannot be written."""
    private.folder(instance)
    with open(instance / NAME, "a", opener=private.opener) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken from None
        yield lock


def announce(lock: TextIO, url: str) -> None:
    """Write down, in the lock that is `held`, where the console is reached."""
    lock.truncate(0)
    lock.write(url)
    lock.flush()


def announced(instance: Path) -> str | None:
    """Where the demo that now uses the folder `instance` is reached; None where none runs."""
    try:
        with (instance / NAME).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (instance / NAME).read_text().strip() or None
    except OSError:
        pass
    return None
