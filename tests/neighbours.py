"""Fixtures: the neighbours of the program, real ones: a Redis, and an SMTP server that records what it took."""

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import pytest
import redis
from aiosmtpd.smtp import SMTP

from tests import run
from webapp.config import RelaySettings
from webapp.demo import children, valkey


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis for this process of the run; use `redis_url`, which empties it first."""
    folder = run.folder() / f"valkey-{os.getpid()}"
    try:
        process, url = valkey.start(folder, log=run.folder() / f"valkey-{os.getpid()}.log", durable=False)
    except (valkey.ValkeyError, OSError) as error:
        run.missing(f"Valkey ({error})")
    yield url
    children.stop(process, patience=3)


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """The URL of a real Redis that is empty."""
    with redis.Redis.from_url(valkey_url) as connection:
        connection.flushall()
    return valkey_url


@dataclass(frozen=True)
class Received:
    """One transaction the server accepted: `data` is what stood between DATA and the final dot, dot-stuffing removed."""

    mail_from: str
    rcpt_to: tuple[str, ...]
    data: bytes

    @property
    def message(self) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.data, policy=policy.default))


class MailServer:
    """An SMTP server on loopback that takes everything and records it in `mails`."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.mails: list[Received] = []
        self.port = 0
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server", daemon=True)

    def __enter__(self) -> "MailServer":
        self._thread.start()
        server = self._in_loop(self._loop.create_server(lambda: SMTP(self, hostname="catcher.test"), self.host, 0))
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _in_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    @property
    def relay(self) -> RelaySettings:
        """Settings with which the program hands its mail to this server."""
        return RelaySettings(host=self.host, port=self.port, command_timeout=60, dot_timeout=60, connect_timeout=60)

    def wait_for(self, count: int, patience: float = 60) -> list[Received]:
        """The mails, once there are at least `count`; fails the test after `patience` seconds."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.mails) >= count, patience):
                pytest.fail(f"{len(self.mails)} of {count} mails arrived within {patience} s")
            return list(self.mails)

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        """aiosmtpd's hook: one accepted transaction."""
        content = envelope.original_content or b""
        with self._arrived:
            self.mails.append(Received(envelope.mail_from, tuple(envelope.rcpt_tos), content))
            self._arrived.notify_all()
        return "250 2.0.0 taken"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A real SMTP server on loopback that records what it accepted."""
    with MailServer() as server:
        yield server
