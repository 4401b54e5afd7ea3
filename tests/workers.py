"""A real `rq worker` for journeys and fault tests, as it is deployed: bare, with RQ_CONFIG alone."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from subprocess import Popen
from uuid import uuid4

from flask import Flask

from jobs.attendance import LISTENS
from webapp.config import RelaySettings
from webapp.demo import children
from webapp.paths import ROOT

MARK = "TEST_WORKER"
"""The variable by which a worker's processes are told from those of others."""

OUTSIDE = ("DATABASE_URL", "REDIS_URL", "MAIL_", "MASSMAIL_", "RQ_", "SECRET_KEY")


class Worker:
    """One worker and the work-horses it forks; a context manager that leaves neither behind."""

    def __init__(
        self,
        app: Flask,
        redis_url: str,
        relay: RelaySettings,
        log: Path,
        *,
        with_scheduler: bool = True,
        **environ: str,
    ) -> None:
        app.config["REDIS_URL"] = redis_url
        self._options = ["--with-scheduler"] if with_scheduler else []
        self.log = log
        self._killed: list[int] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
        self._environ = kept | {
            "MASSMAIL_INSTANCE": str(app.config["INSTANCE"]),
            "DATABASE_URL": str(app.config["SQLALCHEMY_DATABASE_URI"]),
            "REDIS_URL": redis_url,
            "MASSMAIL_ENV_FILE": "",
            "MASSMAIL_DNS": "off",
            "RQ_CONFIG": "jobs.worker",
            "MAIL_SERVER": relay.host,
            "MAIL_PORT": str(relay.port),
            "MAIL_CONNECTIONS": str(relay.connections),
            "PYTHONUNBUFFERED": "1",
            MARK: uuid4().hex,
            "SECRET_KEY": "for tests",
            **environ,
        }

    def __enter__(self) -> "Worker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        _kill(self.horses())
        children.stop(self.process, patience=10)
        _kill([*self.horses(), *(pid for leader in self._killed for pid in children.members(leader))])

    def start(self) -> None:
        self.launch()
        wait_until(self.is_listening, 90, "the worker listens", self.log)

    def launch(self) -> None:
        """Start it without waiting until it listens. From the main thread."""
        command = [sys.executable, "-m", "rq.cli", "worker", *self._options]
        self._before = self.log.stat().st_size if self.log.exists() else 0
        self.process: Popen[bytes] = children.start(command, log=self.log, env=self._environ, cwd=ROOT)

    def is_listening(self) -> bool:
        return LISTENS.encode() in self.log.read_bytes()[self._before :]

    def horses(self) -> list[int]:
        """The work-horses alive: children of the worker (or orphans of it) that are neither it nor its scheduler."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == self.process.pid:
                continue
            with contextlib.suppress(OSError):
                environ = (entry / "environ").read_bytes()
                mark = f"{MARK}={self._environ[MARK]}\0".encode()
                if mark in environ and os.getpgid(int(entry.name)) == int(entry.name):
                    found.append(int(entry.name))
        return found

    def kill(self) -> None:
        """As `kill -9` of the worker: its work-horses live on, and so does its scheduler."""
        self.process.kill()
        self.process.wait()
        self._killed.append(self.process.pid)

    def kill_all(self) -> None:
        """As a power cut, but for the kernel: worker, work-horses and scheduler at once."""
        self.process.send_signal(signal.SIGSTOP)
        _kill(self.horses())
        self.kill()
        _kill(children.members(self.process.pid))


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool], patience: float, what: str, log: Path | None = None) -> None:
    """Until `condition` holds. Raises AssertionError after `patience` seconds."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            tail = f"\n{children.tail(log, 40)}" if log else ""
            raise AssertionError(f"{what}: not within {patience:g} s{tail}")
        time.sleep(0.02)
