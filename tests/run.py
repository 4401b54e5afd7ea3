"""One pytest run: a folder its processes share (xdist workers included), servers started when first needed, and what may be missing."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

T = TypeVar("T")
FOLDER = "MASSMAIL_TEST_RUN"
CONTROLLER = "MASSMAIL_TEST_CONTROLLER"
NOTHING_SKIPPED = "MASSMAIL_NOTHING_SKIPPED"
FULL = "MASSMAIL_TESTS_FULL"


def folder() -> Path:
    """The folder of this run, made by tests/conftest.py; short, because it holds sockets."""
    return Path(os.environ[FOLDER])


def begin() -> None:
    """Make the folder of this run; what `folder`, PostgreSQL and the rest lean on."""
    made = tempfile.mkdtemp(prefix="massmail-")
    Path(made).chmod(0o711)  # as root, PostgreSQL runs as somebody else, who must pass through
    os.environ[FOLDER] = made
    os.environ[CONTROLLER] = str(os.getpid())
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        # Nothing is to be written beside the sources. Each of the hundreds of programs that tests start would compile all of them, and all
        # packages, which takes seconds: what is compiled is kept in the run's own folder.
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(folder() / "compiled"))


def end() -> None:
    """End what this run has started, and remove its folder."""
    end_postgres()
    shutil.rmtree(folder(), ignore_errors=True)


def missing(what: str) -> NoReturn:
    """A part of this machine is missing: skip the test with a clear word, or fail where nothing may be skipped."""
    if nothing_may_be_skipped():
        pytest.fail(f"missing on this machine: {what}", pytrace=False)
    pytest.skip(f"missing on this machine: {what}")


def nothing_may_be_skipped() -> bool:
    return os.environ.get(NOTHING_SKIPPED) == "1"


def bare_environ(**settings: str) -> dict[str, str]:
    """The environment of a program that knows these settings, the PATH, where Python keeps what it compiled, and nothing else of ours."""
    kept = ("PATH", "PYTHONPYCACHEPREFIX")
    return {name: os.environ[name] for name in kept if name in os.environ} | settings


def some(values: Sequence[T], *, first: int, step: int) -> Sequence[T]:
    """Of what a test tries much of, every `step`th from `first` on: others try the rest. All of it with `--full`."""
    return values if os.environ.get(FULL) == "1" else values[first::step]


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Only one process of this run is inside at a time."""
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def postgres_folder() -> Path:
    """Where this run's PostgreSQL listens; started by the first who asks. Skips (or fails) when it cannot be."""
    with alone("pg"):
        pid_file, failed = folder() / "pg.pid", folder() / "pg.failed"
        if not pid_file.exists() and not failed.exists():
            keeper = _start_keeper()
            while not pid_file.exists() and not failed.exists() and keeper.poll() is None:
                time.sleep(0.02)
        if not pid_file.exists():
            missing(f"PostgreSQL ({failed.read_text() if failed.exists() else 'its keeper died'})")
    return folder() / "pg"


def end_postgres() -> None:
    """End this run's PostgreSQL, if there is one."""
    pid_file = folder() / "pg.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
        while pid_file.exists():
            time.sleep(0.02)


def _start_keeper() -> subprocess.Popen[bytes]:
    """Start a process that serves PostgreSQL, outlives the xdist worker which asked for it, and ends with the run."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.run", os.environ[FOLDER], os.environ[CONTROLLER]],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _keep_postgres(run: Path, controller: int) -> None:
    """Serve PostgreSQL in `run`/pg until the process `controller` is gone or we are asked to end."""
    from tests import postgres
    from webapp.demo import children

    asked_to_end = []
    signal.signal(signal.SIGTERM, lambda *_: asked_to_end.append(True))
    (run / "pg").mkdir()
    try:
        server = postgres.start(run / "pg")
    except Exception as error:
        (run / "pg.failed").write_text(str(error))
        raise
    (run / "pg.pid").write_text(str(os.getpid()))
    while not asked_to_end and server.poll() is None and _alive(controller):
        time.sleep(0.05)
    children.stop(server, sign=signal.SIGQUIT, patience=5)
    (run / "pg.pid").unlink(missing_ok=True)
    if not _alive(controller):
        shutil.rmtree(run, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    _keep_postgres(Path(sys.argv[1]), int(sys.argv[2]))
