"""A small IMAP server (RFC 3501) for tests: one mailbox, as much of the protocol as a reader of bounces speaks, and a list of what it
was asked."""

import re
import socket
import threading
from dataclasses import dataclass, field


@dataclass
class ImapServer:
    """Serves one connection after the other on the loopback until it is closed. `mails` are by UID."""

    mails: dict[int, bytes] = field(default_factory=dict)
    uid_validity: int = 7
    capabilities: str = "IMAP4rev1 IDLE UIDPLUS"
    asked: list[str] = field(default_factory=list)
    breaks_at: str = ""

    def __post_init__(self) -> None:
        self._place = socket.create_server(("127.0.0.1", 0))
        self.port = self._place.getsockname()[1]
        self.is_idle = threading.Event()
        self._idle: list[tuple[str, socket.socket]] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> "ImapServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._place.close()

    def arrive(self, mail: bytes) -> None:
        """A mail comes, and who is idle hears of it."""
        self.mails[max(self.mails, default=0) + 1] = mail
        for _tag, connection in self._idle:
            connection.sendall(b"* %d EXISTS\r\n" % len(self.mails))

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._place.accept()
            except OSError:
                return
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        for line in connection.makefile("rb"):
            text = line.decode().strip()
            self.asked.append(text)
            if self.breaks_at and self.breaks_at in text:
                self.breaks_at = ""
                return
            tag, _, command = text.partition(" ")
            if text == "DONE":
                tag, connection_ = self._idle.pop()
                assert connection_ is connection
                self.is_idle.clear()
            elif command == "IDLE":
                self._idle.append((tag, connection))
                connection.sendall(b"+ idling\r\n")
                self.is_idle.set()
                continue
            for answer in self._answers(command):
                connection.sendall(answer + b"\r\n")
            connection.sendall(f"{tag} OK done\r\n".encode())
            if command == "LOGOUT":
                return

    def _answers(self, command: str) -> list[bytes]:
        numbers = [*self.mails]
        match command.split(" ")[:2]:
            case ["CAPABILITY"]:
                return [f"* CAPABILITY {self.capabilities}".encode()]
            case ["SELECT" | "EXAMINE", _]:
                return [b"* %d EXISTS" % len(numbers), b"* OK [UIDVALIDITY %d] valid" % self.uid_validity]
            case ["UID", "SEARCH"]:
                first = int(re.search(r"(\d+):\*", command).group(1))
                # As the standard has it, "n:*" names the newest mail also where that has a lower number.
                found = [uid for uid in numbers if uid >= first] or numbers[-1:]
                return [b"* SEARCH " + b" ".join(b"%d" % uid for uid in found)]
            case ["UID", "FETCH"]:
                uid, most = map(int, re.search(r"FETCH (\d+) .*<0\.(\d+)>", command).groups())
                if uid not in self.mails:
                    return []
                mail = self.mails[uid][:most]
                head = f"* {numbers.index(uid) + 1} FETCH (UID {uid} BODY[]<0> {{{len(mail)}}}\r\n"
                return [head.encode() + mail + b")"]
            case ["UID", "EXPUNGE"]:
                del self.mails[int(command.rpartition(" ")[2])]
                return []
            case _:
                return []
