"""PgBouncer in transaction mode in front of this run's PostgreSQL: the one that Debian packages, with the settings it comes with."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests import postgres, run
from webapp.demo import children

PROGRAM = "/usr/sbin/pgbouncer"
PORT = 6432
INI = """\
[databases]
* = host={server}

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
"""


class Bouncer:
    """One PgBouncer. `url` is what DATABASE_URL takes, `log` what it and its server's clients are told."""

    def __init__(self, url: str, folder: Path) -> None:
        """`url` of the database behind it; `folder` is made, and holds its socket: a short path."""
        parts = urlsplit(url)
        self._folder, self._database = folder, parts.path.lstrip("/")
        self.log = folder / "pgbouncer.log"
        self.url = f"postgresql+psycopg://{postgres.USER}@/{self._database}?host={folder}&port={PORT}"
        self._user = "nobody" if os.geteuid() == 0 else None
        folder.mkdir()
        (folder / "users").write_text(f'"{postgres.USER}" ""\n')
        server = parse_qs(parts.query)["host"][0]
        (folder / "pgbouncer.ini").write_text(INI.format(server=server, folder=folder, port=PORT))
        if self._user:
            shutil.chown(folder, self._user)

    def start(self) -> None:
        """From the main thread; returns when a question to the database is answered."""
        command = [PROGRAM, self._folder / "pgbouncer.ini"]
        self._process: Popen[bytes] = children.start(command, log=self.log, user=self._user, cwd=self._folder)
        deadline = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(f"{postgres.conninfo(self._folder, self._database)} port={PORT}").close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise postgres.PostgresError(f"pgbouncer did not start:\n{children.tail(self.log)}")

    def stop(self, sign: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: it ends when no transaction is under way any more; SIGKILL: at once, as an accident."""
        children.stop(self._process, sign=sign, patience=5)

    def complaints(self) -> list[str]:
        """What it has logged beside the coming and going of clients and servers."""
        return [
            line for line in self.log.read_text().splitlines() if any(word in line for word in ("ERROR", "WARNING"))
        ]


def is_installed() -> bool:
    return Path(PROGRAM).exists()


@contextmanager
def in_front_of(url: str, folder: Path) -> Iterator[Bouncer]:
    """A PgBouncer for the database `url`. Skips the test, or fails, where the program is not installed."""
    if not is_installed():
        run.missing(f"PgBouncer ({PROGRAM}; apt install pgbouncer)")
    bouncer = Bouncer(url, folder)
    bouncer.start()
    try:
        yield bouncer
    finally:
        bouncer.stop()
