"""The console behind a gate that waits for slow clients, so that none of its threads has to. For where no reverse proxy does that.

A WSGI server lends a thread to each request whose body is on its way, and a handful of clients that send an octet a second have them all.
Here a body is read whole by the event loop first, within a time that grows with what has arrived; only then a thread gets the request.
Heads have a time of their own, see `granian()`. (ASGI 3, https://asgi.readthedocs.io/en/latest/specs/www.html; WSGI, PEP 3333.)
"""

import asyncio
import io
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from wsgiref.types import WSGIApplication

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

THREADS = 8
CONNECTIONS = 8192
"""So many connections may be open. One costs a few kB and no thread, and those that do not get on with it are closed."""

HEAD_S = 10
"""Seconds for the head of a request, also for the next one on a connection that is kept."""

BODY_S = 20.0
OCTETS_A_SECOND = 16 * 1024
"""A body has `BODY_S`, and a second more for each so many octets of it that have come."""

ANSWER_S = 60.0
"""Seconds in which a client is to take each piece of an answer."""

IN_MEMORY = 256 * 1024
LARGEST = 600 * 1024 * 1024
"""Octets of a body; the app has limits of its own, which are tighter."""


def granian(app: str, host: str, port: int) -> list[str]:
    """The command that serves `app`, a `module:name` of a Gate."""
    size = ["--workers", "1", "--no-ws", "--http", "1", "--backpressure", str(CONNECTIONS), "--backlog", "1024"]
    times = ["--http1-header-read-timeout", str(HEAD_S * 1000), "--workers-kill-timeout", "3s"]
    where = ["--host", host, "--port", str(port)]
    return [sys.executable, "-m", "granian", "--interface", "asginl", *size, *times, *where, app]


class Gate:
    """An ASGI app around a WSGI app."""

    def __init__(self, app: WSGIApplication, *, threads: int = THREADS, body_s: float = BODY_S):
        self._app, self._body_s = app, body_s
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as body:
            refusal = await self._read(receive, cast(BinaryIO, body))
            if refusal is not None:
                await _refuse(send, refusal)
                return
            environ = _environ(scope, cast(BinaryIO, body))
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, _serve, self._app, environ, _Response(send, loop))

    async def _read(self, receive: Receive, body: BinaryIO) -> int | None:
        """Read the body to its end; the status to refuse it with if it is too long or too slow, 0 for a client that has gone."""
        loop, size = asyncio.get_running_loop(), 0
        began = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(began + self._body_s + size / OCTETS_A_SECOND):
                    message = await receive()
            except TimeoutError:
                return 408
            if message["type"] == "http.disconnect":
                return 0
            size += len(message.get("body", b""))
            if size > LARGEST:
                return 413
            body.write(message.get("body", b""))
            if not message.get("more_body"):
                body.seek(0)
                return None


class _Response:
    """What the app says, sent by the event loop, from the thread in which the app runs."""

    def __init__(self, send: Send, loop: asyncio.AbstractEventLoop):
        self._send, self._loop = send, loop
        self._head: Message | None = None
        self._is_begun = False

    def start(
        self, status: str, headers: Sequence[tuple[str, str]], exc_info: "OptExcInfo | None" = None
    ) -> Callable[[bytes], object]:
        if exc_info and exc_info[1] and self._is_begun:
            raise exc_info[1].with_traceback(exc_info[2])
        named = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._head = {"type": "http.response.start", "status": int(status[:3]), "headers": named}
        return self.write

    def write(self, piece: bytes, *, more: bool = True) -> None:
        if not self._is_begun:
            assert self._head is not None, "the app has sent no status"
            self._is_begun = True
            self._say(self._head)
        if piece or not more:
            self._say({"type": "http.response.body", "body": piece, "more_body": more})

    def _say(self, message: Message) -> None:
        said: Future[None] = asyncio.run_coroutine_threadsafe(_awaited(self._send(message)), self._loop)
        try:
            said.result(ANSWER_S)
        except TimeoutError:
            said.cancel()
            raise


async def _awaited(waiting: Awaitable[None]) -> None:
    await waiting


def _serve(app: WSGIApplication, environ: dict[str, Any], answer: _Response) -> None:
    pieces: Iterable[bytes] = app(environ, answer.start)
    try:
        for piece in pieces:
            answer.write(piece)
        answer.write(b"", more=False)
    finally:
        if close := getattr(pieces, "close", None):
            close()


async def _refuse(send: Send, status: int) -> None:
    if status:
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send(
            {"type": "http.response.body", "body": b"This request was too slow or too long.\n", "more_body": False}
        )


def _environ(scope: Message, body: BinaryIO) -> dict[str, Any]:
    server = scope.get("server") or ("127.0.0.1", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:  # which WSGI could not tell from a hyphen, and so from what a proxy says
            continue
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        joined = "; " if name == "COOKIE" else ","
        environ[key] = f"{environ[key]}{joined}{value}" if key in environ else value
    if "HTTP_TRANSFER_ENCODING" in environ:
        del environ["HTTP_TRANSFER_ENCODING"]
        environ["CONTENT_LENGTH"] = str(body.seek(0, io.SEEK_END))
        body.seek(0)
    return environ
