"""The server's side of one SMTP conversation, with the faults its script asks for."""

import base64
import contextlib
import hashlib
import re
import select
import socket
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.smtp_oracle import Oracle
    from tests.smtp_script import Fault

END = b"\r\n.\r\n"
PATH = re.compile(r"(?:FROM|TO):<([^<>\s]*)>(?: (.*))?", re.IGNORECASE)
MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
LONGEST_LINE = 998
"""Octets, less CRLF (RFC 5321 section 4.5.3.1.6)."""
WITHOUT_CODE = ("drop", "reset", "stall", "garbage", "half")


class Over(Exception):
    """The conversation is at its end."""


class Conversation:
    """One connection. Answers are collected and sent when nothing more has been received, as servers do that can pipeline.

    `others` were open when it came, `carried` mails were taken on it; `is_refused`: it was one too many.
    """

    def __init__(self, oracle: "Oracle", connection: socket.socket, number: int, others: int = 0) -> None:
        self.others, self.carried, self.is_refused = others, 0, False
        self._oracle, self._script, self._number = oracle, oracle.script, number
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._buffer = b""
        self._answers: list[bytes] = []
        self._encrypted = False
        self._user: str | None = None
        self._sender: str | None = None
        self._recipient: str | None = None
        self._said_at = self._asked_at = 0.0
        self._parameters: list[str] = []
        self._behind_dot = 0  # octets in the buffer that came with the final dot

    def run(self) -> None:
        """Talk until either side ends it."""
        try:
            self._at("connect", None)
            if self._script.tls == "implicit":
                self._encrypt()
            self._at("banner", _reply("220", self._script.greeting))
            while True:
                self._command(self._line())
        except Over:
            pass

    def hang_up(self) -> None:
        """End the connection from another thread, while this one's may be reading."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection."""
        self._socket.close()

    # Commands

    def _command(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        if self._behind_dot > 0 and not self._script.behind_dot:
            self._behind_dot -= len(line) + 2
            self._out_of_order(line, "503 5.5.1 pipelined after end of DATA")
            return
        handler = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "QUIT": self._quit,
        }.get(verb.upper())
        if handler is None:
            self._out_of_order(line, "500 5.5.2 no such command")
        else:
            handler(rest)

    def _ehlo(self, _: str) -> None:
        if not self._script.esmtp:
            self._say("502 5.5.1 EHLO is not known here")
            return
        self._sender = self._recipient = None
        if not self._script.extensions:
            self._at("ehlo", "250 oracle.test")
            return
        lines = ["oracle.test", "ENHANCEDSTATUSCODES", "8BITMIME"]
        if self._script.pipelining and (self._script.pipelining_in_tls or not self._encrypted):
            lines.append("PIPELINING")
        if self._script.size:
            lines.append(f"SIZE {self._script.size}")
        if self._takes_smtputf8():
            lines.append("SMTPUTF8")
        if self._script.tls == "starttls" and not self._encrypted:
            lines.append("STARTTLS")
        if self._script.users:
            lines.append(f"AUTH {' '.join(self._script.mechanisms)}")
        self._at("ehlo", _reply("250", lines))

    def _helo(self, _: str) -> None:
        self._at("ehlo", "250 oracle.test")

    def _starttls(self, _: str) -> None:
        if self._script.tls != "starttls" or self._encrypted:
            self._out_of_order("STARTTLS", "503 5.5.1 not now")
        elif self._at("starttls", "220 2.0.0 go ahead"):
            self._send()
            self._encrypt()

    def _auth(self, rest: str) -> None:
        mechanism, _, first = rest.partition(" ")
        fault = self._oracle.fault(self, "auth", mechanism=mechanism)
        if fault is not None and not self._carry_out(fault):
            return
        if mechanism not in ("PLAIN", "LOGIN"):
            self._say("504 5.5.4 no such mechanism")
            return
        if mechanism == "PLAIN":
            _, user, password = base64.b64decode(first or self._ask("")).decode().split("\0")
        else:
            user, password = (base64.b64decode(self._ask(words)).decode() for words in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6"))
        if self._script.users.get(user) != password:
            self._say("535 5.7.8 wrong user or password")
            return
        self._user = user
        self._oracle.write("signed_in", self._number, user=user, mechanism=mechanism, encrypted=self._encrypted)
        self._say("235 2.7.0 welcome")

    def _mail(self, rest: str) -> None:
        path = PATH.fullmatch(rest)
        if path is None or self._sender is not None:
            self._out_of_order(f"MAIL {rest}", "503 5.5.1 not now")
        elif self._script.users and self._user is None:
            self._say("530 5.7.0 sign in first")
        elif not {*(parameters := (path[2] or "").split())} <= self._known_parameters():
            self._out_of_order(f"MAIL {rest}", "555 5.5.4 parameters not known")
        elif not path[1].isascii() and "SMTPUTF8" not in parameters:
            self._out_of_order(f"MAIL {rest}", "550 5.6.7 that needs SMTPUTF8")
        elif self._at("mail", "250 2.1.0 sender ok"):
            self._sender, self._parameters = path[1], parameters

    def _known_parameters(self) -> set[str]:
        if not self._script.extensions or not self._script.esmtp:
            return set()
        return {"BODY=7BIT", "BODY=8BITMIME"} | ({"SMTPUTF8"} if self._takes_smtputf8() else set())

    def _takes_smtputf8(self) -> bool:
        return self._script.smtputf8 in ("always", "encrypted" if self._encrypted else "plain")

    def _rcpt(self, rest: str) -> None:
        path = PATH.fullmatch(rest)
        if path is None or self._sender is None:
            self._out_of_order(f"RCPT {rest}", "503 5.5.1 MAIL first")
        elif not path[1].isascii() and "SMTPUTF8" not in self._parameters:
            self._out_of_order(f"RCPT {rest}", "553 5.6.7 that needs SMTPUTF8")
        elif self._at("rcpt", "250 2.1.5 recipient ok", path[1]):
            self._recipient = path[1]

    def _data(self, _: str) -> None:
        if self._recipient is None and not self._script.data_anyway:
            self._say("554 5.5.1 no valid recipients")
        elif self._at("data", "354 go on", self._recipient):
            self._send()
            self._asked_at = self._said_at
            self._receive_mail()

    def _rset(self, _: str) -> None:
        self._sender = self._recipient = None
        self._at("rset", "250 2.0.0 forgotten")

    def _quit(self, _: str) -> None:
        self._at("quit", "221 2.0.0 bye")
        self._send()
        raise Over

    def _out_of_order(self, command: str, answer: str) -> None:
        self._oracle.write("protocol", self._number, command=command, answer=answer)
        self._say(answer)

    # The mail

    def _receive_mail(self) -> None:
        sender, recipient, self._sender, self._recipient = self._sender, self._recipient, None, None
        if not self._buffer:
            self._fill()
        early = self._oracle.fault(self, "body", recipient)
        if early is not None and self._carry_out(early, recipient):
            early = None
        content = self._content()
        if recipient is None:
            self._say("554 5.5.1 no valid recipients")
            return
        fault = early or self._oracle.fault(self, "dot", recipient)
        answer: str | None = "250 2.0.0 taken"
        if fault is None and 0 < self._script.size < len(content):
            answer = "552 5.3.4 too big"
        elif fault is not None and fault.kind not in ("slow", "last"):
            answer = None if fault.kind in WITHOUT_CODE else _words(fault)
        if not content.isascii():
            self._check_octets(content)
        if max(map(len, content.split(b"\r\n"))) > LONGEST_LINE:
            self._oracle.write("protocol", self._number, command="a line that is too long", answer="")
        kept = answer.startswith("2") if answer else self._script.keeps_unanswered and early is None
        self._behind_dot = len(self._buffer)
        sha256 = hashlib.sha256(content).hexdigest()
        if self._script.folder:
            Path(self._script.folder, sha256).write_bytes(content)
        message_id = MESSAGE_ID.search(content[: content.find(b"\r\n\r\n") + 2])
        self._oracle.write(
            "mail",
            self._number,
            mail_from=sender,
            recipient=recipient,
            message_id=message_id[1].decode("ascii", "replace") if message_id else "",
            parameters=" ".join(self._parameters),
            sha256=sha256,
            size=len(content),
            answer=answer,
            asked_at=self._asked_at,
            kept=kept,
        )
        if kept:
            self.carried += 1
            self._oracle.took()
        if early is None:
            self._answer(fault, answer, recipient)

    def _check_octets(self, content: bytes) -> None:
        """Content that is not 7-bit must have been announced as such (RFC 6152), and a header that is not, as international (RFC 6531)."""
        header = content.partition(b"\r\n\r\n")[0]
        if "BODY=8BITMIME" not in self._parameters or not (header.isascii() or "SMTPUTF8" in self._parameters):
            self._oracle.write("protocol", self._number, command="8-bit content", answer="")

    def _content(self) -> bytes:
        """What stands before the final dot, dot-stuffing removed (RFC 5321 section 4.5.2)."""
        if self._buffer.startswith(b".\r\n"):
            self._buffer = self._buffer[3:]
            return b""
        came = bytearray(self._buffer)  # it grows in place: over TLS a large mail comes in many small pieces
        searched = 0
        while (end := came.find(END, searched)) < 0:
            searched = max(0, len(came) - len(END))
            came += self._receive()
        content, self._buffer = bytes(came[: end + 2]), bytes(came[end + len(END) :])
        return (b"\r\n" + content).replace(b"\r\n.", b"\r\n")[2:]

    # Faults

    def _at(self, stage: str, answer: str | None, recipient: str | None = None) -> bool:
        """Answer, unless a fault says otherwise; True when the answer was the right one."""
        return self._answer(self._oracle.fault(self, stage, recipient), answer, recipient)

    def _answer(self, fault: "Fault | None", answer: str | None, recipient: str | None) -> bool:
        if fault is not None and not self._carry_out(fault, recipient):
            return False
        if answer:
            self._say(answer)
        if fault is not None and fault.kind == "last":
            self._send()
            raise Over
        return True

    def _carry_out(self, fault: "Fault", recipient: str | None = None) -> bool:
        """Do what is wrong; True when the right answer is to follow."""
        self._oracle.write(
            "fault", self._number, stage=fault.stage, kind=fault.kind, recipient=recipient, reply=fault.reply
        )
        if fault.kind == "last":
            return True
        if fault.kind == "slow":
            self._send()
            time.sleep(fault.seconds)
            return True
        if fault.kind in ("4xx", "5xx", "421", "say", "garbage", "half"):
            self._say(_words(fault))
        self._send()
        if fault.kind in ("4xx", "5xx", "say", "garbage"):
            return False
        if fault.kind == "stall":
            self._wait_for_the_end()
        elif fault.kind == "reset":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Over

    def _wait_for_the_end(self) -> None:
        """Until the other side ends the connection, without reading what it sends."""
        ends = select.poll()
        ends.register(self._socket, select.POLLRDHUP)
        while not ends.poll(20):
            self._oracle.on_stall(self._number)

    # Bytes

    def _encrypt(self) -> None:
        assert self._oracle.tls is not None
        self._socket = self._oracle.tls.wrap_socket(self._socket, server_side=True)
        self._encrypted = True

    def _ask(self, words: str) -> str:
        self._say(f"334 {words}")
        return self._line()

    def _line(self) -> str:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._send()
            self._fill()
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line.decode(errors="backslashreplace")

    def _fill(self) -> None:
        self._buffer += self._receive()

    def _receive(self) -> bytes:
        data = self._socket.recv(262_144)
        if not data:
            raise Over
        return data

    def _say(self, answer: str) -> None:
        self._answers.append(answer.encode() + b"\r\n")

    def _send(self) -> None:
        data, self._answers = b"".join(self._answers), []
        if self._script.bare_lf:
            data = data.replace(b"\r\n", b"\n")
        if not data:
            return
        if self._script.latency:
            time.sleep(self._script.latency)
        self._said_at = time.monotonic()
        pieces = [data[i : i + 1] for i in range(len(data))] if self._script.dribbles else [data]
        for piece in pieces:
            self._socket.sendall(piece)


def _reply(code: str, lines: Sequence[str]) -> str:
    """A reply of so many lines (RFC 5321 section 4.2.1)."""
    return "\r\n".join([*(f"{code}-{line}" for line in lines[:-1]), f"{code} {lines[-1]}"])


def _words(fault: "Fault") -> str:
    if fault.reply is not None:
        return fault.reply
    return {
        "4xx": "451 4.3.0 trouble here",
        "5xx": "554 5.3.0 trouble here",
        "421": "421 4.3.2 closing",
        "garbage": "what is this?",
        "half": "250-half of a reply",
    }[fault.kind]
