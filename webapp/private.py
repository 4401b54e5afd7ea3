"""What lies in the instance folder is nobody else's: addresses, mails, secrets. Folders are 0700 and files 0600, whatever the umask.

Standard library only; anybody may use it.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

OF_OTHERS = 0o077
"""What group and all others may do with what is ours: nothing."""

KNOWN_BY = ("secret-key", "massmail.sqlite3", "journals", "demo.lock")
"""One of these lies in an instance folder that was in use."""


def umask() -> None:
    """Have this process and those it starts make files for its user alone. For the outermost layer of each program."""
    os.umask(OF_OTHERS)


def folder(path: Path) -> None:
    """Make the folder, and those above it that are missing, if it is new."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def file(path: Path) -> None:
    """Make an empty file, unless there is one. An existing one is not even opened: closing it would drop the locks that this process holds
    on a database (https://www.sqlite.org/howtocorrupt.html, section 2.2)."""
    with suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def opener(path: str, flags: int) -> int:
    """For `open()`: a new file is ours alone."""
    return os.open(path, flags, 0o600)


def shut(path: Path) -> None:
    """Take from group and others what they may do with a file or folder of ours that an earlier version made. What belongs to somebody
    else, or is a folder for all with the sticky bit, stays as it is."""
    with suppress(OSError):
        state = path.lstat()
        if stat.S_ISLNK(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & stat.S_ISVTX:
            return
        if state.st_mode & OF_OTHERS:
            path.chmod(stat.S_IMODE(state.st_mode) & ~OF_OTHERS)


def shut_instance(path: Path) -> None:
    """Shut an instance folder and the files and folders in it. A folder in which other things lie, and nothing of ours, is left alone."""
    with suppress(OSError):
        those = list(path.iterdir())
        if not those or any((path / name).exists() for name in KNOWN_BY):
            for one in (path, *those):
                shut(one)
