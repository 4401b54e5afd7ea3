"""What has left the socket, and what has not: the difference between "not taken" and "nobody knows"."""

import selectors
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from tests.certificates import Authority, server_context
from webapp.adapters.smtp.wire import RECORD_OCTETS, Wire


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def wire(listener: socket.socket) -> Iterator[Wire]:
    """A wire whose connection to the listener stands."""
    with selectors.DefaultSelector() as selector:
        wire = Wire(selector, "owner")
        wire.connect((socket.AF_INET, listener.getsockname()))
        selector.select(5)
        wire.connected()
        yield wire
        wire.close()


def test_what_the_other_side_does_not_read_is_counted_to_the_octet(listener: socket.socket, wire: Wire) -> None:
    data = bytes(range(256)) * 100_000
    wire.write(data)
    assert 0 < wire.unsent < len(data)
    other, _ = listener.accept()
    received = bytearray()
    with other:
        while wire.unsent:
            received += other.recv(1 << 20)
            wire.flush()
        wire.write(b"end")
        while len(received) < len(data) + 3:
            received += other.recv(1 << 20)
    assert received == data + b"end"


def test_more_may_be_written_while_something_is_kept(listener: socket.socket, wire: Wire) -> None:
    data = b"x" * 20_000_000
    wire.write(data)
    kept = wire.unsent
    wire.write(b"behind")
    assert wire.unsent >= kept - 16 * RECORD_OCTETS + len(b"behind")
    other, _ = listener.accept()
    received = bytearray()
    with other:
        while len(received) < len(data) + 6:
            received += other.recv(1 << 20)
            wire.flush()
    assert received[-8:] == b"xxbehind"


def test_nothing_counts_as_sent_once_the_connection_is_broken_and_the_last_words_are_still_read(
    listener: socket.socket, wire: Wire
) -> None:
    other, _ = listener.accept()
    other.sendall(b"421 goodbye\r\n")
    other.close()
    while not wire.write_failed:
        wire.write(b"x")
    assert wire.unsent >= 1
    kept = wire.unsent
    wire.write(b"more")
    assert wire.unsent == kept + 4
    assert wire.read() == b"421 goodbye\r\n"
    assert wire.read() == b"" and wire.ended


def test_tls_leaves_record_by_record_so_that_a_dot_has_left_only_when_it_is_counted(
    listener: socket.socket, wire: Wire, authority: Authority
) -> None:
    sizes: list[int] = []

    class CountingSocket(ssl.SSLSocket):
        def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]
            sizes.append(len(data))
            return super().send(data, flags)

    def serve() -> None:
        plain, _ = listener.accept()
        with server_context(authority.server("127.0.0.1")).wrap_socket(plain, server_side=True) as other:
            while len(received) < len(data):
                received.extend(other.recv(1 << 16))

    data = bytes(range(256)) * 4000
    received = bytearray()
    server = threading.Thread(target=serve)
    server.start()
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.sslsocket_class = CountingSocket
    wire.wrap(context, "127.0.0.1")
    while not wire.handshake():
        pass
    wire.write(data)
    while wire.unsent:
        wire.flush()
    server.join(10)
    assert received == data
    assert max(sizes) == RECORD_OCTETS == 16_384


def test_a_refused_connection_raises(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        target = closed.getsockname()
    with selectors.DefaultSelector() as selector:
        other = Wire(selector, "owner")
        other.connect((socket.AF_INET, target))
        selector.select(5)
        with pytest.raises(ConnectionRefusedError):
            other.connected()
        other.close()


def read_all(other: socket.socket, wire: Wire, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        if wire.unsent:
            wire.flush()
        received += other.recv(1 << 20)
    return bytes(received)


PIECES = (b"head" * 10, b"", bytes(range(256)) * 40_000, b"between", b"y" * 9_000_000, b".\r\nMAIL")


def test_pieces_leave_in_their_order_and_what_is_written_meanwhile_behind_them(
    listener: socket.socket, wire: Wire
) -> None:
    whole = b"".join(PIECES)
    wire.write_all(PIECES)
    assert 0 < wire.unsent < len(whole)
    kept = wire.unsent
    wire.write(b"more")
    assert kept - 16 * RECORD_OCTETS + 4 <= wire.unsent <= kept + 4
    wire.write_all((b"and", b" last"))
    other, _ = listener.accept()
    with other:
        assert read_all(other, wire, len(whole) + 12) == whole + b"moreand last"
        assert wire.unsent == 0
        wire.write_all((b"small", b"", b"er"))
        assert wire.unsent == 0 and read_all(other, wire, 7) == b"smaller"


def test_pieces_over_tls_arrive_as_they_are(listener: socket.socket, wire: Wire, authority: Authority) -> None:
    received, whole = bytearray(), b"".join(PIECES)

    def serve() -> None:
        plain, _ = listener.accept()
        with server_context(authority.server("127.0.0.1")).wrap_socket(plain, server_side=True) as other:
            while len(received) < len(whole):
                received.extend(other.recv(1 << 16))

    server = threading.Thread(target=serve)
    server.start()
    wire.wrap(ssl.create_default_context(cafile=authority.ca_file), "127.0.0.1")
    while not wire.handshake():
        pass
    wire.write_all(PIECES)
    while wire.unsent:
        wire.flush()
    server.join(60)
    assert received == whole
