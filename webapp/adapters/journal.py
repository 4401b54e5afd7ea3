"""The journal of a sending process: a file in which it writes a line before each mail's content and one after each answer.

The file is mapped into memory, and its blocks are allocated in advance: a line costs no system call, outlives the process however that
ends, and has room when the disk is full. The process holds a lock on the file while it lives; the lock tells others that it does.

A journal is *here* if it lies in the folder: its writer shares the folder with us, whatever its host is called. The first line, with boot,
machine and inode, says how far to trust it:

=====================================  ==========================================================================================
same boot, same machine                a process of this kernel: the lock tells whether it lives, and every line it wrote is there
another boot, same machine             the machine restarted, or the folder moved to another, or two hosts share it over a network. The
                                       lines are true; some may be missing, and the lock of a living process may not be visible. So its
                                       lease must be over, and rows without a line are uncertain
another machine or inode               a copy, of the folder or from a back-up: as above, since the original may have gone on
no such file                           the folder of another machine, or a lost file: its rows have the grace of a machine that is away
=====================================  ==========================================================================================
"""

import contextlib
import fcntl
import json
import mmap
import os
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as as_json
from pathlib import Path
from uuid import uuid4

from webapp import private
from webapp.adapters import clock, machine
from webapp.core.ports import JournalFinding
from webapp.core.rules.outcome import Cause, Reply, Stage

SIZE = 1 << 20
RESERVE = 1 << 17
"""Octets kept for the answers to mails that have begun, when the journal cannot be shortened."""

LONGEST_TEXT = 500
SUFFIX = ".journal"


class FileJournal:
    """The journal that this process writes. Others find it by its `name`."""

    _fd: int
    _map: mmap.mmap
    _end: int

    def __init__(self, folder: Path, size: int = SIZE) -> None:
        private.folder(folder)
        self.name = uuid4().hex + SUFFIX
        self._path = folder / self.name
        self._size = size
        self.machine = machine.id_of(folder)
        self._begin(b"")

    def begins(self, delivery_id: int, attempt: int) -> None:
        if self.is_full and self._end > self._room - RESERVE:
            raise OSError("the journal is full and cannot be shortened")
        self._append(b"B %d %d\n" % (delivery_id, attempt))

    def replied(self, delivery_id: int, attempt: int, reply: Reply) -> None:
        longest = LONGEST_TEXT if self._end <= self._room - RESERVE else 40
        self._append(_reply_line(delivery_id, attempt, reply, longest))

    def shorten(self, keep: Mapping[tuple[int, int], Reply | None]) -> None:
        lines = b"".join(
            b"B %d %d\n" % key if reply is None else _reply_line(*key, reply, LONGEST_TEXT)
            for key, reply in keep.items()
        )
        old = self._fd, self._map
        self._begin(lines)
        _let_go(*old)

    def sync(self) -> None:
        self._map.flush()
        os.fsync(self._fd)

    def discard(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        self.leave()

    def leave(self) -> None:
        _let_go(self._fd, self._map)

    def _append(self, line: bytes) -> None:
        begin = self._end
        self._end = end = begin + len(line)
        self._map[begin:end] = line
        if end > self._due:
            self.is_full = True

    def _begin(self, lines: bytes) -> None:
        self._fd, self._map, self._end = self._open(lines)
        self._room = len(self._map)
        self._due = self._room - 2 * RESERVE
        self.is_full = self._end > self._due

    def _open(self, lines: bytes) -> tuple[int, mmap.mmap, int]:
        """Put a new file in place of the old one, locked before anybody can see it."""
        fresh = self._path.with_suffix(".new")
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            head = f"massmail 2 {clock.boot()} {self.machine} {os.fstat(fd).st_ino}\n".encode() + lines
            size = max(self._size, len(head) + 4 * RESERVE)
            _allocate(fd, size)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mapped = mmap.mmap(fd, size)
            mapped[: len(head)] = head
            fresh.rename(self._path)
        except BaseException:
            os.close(fd)
            fresh.unlink(missing_ok=True)
            raise
        return fd, mapped, len(head)


def find(folder: Path, name: str) -> JournalFinding:
    """What is left of a journal in this folder. `is_here` is False when there is none; `boot` is None when it is a copy."""
    path = folder / name
    while True:
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return JournalFinding(is_here=False)
        try:
            is_held = _is_locked(fd)
            # The process may just have put a shorter file in place of the one that we opened.
            inode = os.fstat(fd).st_ino
            with contextlib.suppress(FileNotFoundError):
                if inode != path.stat().st_ino:
                    continue
            with os.fdopen(os.dup(fd), "rb") as file:
                content = file.read()
        finally:
            os.close(fd)
        return _parse(content, is_held, (machine.id_of(folder), str(inode)))


def discard(folder: Path, name: str) -> None:
    """Remove a journal whose every row was settled."""
    (folder / name).unlink(missing_ok=True)


def names(folder: Path) -> list[str]:
    """The journals in the folder."""
    return sorted(path.name for path in folder.glob("*" + SUFFIX))


class FileJournals:
    """`ports.Journals` of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> FileJournal:
        return FileJournal(self.folder)

    def find(self, name: str) -> JournalFinding:
        return find(self.folder, name)

    def discard(self, name: str) -> None:
        discard(self.folder, name)


def _parse(content: bytes, is_held: bool, original: tuple[str, str]) -> JournalFinding:
    head, *lines = content.split(b"\0", 1)[0].split(b"\n")
    # A line without its end was cut off when the process ended: what it announces has not happened.
    lines = lines[:-1]
    words = head.decode("utf-8", "replace").split()
    if len(words) < 4 or words[0] != "massmail":
        return JournalFinding(is_here=False)
    # The first version had the host's name only, which says nothing.
    is_original = words[1] == "1" or tuple(words[3:5]) == original
    begun: set[tuple[int, int]] = set()
    replies: dict[tuple[int, int], Reply] = {}
    for line in lines:
        kind, _, rest = line.partition(b" ")
        with contextlib.suppress(ValueError, TypeError, IndexError):
            delivery_id, attempt, *written = rest.split(b" ", 2)
            key = int(delivery_id), int(attempt)
            if kind == b"B":
                begun.add(key)
            elif kind == b"R":
                stage, code, text, error, cause = json.loads(written[0])
                replies[key] = Reply(Stage(stage), code, text, error, Cause(cause) if cause else None)
    return JournalFinding(
        is_here=True,
        is_held=is_held,
        boot=words[2] if is_original else None,
        begun=begun,
        replies=replies,
    )


def _reply_line(delivery_id: int, attempt: int, reply: Reply, longest: int) -> bytes:
    """A line that `_parse` reads as JSON. It is put together by hand for speed: this runs for every mail."""
    stage, code, text, error, cause = reply
    if code is not None and error is None and cause is None:
        return b'R %d %d ["%b",%d,%b,null,null]\n' % (
            delivery_id,
            attempt,
            stage.encode(),
            code,
            as_json(text[:longest]).encode(),
        )
    what = [stage, code, text[:longest], error and error[:longest], cause]
    return b"R %d %d %b\n" % (delivery_id, attempt, json.dumps(what).encode("ascii"))


def _is_locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _allocate(fd: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
    else:
        os.write(fd, b"\0" * size)


def _let_go(fd: int, mapped: mmap.mmap) -> None:
    mapped.close()
    os.close(fd)
