"""A Redis that answers and cannot be used, made with a real one: each is on for as long as its context lasts."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from redis import Redis
from redis.exceptions import RedisError

ADMIN, PASSWORD = "for-tests", "only-for-tests"


def admin(url: str) -> Redis:
    """A connection for somebody whom no trouble concerns; made before the trouble begins."""
    with Redis.from_url(url) as plain:
        plain.execute_command("ACL", "SETUSER", ADMIN, "on", f">{PASSWORD}", "~*", "&*", "+@all")
    connection = Redis.from_url(url, username=ADMIN, password=PASSWORD)
    connection.ping()
    return connection


@contextmanager
def readonly(redis: Redis) -> Iterator[None]:
    """READONLY: a replica, as a primary is after it was replaced; here of a primary that does not exist."""
    redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        yield
    finally:
        redis.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def master_down(redis: Redis) -> Iterator[None]:
    """MASTERDOWN: a replica that answers nothing without its primary."""
    redis.config_set("replica-serve-stale-data", "no")
    try:
        with readonly(redis):
            yield
    finally:
        redis.config_set("replica-serve-stale-data", "yes")


@contextmanager
def full(redis: Redis) -> Iterator[None]:
    """OOM: no memory left, and nothing may be thrown away."""
    redis.config_set("maxmemory", "1")
    try:
        yield
    finally:
        redis.config_set("maxmemory", "0")


@contextmanager
def forbidden(redis: Redis) -> Iterator[None]:
    """NOPERM: somebody has taken rights away from the user of the program."""
    redis.execute_command("ACL", "SETUSER", "default", "-@write", "-@scripting")
    try:
        yield
    finally:
        redis.execute_command("ACL", "SETUSER", "default", "+@all")


@contextmanager
def password(redis: Redis) -> Iterator[None]:
    """NOAUTH: a password was set, and all connections were ended."""
    redis.config_set("requirepass", PASSWORD)
    for kind in ("normal", "pubsub"):
        redis.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
    try:
        yield
    finally:
        redis.execute_command("ACL", "SETUSER", "default", "nopass")


@contextmanager
def busy(redis: Redis) -> Iterator[None]:
    """BUSY: a script that does not end by itself."""
    redis.config_set("busy-reply-threshold", "50")
    redis.config_set("lua-time-limit", "50")

    def run() -> None:
        with suppress(RedisError):
            redis.eval("while true do end", 0)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        while thread.is_alive():
            with suppress(RedisError):
                redis.script_kill()
            thread.join(0.1)


TROUBLES: dict[str, Callable[[Redis], AbstractContextManager[None]]] = {
    "READONLY": readonly,
    "MASTERDOWN": master_down,
    "OOM": full,
    "NOPERM": forbidden,
    "NOAUTH": password,
    "BUSY": busy,
}
"""By the first word of the answer."""


def lasts(redis: Redis, trouble: str, seconds: float) -> None:
    """Have a trouble for so many seconds."""
    with TROUBLES[trouble](redis):
        time.sleep(seconds)
