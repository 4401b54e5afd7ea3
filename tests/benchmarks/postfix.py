"""`smtp-sink` and `smtp-source` of Postfix: what takes mails, and the fastest known sender of constant ones to compare with.

Two programs out of Debian's package postfix and the libraries beside them, unpacked into a folder of the user's cache; nothing is
installed and nothing else of Postfix is there. A Postfix that is installed serves as well.
"""

import contextlib
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.debian import Missing, Packages
from webapp.demo import children

NAMES = ("smtp-sink", "smtp-source")
FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "massmail-postfix"
BACKLOG, CONNECTIONS = 1024, 1024


@dataclass(frozen=True)
class Took:
    """`rate` in mails a second, and processor time of a mail in µs, `of_kernel` the kernel's part of it."""

    rate: float
    microseconds: float
    of_kernel: float


@dataclass(frozen=True)
class Programs:
    """The two programs, and the environment in which they find their libraries."""

    sink: Path
    source: Path
    environ: Mapping[str, str]

    def send(self, port: int, mails: int, size: int, *, sessions: int = 10) -> "Took":
        """Have `smtp-source` send so many equal mails of so many octets over as many kept connections."""
        options = ["-d", "-s", sessions, "-m", mails, "-l", size, "-f", "news@example.com", "-t", "client@example.com"]
        command = [str(word) for word in (self.source, *options, f"127.0.0.1:{port}")]
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=self.environ, check=True, capture_output=True)
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        return Took(mails / seconds, sum(used) / mails * 1e6, used[1] / mails * 1e6)

    @contextmanager
    def receive(self, folder: Path) -> Iterator["Sink"]:
        """A running `smtp-sink`, which keeps its log in `folder`."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        log = folder / f"sink-{port}.log"
        drops = ["-u", "nobody"] if os.geteuid() == 0 else []
        command = [str(self.sink), "-c", *drops, "-m", str(CONNECTIONS), f"127.0.0.1:{port}", str(BACKLOG)]
        process = children.start(command, log=log, env=self.environ)
        try:
            _wait(process, port, log)
            yield Sink(port, log, process.pid)
        finally:
            children.stop(process)


@dataclass(frozen=True)
class Sink:
    """A running `smtp-sink`."""

    port: int
    log: Path
    pid: int

    def mails(self) -> int:
        """How many it has taken since its start, as it says itself."""
        with self.log.open("rb") as file:
            file.seek(max(self.log.stat().st_size - 4096, 0))
            counts = re.findall(rb"mesg=(\d+)", file.read())
        return int(counts[-1]) if counts else 0


def programs() -> Programs:
    """The two programs, fetched if need be. Raises Missing."""
    beside = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    sink, source = (shutil.which(name, path=beside) for name in NAMES)
    if sink and source:
        return Programs(Path(sink), Path(source), dict(os.environ))
    if not _is_complete():
        try:
            _fetch()
        except Missing as missing:
            raise Missing(f"smtp-sink and smtp-source cannot be fetched: {missing}") from None
    binaries = FOLDER / "usr" / "sbin"
    return Programs(binaries / NAMES[0], binaries / NAMES[1], _environ())


def _environ() -> dict[str, str]:
    libraries = [FOLDER / "usr" / "lib" / "postfix", *FOLDER.glob("usr/lib/*-linux-*"), *FOLDER.glob("lib/*-linux-*")]
    return dict(os.environ) | {"LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries))}


def _is_complete() -> bool:
    return all((FOLDER / "usr" / "sbin" / name).exists() for name in NAMES) and not _libraries_not_found()


def _libraries_not_found() -> list[str]:
    found = []
    for name in NAMES:
        asked = subprocess.run(["ldd", FOLDER / "usr" / "sbin" / name], env=_environ(), capture_output=True, text=True)
        found += re.findall(r"(\S+) => not found", asked.stdout)
    return found


def _fetch() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        packages = Packages(Path(name))
        _take_from(packages, ["postfix"], "usr/sbin/smtp-s*", "usr/lib/postfix/*.so")
        wanted = ["postfix"]
        for _ in range(2):  # what its binaries need, and what that needs; never all that hangs together with it
            if not _libraries_not_found():
                break
            wanted = packages.libraries_of(wanted)
            _take_from(packages, wanted, "usr/lib/*-linux-*/*.so*", "lib/*-linux-*/*.so*")
    if missing := _libraries_not_found():
        raise Missing(f"smtp-sink lacks {', '.join(missing)}")


def _take_from(packages: Packages, names: Iterable[str], *patterns: str) -> None:
    """Put those files of Debian packages into the folder."""
    with packages.unpacked(*names) as (unpacked, _):
        for file in (file for pattern in patterns for file in unpacked.glob(pattern)):
            target = FOLDER / file.relative_to(unpacked)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise Missing(f"smtp-sink does not start: {children.tail(log)}")
