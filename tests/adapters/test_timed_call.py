"""A call that ends in time: whatever the server drips, and wherever in the call it does."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from webapp.adapters.timed_call import HttpAnswer, TooLate, call

TIMEOUT_S = 0.3
HEAD = b"HTTP/1.0 200 OK\r\n\r\n"
"""Such an answer ends with its connection: http.client has let go of the socket by then."""
Speak = Callable[[socket.socket], None]


class Drip:
    """Sends an octet a second for as long as somebody listens; `was_left` once nobody does."""

    def __init__(self, first: bytes) -> None:
        self._first, self.was_left = first, threading.Event()

    def __call__(self, peer: socket.socket) -> None:
        try:
            peer.sendall(self._first)
            peer.settimeout(1)
            while self._is_heard(peer):
                peer.sendall(b"x")
        except OSError:
            pass
        self.was_left.set()

    def _is_heard(self, peer: socket.socket) -> bool:
        """Waits a second, but not when the other side hangs up."""
        try:
            return peer.recv(65536) != b""
        except TimeoutError:
            return True


@contextmanager
def server(speak: Speak) -> Iterator[int]:
    """A server of one call; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                speak(peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(60)
        assert not thread.is_alive()


def asked(connection: http.client.HTTPConnection, most: int = 100) -> HttpAnswer:
    return call(connection, "GET", "/", headers={}, timeout_s=TIMEOUT_S, most=most)


def plain(port: int) -> http.client.HTTPConnection:
    """Its own time-out is longer than the test: what ends the call is not that one."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def test_an_answer_is_read_as_far_as_it_was_asked_for():
    with server(lambda peer: peer.sendall(HEAD + b"0123456789")) as port:
        answer = asked(plain(port), most=4)
    assert (answer.status, answer.body) == (200, b"0123")


@pytest.mark.parametrize("first", [HEAD, b"HTTP/1.1 200 OK\r\nX-Long: ", HEAD + b"begun"], ids=["body", "head", "more"])
def test_a_server_that_drips_an_octet_a_second_is_hung_up_on(first: bytes):
    drip = Drip(first)
    with server(drip) as port:
        with pytest.raises(TooLate):
            asked(plain(port))
        assert drip.was_left.wait(60)


def test_a_server_that_drips_while_tls_is_agreed_on_is_hung_up_on():
    """A record of TLS of which an octet comes now and then: the handshake is one call that does not come back."""
    drip = Drip(b"\x16\x03\x03\x40\x00")
    with server(drip) as port:
        with pytest.raises(TooLate):
            asked(http.client.HTTPSConnection("127.0.0.1", port, timeout=60))
        assert drip.was_left.wait(60)


def test_one_that_is_not_there_is_no_matter_of_time():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        asked(plain(port))
