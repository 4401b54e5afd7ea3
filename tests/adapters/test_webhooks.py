"""Calls of the webhook: signed so that the standard's library takes them, and every way to fail is an answer in words."""

import base64
import socket
import threading

import pytest

from tests.webhook_receiver import Receiver, WebhookVerificationError, status
from webapp.adapters import webhooks
from webapp.adapters.clock import now

SECRET = "whsec_" + base64.b64encode(b"a secret of the house, 32 octets").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret that was before it").decode()
PAYLOAD = {"type": "broadcast.paused", "timestamp": "2026-11-23T09:00:00+00:00", "data": {"name": "Grüße – 你好"}}


def call(url: str, secrets: tuple[str, ...] = (SECRET,), **options: float):
    return webhooks.call(url, secrets, "notice_7_1", PAYLOAD, now(), inside=True, **options)


def test_a_call_is_verified_by_the_library_of_the_standard():
    with Receiver() as receiver:
        answer = call(receiver.url)
    assert (answer.is_done, answer.words) == (True, "204 No Content")
    [got] = receiver.calls
    assert got.path == "/hook?house=1" and got.headers["webhook-id"] == "notice_7_1"
    assert got.headers["Content-Type"].startswith("application/json")
    assert got.verified(SECRET) == PAYLOAD
    with pytest.raises(WebhookVerificationError):
        got.verified(OTHER)


def test_while_a_secret_is_changed_both_fit():
    with Receiver() as receiver:
        call(receiver.url, (SECRET, OTHER))
    assert receiver.calls[0].verified(SECRET) == receiver.calls[0].verified(OTHER) == PAYLOAD


@pytest.mark.parametrize(
    ("answering", "done", "words"),
    [
        (status(200, b"thank\x00 \r\nyou"), True, "200 OK: thank you"),
        (status(202), True, "202 Accepted"),
        (status(500, b"x" * 5000), False, "500 Internal Server Error: " + "x" * 200),
        (status(404), False, "404 Not Found"),
        (status(410), False, "410 Gone"),
        (status(799), False, "799"),
    ],
)
def test_the_answer_tells_whether_it_is_done(answering, done: bool, words: str):
    with Receiver([answering]) as receiver:
        answer = call(receiver.url)
    assert (answer.is_done, answer.words) == (done, words)


def test_a_redirect_is_said_and_not_followed():
    with Receiver() as elsewhere, Receiver([status(307, Location=elsewhere.url)]) as receiver:
        answer = call(receiver.url)
    assert not answer.is_done and answer.words.endswith(f"to {elsewhere.url}: redirects are not followed.")
    assert elsewhere.calls == [] and len(receiver.calls) == 1


def test_a_server_that_is_silent_or_sends_drop_by_drop_is_left_when_the_time_is_over():
    over = threading.Event()

    def drip(handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not over.wait(0.05):
            try:
                handler.wfile.write(b"x")
            except OSError:
                return

    for answering in (lambda _handler: over.wait(30), drip):
        with Receiver([answering]) as receiver:
            answer = call(receiver.url, timeout_s=0.4)
            over.set()
        over.clear()
        assert (answer.is_done, answer.words) == (False, "No answer came within 0.4 seconds.")


def test_a_server_that_cannot_be_reached_is_an_answer():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert call(f"http://127.0.0.1:{port}/").words == "It cannot be reached: Connection refused."


def test_a_server_that_speaks_something_else_is_an_answer():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def greet() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"220 mail.example.com ESMTP\r\n")
                peer.recv(65536)

        thread = threading.Thread(target=greet)
        thread.start()
        answer = call(f"http://127.0.0.1:{port}/")
        thread.join()
    assert not answer.is_done and answer.words.startswith("It cannot be reached: ")


def test_a_certificate_that_nobody_vouches_for_is_refused(authority, tmp_path):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server("127.0.0.1"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def greet() -> None:
            peer, _ = listener.accept()
            with peer, pytest.raises((ssl.SSLError, OSError)):
                context.wrap_socket(peer, server_side=True).recv(1)

        thread = threading.Thread(target=greet)
        thread.start()
        answer = call(f"https://127.0.0.1:{port}/")
        thread.join()
    assert not answer.is_done and answer.words.startswith("Its certificate is not valid: ")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "//127.0.0.1/"])
def test_nothing_but_the_web_is_called(url: str):
    answer = call(url)
    assert not answer.is_done and "no address of a web server" in answer.words
