"""An SMTP server that takes everything and keeps nothing, as fast as one Python process can: it shows the sender, not itself.

`python -m tests.benchmarks.sink [--port N]` writes its port to stdout; at SIGTERM it writes what it took, as JSON.
"""

import argparse
import json
import select
import signal
import socket

END = b"\r\n.\r\n"
EHLO = b"250-sink.test\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
ANSWERS = {
    b"EHLO": EHLO,
    b"HELO": b"250 sink.test\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"DATA": b"354 End data with <CR><LF>.<CR><LF>\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
    b"NOOP": b"250 2.0.0 Ok\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}
TAKEN = b"250 2.0.0 Ok\r\n"
UNKNOWN = b"502 5.5.2 no such command\r\n"


class Client:
    """One connection: answers to what has been received go out together."""

    __slots__ = ("buffer", "in_content", "mails", "octets", "socket")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.buffer = b""
        self.in_content = False
        self.mails = 0
        self.octets = 0

    def ready(self) -> bool:
        """Read and answer; False at the end of the conversation."""
        try:
            data = self.socket.recv(262_144)
        except OSError:
            return False
        if not data:
            return False
        answers = self._answers(self.buffer + data if self.buffer else data)
        if answers:
            try:
                self.socket.sendall(b"".join(answers))
            except OSError:
                return False
        return not answers or answers[-1] is not ANSWERS[b"QUIT"]

    def _answers(self, data: bytes) -> list[bytes]:
        answers: list[bytes] = []
        start = 0
        while True:
            if self.in_content:
                end = data.find(END, start)
                if end < 0:
                    self.buffer = data[start:]
                    return answers
                self.in_content = False
                self.mails += 1
                self.octets += end + 2 - start
                start = end + len(END)
                answers.append(TAKEN)
            end = data.find(b"\n", start)
            if end < 0:
                self.buffer = data[start:]
                return answers
            verb = data[start : start + 4]
            start = end + 1
            answers.append(ANSWERS.get(verb) or ANSWERS.get(verb.upper(), UNKNOWN))
            self.in_content = verb == b"DATA"


def serve(listener: socket.socket) -> tuple[int, int]:
    """Take mails until SIGTERM; returns how many, and their octets."""
    mails = octets = 0
    clients: dict[int, Client] = {}
    wake, sleeper = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGTERM, lambda *_: None)
    listener.setblocking(False)
    poller = select.epoll()
    for source in (listener, sleeper):
        poller.register(source, select.EPOLLIN)
    while True:
        for descriptor, _ in poller.poll():
            client = clients.get(descriptor)
            if client is not None:
                if not client.ready():
                    mails, octets = mails + client.mails, octets + client.octets
                    poller.unregister(descriptor)
                    clients.pop(descriptor).socket.close()
            elif descriptor == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sendall(b"220 sink.test ESMTP\r\n")
                clients[connection.fileno()] = Client(connection)
                poller.register(connection, select.EPOLLIN)
            else:
                return mails + sum(c.mails for c in clients.values()), octets + sum(c.octets for c in clients.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    with socket.create_server(("127.0.0.1", parser.parse_args().port), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        mails, octets = serve(listener)
    print(json.dumps({"mails": mails, "octets": octets}), flush=True)


if __name__ == "__main__":
    main()
