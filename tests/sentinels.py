"""Redis as it is run where it must not be missing: a primary, two replicas, and three Sentinels that agree on which is which; all
with passwords, on loopback."""

import signal
import socket
import time
from pathlib import Path
from subprocess import Popen

from redis.exceptions import RedisError

from webapp.adapters import redis_link
from webapp.demo import children, valkey

MASTER, PASSWORD, SENTINEL_PASSWORD = "mymaster", "of-the-servers", "of-the-sentinels"
NOTICED_MS = 1_000
SENTINEL = """\
port {port}
bind 127.0.0.1
dir {folder}
requirepass {sentinel_password}
sentinel sentinel-pass {sentinel_password}
sentinel monitor {master} 127.0.0.1 {primary} 2
sentinel auth-pass {master} {password}
sentinel down-after-milliseconds {master} {noticed}
sentinel failover-timeout {master} 3000
"""
SERVER = (
    *("--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD, "--primaryauth", PASSWORD),
    *("--repl-diskless-sync-delay", "0"),
)


class Sentinels:
    """`url` is what REDIS_URL takes. A context manager; from the main thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        ports = _free_ports(6)
        self._servers, self._sentinels = ports[:3], ports[3:]
        self._running: dict[int, Popen[bytes]] = {}
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._sentinels)
        self.url = f"redis+sentinel://:{PASSWORD}@{hosts}/0?master={MASTER}&sentinel_password={SENTINEL_PASSWORD}"

    def __enter__(self) -> "Sentinels":
        primary, *replicas = self._servers
        self._start(primary)
        for replica in replicas:
            self._start(replica, "--replicaof", f"127.0.0.1 {primary}")
        for port in self._sentinels:
            path = self._folder / f"sentinel-{port}.conf"
            path.write_text(
                SENTINEL.format(
                    port=port,
                    folder=self._folder,
                    primary=primary,
                    master=MASTER,
                    password=PASSWORD,
                    sentinel_password=SENTINEL_PASSWORD,
                    noticed=NOTICED_MS,
                )
            )
            self._run(port, path, "--sentinel")
        self.wait_until_whole()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            children.stop(process, sign=signal.SIGKILL, patience=3)

    def primary(self) -> int:
        """The port of the server that the Sentinels call the primary."""
        with redis_link.connect(self.url) as redis:
            return int(redis.connection_pool.get_master_address()[1])  # type: ignore[attr-defined]

    def kill_primary(self) -> int:
        """As an accident; the port of who was it."""
        port = self.primary()
        children.stop(self._running.pop(port), sign=signal.SIGKILL, patience=3)
        return port

    def come_back(self, port: int) -> None:
        """Start a server that was killed, as the primary that it was: the Sentinels make it a replica."""
        self._start(port)

    def wait_until_whole(self, patience: float = 40) -> None:
        """Until each Sentinel knows the two others and a replica that is up to date, so that they can act when the primary is gone."""
        end = time.monotonic() + patience
        while not all(self._is_whole(port) for port in self._sentinels):
            assert time.monotonic() < end, f"the Sentinels do not agree: {children.tail(self._folder / 'log', 30)}"
            time.sleep(0.1)

    def _is_whole(self, port: int) -> bool:
        place = f"redis://:{SENTINEL_PASSWORD}@127.0.0.1:{port}"
        try:
            with redis_link.connect(place) as sentinel:
                known = sentinel.sentinel_master(MASTER)
                replicas = sentinel.sentinel_slaves(MASTER)
            with redis_link.connect(self.url) as redis:
                replication = redis.info("replication")
        except RedisError:
            return False
        return (
            known["num-other-sentinels"] == len(self._sentinels) - 1
            and known["flags"] == "master"
            and any(replica["flags"] == "slave" and replica["master-link-status"] == "ok" for replica in replicas)
            and replication.get("connected_slaves", 0) >= 1
        )

    def _start(self, port: int, *more: str) -> None:
        folder = self._folder / str(port)
        folder.mkdir(exist_ok=True)
        self._run(port, *SERVER, "--port", str(port), "--dir", str(folder), *more)

    def _run(self, port: int, *arguments: str | Path) -> None:
        command = [valkey.binary(), *arguments]
        self._running[port] = children.start(command, log=self._folder / "log", cwd=self._folder)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
