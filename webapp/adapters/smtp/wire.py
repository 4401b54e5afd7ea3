"""A non-blocking TCP connection, plain or TLS, that knows exactly which octets have left it."""

import contextlib
import errno
import ipaddress
import os
import selectors
import socket
import ssl
from collections import deque
from collections.abc import Sequence

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
READ_OCTETS = 4_096
"""Octets of one read. Answers are short, and each read allocates and frees this much memory."""

RECORD_OCTETS = 16_384
"""Octets of one TLS record (RFC 8446 section 5.1). What could not leave at once leaves in pieces of this size: the other side cannot read a
record before it is complete, so "cannot take it now" always means that no octet of the piece arrived, nor a final dot near its end."""
PIECES_AT_A_TIME = 16

Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """One socket and the octets that it still has to write.

    `unsent` counts the octets given to `write` that the kernel has not taken. `ended` says in words why nothing more will come; octets
    that came before the end are always read first, because they may hold the reply that matters.
    """

    __slots__ = (
        "_mask",
        "_owner",
        "_selector",
        "_unsent",
        "_waiting",
        "ended",
        "is_shaking_hands",
        "is_tls",
        "socket",
        "unsent",
        "write_failed",
    )

    def __init__(self, selector: selectors.BaseSelector, owner: object) -> None:
        self._selector, self._owner, self._mask = selector, owner, WRITE
        self._unsent: memoryview = memoryview(b"")
        self._waiting: deque[bytes] = deque()
        self.socket: socket.socket
        self.unsent = 0
        self.is_tls = False
        self.is_shaking_hands = False
        self.write_failed = False
        self.ended: str | None = None

    def connect(self, address: Address) -> None:
        """Begin to connect; `connected` ends it. Raises OSError when the system refuses at once; then it may be called again."""
        self.close()
        family, target = address
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self.socket.connect_ex(target)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
        self._selector.register(self.socket, WRITE, self._owner)
        self._mask = WRITE

    def connected(self) -> None:
        """The socket became writable: the connection is there, or OSError says why not."""
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code not in (0, errno.ECONNRESET):  # reset: the connection was there, and the next read says so
            raise OSError(code, os.strerror(code))
        self._watch(READ)

    def is_loopback(self) -> bool:
        """True when the other side is this machine."""
        return ipaddress.ip_address(self.socket.getpeername()[0].partition("%")[0]).is_loopback

    def wrap(self, context: ssl.SSLContext, host: str) -> None:
        """Begin TLS as a client. The server's certificate must be valid for `host`. Go on with `handshake`."""
        plain = self.socket
        self._selector.unregister(plain)
        self.socket = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        self._selector.register(self.socket, READ | WRITE, self._owner)
        self._mask = READ | WRITE
        self.is_tls = self.is_shaking_hands = True

    def handshake(self) -> bool:
        """Go on with the TLS handshake; True when it is done. Raises ssl.SSLError or OSError when it fails."""
        assert isinstance(self.socket, ssl.SSLSocket)
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(READ)
            return False
        except ssl.SSLWantWriteError:
            self._watch(READ | WRITE)
            return False
        self._watch(READ)
        self.is_shaking_hands = False
        return True

    def write(self, data: bytes) -> None:
        """Send, or keep what cannot leave now. `ended` tells a failure once everything received has been read."""
        if self._waiting:
            self._waiting.append(data)
        elif self.unsent:
            self._unsent = memoryview(bytes(self._unsent) + data)
        elif self.is_tls:
            self._unsent = memoryview(data)
        else:
            sent = 0
            try:
                sent = self.socket.send(data)
            except _NOT_NOW:
                pass
            except OSError:
                self.write_failed = True
            if sent == len(data):
                return
            self._unsent = memoryview(data)[sent:]
        self.unsent = len(self._unsent) + sum(map(len, self._waiting))
        self.flush()

    def write_all(self, pieces: Sequence[bytes]) -> None:
        """The same for octets in several pieces, none of which is copied: they may be long, and belong to many mails."""
        waiting = deque(one for one in pieces if one)
        if not waiting:
            return
        if not (self.unsent or self.is_tls or self.write_failed):
            sent = 0
            try:
                sent = self.socket.sendmsg(waiting)
            except _NOT_NOW:
                pass
            except OSError:
                self.write_failed = True
            while waiting and sent >= len(waiting[0]):
                sent -= len(waiting.popleft())
            if not waiting:
                return
            self._unsent = memoryview(waiting.popleft())[sent:]
        elif not self.unsent:
            self._unsent = memoryview(waiting.popleft())
        self._waiting += waiting
        self.unsent = len(self._unsent) + sum(map(len, self._waiting))
        self.flush()

    def flush(self) -> None:
        """Send more of what is kept: at most PIECES_AT_A_TIME records, so that incoming octets are soon read."""
        if self.write_failed:
            return
        try:
            for _ in range(PIECES_AT_A_TIME):
                sent = self.socket.send(self._unsent[:RECORD_OCTETS])
                self._unsent = self._unsent[sent:]
                self.unsent -= sent
                if self._waiting and not self._unsent:
                    self._unsent = memoryview(self._waiting.popleft())
                if not self.unsent:
                    break
        except _NOT_NOW:
            pass
        except OSError:
            self.write_failed = True
        self._watch(READ if self.write_failed or not self.unsent else READ | WRITE)

    def read(self) -> bytes:
        """The octets that have arrived; empty when none have. Sets `ended` at the end of the stream."""
        if not self.is_tls:
            return self._receive()
        pieces = []
        while piece := self._receive():
            pieces.append(piece)
        return b"".join(pieces)

    def _receive(self) -> bytes:
        try:
            data = self.socket.recv(READ_OCTETS)
        except _NOT_NOW:
            return b""
        except OSError as error:
            self.ended = f"connection lost: {error.strerror or error}"
            return b""
        if not data:
            self.ended = "connection closed by the relay"
        return data

    def close(self) -> None:
        """Close the socket, if there is one."""
        if not hasattr(self, "socket"):
            return
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(self.socket)
        with contextlib.suppress(OSError):
            self.socket.close()

    def _watch(self, mask: int) -> None:
        if mask != self._mask:
            self._selector.modify(self.socket, mask, self._owner)
            self._mask = mask
