"""TLS in front of a server that speaks none: what a client and it say to each other passes unchanged."""

import asyncio
import contextlib
import threading
from pathlib import Path

from tests.certificates import server_context


class TlsProxy:
    """Listens on loopback with the certificate in `pem`, and passes on to a unix socket. A context manager."""

    def __init__(self, pem: Path, socket: Path) -> None:
        self._pem, self._socket = pem, socket
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="TLS proxy", daemon=True)

    def __enter__(self) -> "TlsProxy":
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._pass, "127.0.0.1", 0, ssl=server_context(self._pem)), self._loop
        ).result(10)
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(self._socket)
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
