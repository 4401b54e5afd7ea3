"""Starting and ending the programs that stand beside the console: Redis, mail catcher, worker, web server, PostgreSQL of the tests."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from webapp import private

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def start(
    args: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that Ctrl-C at the terminal does not reach it before its turn; its output goes
    to the end of `log`. On Linux it gets SIGTERM when this process dies, however that happens.

    Call it from the main thread: Linux counts the end of the starting *thread* as the parent's death.
    `user` (name) drops root's rights. Raises OSError when the program cannot be started.
    """
    with open(log, "ab", opener=private.opener) as output:
        return subprocess.Popen(
            [os.fspath(arg) for arg in args],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_follow_parent(),
            pass_fds=pass_fds,
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
        )


def stop(process: subprocess.Popen[bytes], *, sign: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> int:
    """End a program started by `start`, and what it started itself: `sign` for all of them, and SIGKILL for who is left after
    `patience` seconds. Returns the program's exit code."""
    deadline = time.monotonic() + patience
    _send(process.pid, sign)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    _send(process.pid, signal.SIGKILL)
    return process.wait()


def end_sessions(leaders: Iterable[int], patience: float) -> None:
    """End the programs with these process ids and what they started, for somebody who is not their parent."""
    leaders = list(leaders)
    deadline = time.monotonic() + patience
    for leader in leaders:
        _send(leader, signal.SIGTERM)
    while time.monotonic() < deadline and any(members(leader) for leader in leaders):
        time.sleep(0.05)
    for leader in leaders:
        _send(leader, signal.SIGKILL)


def members(leader: int) -> list[int]:
    """The live processes of the session that `leader` began. Where there is no /proc, only the leader itself."""
    if sys.platform != "linux":
        return [leader] if _is_alive(leader) else []
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, _parent, _group, session = Path(entry.path, "stat").read_text().rpartition(")")[2].split()[:4]
                if int(session) == leader and state not in "ZX":
                    found.append(int(entry.name))
    return found


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file; empty when there is none."""
    try:
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _send(leader: int, sign: signal.Signals) -> None:
    """A signal to a whole session. A worker's work-horse has a process group of its own, so the group is not enough."""
    for pid in members(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _follow_parent() -> Callable[[], None] | None:
    if _libc is None:
        return None
    parent = os.getpid()

    def ask_kernel() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_kernel
