"""Connecting to Redis: directly, over TLS, or to whichever server the Sentinels call the primary."""

import socket
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection, SentinelManagedSSLConnection

from webapp.config import Sentinels, sentinels

CONNECT_S, ANSWER_S = 2.0, 5.0


class Following(SentinelManagedConnection):
    """Asks the Sentinels whenever it connects. redis-py's own does so only when it is taken out of the pool, so that a command which is
    tried again and again would try the dead primary for ever."""

    def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        if retry_socket_connect and not self._sock:
            self.host, self.port = self.connection_pool.get_master_address()
        super().connect_check_health(check_health=check_health, retry_socket_connect=False)


class FollowingOverTls(Following, SentinelManagedSSLConnection):
    """The same, over TLS."""


def connect(url: str, *, retries: int = 1, connect_s: float = CONNECT_S, answer_s: float = ANSWER_S) -> Redis:
    """A client for what REDIS_URL names, which connects when it is first used and does not wait long for a Redis that is away.

    It tries again on a new connection, since the old one may be left over from before Redis was started anew, or lead to a server that
    has become a replica meanwhile.
    """
    options: dict[str, Any] = {
        "socket_timeout": answer_s,
        "socket_connect_timeout": connect_s,
        "retry": Retry(NoBackoff(), retries, (RedisConnectionError, RedisTimeoutError, socket.timeout, ReadOnlyError)),
    }
    settings = sentinels(url)
    if settings is None:
        return Redis.from_url(url, **options)
    asked = Sentinel(settings.hosts, sentinel_kwargs=sentinel_options(settings), **server_options(settings), **options)
    client: Redis = asked.master_for(settings.master)
    return client


def server_options(settings: Sentinels) -> dict[str, Any]:
    """How to connect to the Redis servers behind Sentinels, in redis-py's words."""
    kind = FollowingOverTls if settings.tls else Following
    return {
        "db": settings.db,
        "username": settings.username,
        "password": settings.password,
        "connection_class": kind,
        **_tls(settings),
    }


def sentinel_options(settings: Sentinels) -> dict[str, Any]:
    """How to connect to the Sentinels themselves. One that is away is not waited for: there are others."""
    return {
        "username": settings.sentinel_username,
        "password": settings.sentinel_password,
        "socket_timeout": CONNECT_S,
        "socket_connect_timeout": CONNECT_S,
        "retry": Retry(NoBackoff(), 0),
        **_tls(settings),
    }


def for_rq(url: str) -> dict[str, Any] | None:
    """`SENTINEL` of RQ's settings file (rq.cli.helpers.get_redis_from_config); None where REDIS_URL says it all."""
    settings = sentinels(url)
    if settings is None:
        return None
    return {
        "INSTANCES": list(settings.hosts),
        "MASTER_NAME": settings.master,
        "DB": settings.db,
        "USERNAME": settings.username,
        "PASSWORD": settings.password,
        "SSL": settings.tls,
        "CONNECTION_KWARGS": {"socket_connect_timeout": CONNECT_S, **server_options(settings)},
        "SENTINEL_KWARGS": sentinel_options(settings),
    }


def _tls(settings: Sentinels) -> dict[str, Any]:
    if not settings.tls:
        return {}
    return {"ssl": True} | ({"ssl_ca_certs": settings.ca_file} if settings.ca_file else {})
