"""A non-blocking TCP connection, plain or TLS, that knows exactly what has left it."""

import contextlib
import errno
import ipaddress
import os
import selectors
import socket
import ssl

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
READ_OCTETS = 4_096
"""Octets of one read: answers are short, and room that is not used has to be found and given back for each of them."""

RECORD_OCTETS = 16_384
"""What is kept leaves in pieces of one TLS record (RFC 8446 section 5.1): a record that has not left whole cannot be read by the other
side, so that "cannot take it now" always means that nothing of the piece arrived, also not a final dot near its end."""
PIECES_AT_A_TIME = 16

Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """One socket and what it still has to write.

    `unsent` counts the octets given to `write` that the kernel has not taken. `ended` says in words why nothing more will come; what
    was received before the end is always read first, because it may hold the reply that matters.
    """

    __slots__ = (
        "_mask",
        "_owner",
        "_selector",
        "_unsent",
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
        self.socket: socket.socket
        self.unsent = 0
        self.is_tls = False
        self.is_shaking_hands = False
        self.write_failed = False
        self.ended: str | None = None

    def connect(self, address: Address) -> None:
        """Begin to connect; `connected` tells the end. Raises OSError when the system refuses at once. May be called again after it."""
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
        """The socket became writable: the connection stands, or OSError says why not."""
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code not in (0, errno.ECONNRESET):  # reset: it did stand, and the next read tells
            raise OSError(code, os.strerror(code))
        self._watch(READ)

    def is_loopback(self) -> bool:
        """True when the other side is this machine."""
        return ipaddress.ip_address(self.socket.getpeername()[0].partition("%")[0]).is_loopback

    def wrap(self, context: ssl.SSLContext, host: str) -> None:
        """Begin TLS as a client, for a server whose certificate must be good for `host`; go on with `handshake`."""
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
        """Send, or keep what cannot leave now. A failure shows in `ended` once everything received has been read."""
        if self.unsent:
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
        self.unsent = len(self._unsent)
        self.flush()

    def flush(self) -> None:
        """Send more of what is kept: a bounded part, so that what comes in meanwhile is soon read."""
        if self.write_failed:
            return
        try:
            for _ in range(PIECES_AT_A_TIME):
                self._unsent = self._unsent[self.socket.send(self._unsent[:RECORD_OCTETS]) :]
                self.unsent = len(self._unsent)
                if not self.unsent:
                    break
        except _NOT_NOW:
            pass
        except OSError:
            self.write_failed = True
        self._watch(READ if self.write_failed or not self.unsent else READ | WRITE)

    def read(self) -> bytes:
        """What has arrived; empty when nothing has. Sets `ended` at the end of the stream."""
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
        """Let go of the socket, if there is one."""
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
