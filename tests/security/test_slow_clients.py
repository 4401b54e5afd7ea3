"""Clients that send an octet a second do not stop the demo's web server, and are sent away."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.consoles import free_port
from webapp.demo import children, gate
from webapp.paths import ROOT

MANY = 150
HEADS = {
    "head": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "body": b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n",
    "silent": b"",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A small app as the demo serves its own, with two threads and two seconds for a body."""
    port, log = free_port(), Path(tmp_path_factory.mktemp("gate")) / "log"
    process = children.start(gate.granian("tests.gated_app:app", "127.0.0.1", port), log=log, cwd=ROOT)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
    yield port
    children.stop(process, patience=5)


def ask(port: int, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    said = answer.status, answer.read().decode()
    connection.close()
    return said


@pytest.mark.parametrize("kind", HEADS)
def test_many_slow_clients_keep_nobody_waiting(port: int, kind: str):
    slow, over = [], threading.Event()
    for _ in range(MANY):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(HEADS[kind])
        slow.append(connection)

    def drip() -> None:
        while not over.wait(0.5):
            for connection in slow:
                with contextlib.suppress(OSError):
                    connection.sendall(b"a" if HEADS[kind] else b"")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert [ask(port)[0] for _ in range(10)] == [200] * 10
    finally:
        over.set()
        dripping.join()
        for connection in slow:
            connection.close()


@pytest.mark.parametrize("kind", ["head", "body"])
def test_a_client_that_is_too_slow_is_sent_away(port: int, kind: str):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(HEADS[kind])
        said = connection.recv(1000)
        assert said == b"" or said.startswith(b"HTTP/1.1 408"), said


def test_what_is_sent_and_answered_passes_the_gate_unchanged(port: int):
    status, said = ask(port, "POST", "/a%20b/%C3%A9?x=%26&y", b"z" * 1_000_000, Cookie="c=1; d=2")
    assert (status, said[:200]) == (200, "POST /a b/Ã©?x=%26&y c=1; d=2 1000000 " + "z" * 100)
    assert ask(port)[1].endswith(" 0 ")
    assert ask(port, "GET", "/", None, X_Forwarded_For="1.2.3.4")[1].endswith(" 0 "), "no proxy writes it so"
    assert ask(port, "GET", "/", None, **{"X-Forwarded-For": "1.2.3.4"})[1].endswith(" 0 1.2.3.4")


def test_a_body_in_chunks_has_its_length(port: int):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        connection.sendall(head + b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(1000), b""))
    assert b" 10 " in said and b"hello" in said


def test_an_app_that_fails_costs_one_answer_and_no_thread(port: int):
    for _ in range(5):
        with contextlib.suppress(http.client.HTTPException, OSError):
            assert ask(port, path="/fails")[0] == 500
    assert ask(port)[0] == 200
