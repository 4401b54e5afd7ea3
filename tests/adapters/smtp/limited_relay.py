"""A relay with limits, on loopback: so many connections, so many mails on each, and what it does beyond them."""

import contextlib
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

END = b"\r\n.\r\n"


@dataclass(frozen=True)
class Limits:
    """What the relay takes, and how it says that there was enough.

    `connections`, and beyond them "421" (at the banner), "reset", "close" (both instead of a banner), "ehlo" (421 to EHLO) or "mail" (450
    to the first MAIL). `per_connection`, and beyond them any reply to MAIL (after a 421 it closes), "close" (instead of the answer to
    MAIL) or "at once" (it closes when it has answered the last dot). `behind_dot` False: commands that are there when it answers a dot
    are answered 503 each. `seconds` a dot takes. `at_random`: the chance that it closes, or says 421 and closes, at any command or dot.
    `forgets_after` so many seconds it no longer counts a connection that ended.
    """

    connections: int | None = None
    refuses_connections: str = "421"
    per_connection: int | None = None
    refuses_mails: str = "421 4.3.2 enough"
    behind_dot: bool = True
    pipelining: bool = True
    seconds: float = 0.0
    at_random: float = 0.0
    seed: int = 0
    forgets_after: float = 0.0


class Over(Exception):
    """The connection is at its end."""


class LimitedRelay:
    """The server; a context manager. `taken` counts the mails it answered 250, by recipient; `contents` those of which it got a content
    whole; `carried` the mails of each connection, in the order in which they came; `refused` the connections it did not let in. It hangs up
    when it hears of the recipient `hangs_up_at`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.taken: Counter[str] = Counter()
        self.contents: Counter[str] = Counter()
        self.unanswered: set[str] = set()
        self.carried: list[int] = []
        self.hangs_up_at = ""
        self.refused = self.open = self.most_open = self.behind_refused = 0
        self.on_taken: Callable[[int], None] = lambda taken: None
        self.lock = threading.Lock()
        self._random = random.Random(limits.seed)
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()

    def __enter__(self) -> "LimitedRelay":
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        self.hang_up()
        for thread in self._threads:
            thread.join()

    def hang_up(self) -> None:
        """End all connections."""
        with self.lock:
            for each in self._sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def chance(self) -> bool:
        with self.lock:
            return self._random.random() < self.limits.at_random

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self.lock:
                self._sockets.add(connection)
                is_too_many = self.limits.connections is not None and self.open >= self.limits.connections
                if is_too_many:
                    self.refused += 1
                else:
                    self.open += 1
                    self.most_open = max(self.most_open, self.open)
                    self.carried.append(0)
                number = len(self.carried) - 1
            thread = threading.Thread(target=self._serve, args=(connection, number, is_too_many), daemon=True)
            self._threads = [each for each in self._threads if each.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int, is_too_many: bool) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(Over, OSError):
            _Talk(self, connection, number, is_too_many).run()
        if not is_too_many:
            time.sleep(self.limits.forgets_after)
            with self.lock:
                self.open -= 1
        with self.lock:
            self._sockets.discard(connection)
            connection.close()


class _Talk:
    def __init__(self, relay: LimitedRelay, connection: socket.socket, number: int, is_too_many: bool) -> None:
        self.relay, self.limits, self.socket, self.number = relay, relay.limits, connection, number
        self.is_too_many, self.how = is_too_many, relay.limits.refuses_connections if is_too_many else ""
        self.buffer, self.recipient, self.sender = b"", "", False

    def run(self) -> None:
        if self.how == "421":
            self.say("421 4.7.0 too many connections from you")
            raise Over
        if self.how == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.how in ("reset", "close"):
            raise Over
        self.say("220 relay.test ESMTP")
        while True:
            self.command(self.line())

    def command(self, line: str) -> None:
        verb = line[:4].upper()
        if verb in ("MAIL", "RCPT", "DATA") and self.relay.chance():
            if self.relay.chance():
                self.say("421 4.3.2 closing")
            raise Over
        if verb == "EHLO":
            if self.how == "ehlo":
                self.say("421 4.7.0 too many connections from you")
                raise Over
            self.say("250-relay.test\r\n250 PIPELINING" if self.limits.pipelining else "250 relay.test")
        elif verb == "MAIL":
            self.mail()
        elif verb == "RCPT":
            self.recipient = line[9:-1] if self.sender else ""
            if self.recipient and self.recipient == self.relay.hangs_up_at:
                raise Over
            self.say("250 2.1.5 ok" if self.sender else "503 5.5.1 MAIL first")
        elif verb == "DATA":
            if not self.recipient:
                self.say("503 5.5.1 RCPT first")
            else:
                self.say("354 go on")
                self.content()
        elif verb == "QUIT":
            self.say("221 2.0.0 bye")
            raise Over
        else:
            self.sender, self.recipient = False, ""
            self.say("250 2.0.0 ok")

    def mail(self) -> None:
        limits = self.limits
        if self.how == "mail":
            self.say("450 4.7.0 too many connections from you")
        elif limits.per_connection is not None and self.relay.carried[self.number] >= limits.per_connection:
            if limits.refuses_mails == "close":
                raise Over
            self.say(limits.refuses_mails)
            if limits.refuses_mails.startswith("421"):
                raise Over
        else:
            self.sender = True
            self.say("250 2.1.0 ok")

    def content(self) -> None:
        relay, limits = self.relay, self.limits
        while END not in self.buffer:
            self.fill()
        _, _, self.buffer = self.buffer.partition(END)
        recipient, self.recipient, self.sender = self.recipient, "", False
        time.sleep(limits.seconds)
        with relay.lock:
            relay.contents[recipient] += 1
        if relay.chance():
            with relay.lock:
                relay.unanswered.add(recipient)
            raise Over
        behind = b""
        if not limits.behind_dot:
            self.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self.buffer += self.socket.recv(65536)
            self.socket.setblocking(True)
            behind, self.buffer = self.buffer, b""
        with relay.lock:
            relay.taken[recipient] += 1
            relay.carried[self.number] += 1
            relay.behind_refused += behind.count(b"\r\n")
            taken = relay.taken.total()
        refusals = ["503 Bad sequence of commands - pipelined after end of DATA"] * behind.count(b"\r\n")
        self.say("\r\n".join(["250 2.0.0 taken", *refusals]))
        relay.on_taken(taken)
        if limits.refuses_mails == "at once" and relay.carried[self.number] == limits.per_connection:
            raise Over

    def line(self) -> str:
        while b"\r\n" not in self.buffer:
            self.fill()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode()

    def fill(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise Over
        self.buffer += data

    def say(self, answer: str) -> None:
        self.socket.sendall(answer.encode() + b"\r\n")
