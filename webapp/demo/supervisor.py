"""Starts programs one after the other, watches them, and ends them in reverse order."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from webapp import private
from webapp.demo import children, guard

LOOK_EVERY = 0.2
"""Seconds between looks at the children."""


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path


class ChildEnded(Exception):
    """A program ended although nobody asked it to; the text says which and shows the end of its log."""

    def __init__(self, child: Child):
        code = child.process.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        super().__init__(f"The {child.name} {how}. The end of {child.log}:\n\n{children.tail(child.log)}")


class Supervisor:
    """Children of this process. Use it as a context: leaving it ends them all, the last started first."""

    def __init__(self, logs: Path):
        self.logs = logs
        self.children: list[Child] = []

    def __enter__(self) -> "Supervisor":
        self._guard = guard.start()
        return self

    def __exit__(self, *_: object) -> None:
        with _unhurried():
            for child in reversed(self.children):
                children.stop(child.process, patience=8)
            assert self._guard.stdin
            self._guard.stdin.close()
            self._guard.wait()

    def log(self, name: str) -> Path:
        """The log file of the child `name`; what an earlier start wrote is kept beside it as `NAME.before.log`."""
        private.folder(self.logs)
        path = self.logs / f"{name.replace(' ', '-')}.log"
        if path.exists():
            path.replace(path.with_suffix(".before.log"))
        return path

    def start(
        self, name: str, args: Sequence[str], env: Mapping[str, str], cwd: Path, pass_fds: Sequence[int] = ()
    ) -> Child:
        """Start a program as a child called `name`."""
        log = self.log(name)
        return self.adopt(name, children.start(args, log=log, env=env, cwd=cwd, pass_fds=pass_fds), log)

    def adopt(self, name: str, process: subprocess.Popen[bytes], log: Path) -> Child:
        """Watch and end a program that was started elsewhere by `children.start`."""
        assert self._guard.stdin
        self._guard.stdin.write(b"%d\n" % process.pid)
        self._guard.stdin.flush()
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def look(self) -> None:
        """Raise ChildEnded if one has ended."""
        for child in self.children:
            if child.process.poll() is not None:
                raise ChildEnded(child)

    def wait_until(self, ready: Callable[[], bool], patience: float) -> bool:
        """Wait until `ready()`; False after `patience` seconds. Raises ChildEnded."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            self.look()
            if ready():
                return True
            time.sleep(0.05)
        return False

    def watch(self, on_line: Callable[[], None] | None = None) -> None:
        """Watch the children for ever; `on_line` is called when somebody presses Enter at the terminal. Ends by an exception:
        ChildEnded, or KeyboardInterrupt when this process is asked to end."""
        inputs = [sys.stdin] if on_line and sys.stdin and sys.stdin.isatty() else []
        while True:
            self.look()
            readable, _, _ = select.select(inputs, [], [], LOOK_EVERY)
            if readable and on_line:
                if os.read(sys.stdin.fileno(), 4096):
                    on_line()
                else:
                    inputs = []


def end_on_signals() -> None:
    """Let SIGTERM and the loss of the terminal end this process as Ctrl-C does, and SIGINT also where a script started it in the
    background, which has it ignored. Under nohup the loss of the terminal stays ignored."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _unhurried() -> Iterator[None]:
    """A second Ctrl-C does not break off the clearing up; each child has its own limit of time."""
    signs = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {sign: signal.signal(sign, signal.SIG_IGN) for sign in signs}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
