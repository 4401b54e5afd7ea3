"""One call over HTTP that ends in time, whatever the server does.

A time-out of a socket begins anew with each octet, so a server that sends one a second is waited for without end. Here a timer hangs up: by
a second descriptor of the same connection, because the first is out of reach while TLS is agreed on, and where an answer ends with it.
"""

import contextlib
import http.client
import os
import socket
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple


class HttpAnswer(NamedTuple):
    """`body` is its beginning, as far as it was asked for."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class TooLate(Exception):
    """The time was over in the middle of it."""


class _OpenCall:
    """The connection as the timer sees it: from the moment there is one, until the call is over."""

    def __init__(self) -> None:
        self._ends: list[socket.socket] = []
        self._is_over = False
        self._changing = threading.Lock()

    def was_opened(self, wire: socket.socket) -> None:
        with self._changing:
            self._ends.append(socket.socket(wire.family, wire.type, wire.proto, os.dup(wire.fileno())))
        if self._is_over:
            self.hang_up()

    def hang_up(self) -> None:
        with self._changing:
            self._is_over = True
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    @property
    def was_hung_up(self) -> bool:
        return self._is_over

    def close(self) -> None:
        with self._changing:
            while self._ends:
                self._ends.pop().close()


def call(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str],
    timeout_s: float,
    most: int,
) -> HttpAnswer:
    """Send a request and read the answer, `most` octets of its body, within `timeout_s` seconds from here on (a name is looked up for as
    long as the system takes). The connection is new, and closed at the end. Raises TooLate, OSError and http.client.HTTPException."""
    line, create = _OpenCall(), connection._create_connection  # type: ignore[attr-defined]

    def opened(*place: Any, **options: Any) -> socket.socket:
        wire: socket.socket = create(*place, **options)
        line.was_opened(wire)
        return wire

    connection._create_connection = opened  # type: ignore[attr-defined]
    timer = threading.Timer(timeout_s, line.hang_up)
    timer.daemon = True
    timer.start()
    try:
        connection.request(method, target, body, dict(headers))
        response = connection.getresponse()
        read = response.read(most)
    except (OSError, http.client.HTTPException) as error:
        if line.was_hung_up or isinstance(error, TimeoutError):
            raise TooLate from error
        raise
    finally:
        timer.cancel()
        connection.close()
        line.close()
    if line.was_hung_up:  # what was cut off here looks like an end
        raise TooLate
    return HttpAnswer(response.status, response.headers, read)
