"""An SMTP server for tests that can be told what to do wrong, when and to whom, and that writes down itself what it received.

In a test: `with Oracle(log, Script(faults=(Fault("rcpt", "5xx", recipient="a@b.test"),))) as oracle: …oracle.port…`, then
`oracle_log.kept(log)`. As a process of its own: `python -m tests.smtp_oracle --log FILE --script FILE`; it writes its port to stdout.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.certificates import server_context
from tests.smtp_conversation import Conversation

STAGES = ("connect", "banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset", "quit")
KINDS = ("drop", "reset", "stall", "4xx", "5xx", "421", "garbage", "half")


@dataclass(frozen=True)
class Fault:
    """What goes wrong: `kind` at `stage`.

    Kinds: drop (the server closes), reset (it sends RST), stall (it says nothing more), 4xx, 5xx, 421 (and closes), garbage (bytes that
    are no reply), half (the first line of two, then it closes), slow (it answers rightly after `seconds`), last (it answers rightly,
    then closes), say (only `reply`).
    Which times: all, or only the `nth` of this stage (from 1, over all connections), only those of a `recipient` (from RCPT on), only
    with a `probability`, and at most `times`. `reply` are the words instead of the usual ones. At "body" the server has read
    the beginning of the content; a mail that fits into the sockets' buffers has then left the sender altogether.
    """

    stage: str
    kind: str
    nth: int | None = None
    recipient: str | None = None
    probability: float = 1.0
    times: int | None = None
    reply: str | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.stage not in STAGES or self.kind not in (*KINDS, "slow", "last", "say"):
            raise ValueError(f"no fault {self.kind!r} at {self.stage!r}")


@dataclass(frozen=True)
class Script:
    """How the server behaves.

    `tls` is "none", "starttls" or "implicit", with the key and chain in the file `certificate`; `pipelining_in_tls` is whether it still
    offers PIPELINING after STARTTLS. `users` (name -> password) makes it demand AUTH. `size` is the limit it announces and
    enforces. `latency` seconds pass before each group of answers. `dribbles`: it sends byte by byte. `data_anyway`: it answers
    DATA by 354 even when no recipient was taken. `keeps_unanswered`: a mail whose dot it answered by a fault without a code was
    taken all the same. `smtputf8` is when it announces SMTPUTF8: "never", "always", or only "plain" or "encrypted". `folder`: it keeps each
    mail's content there, as a file named after its SHA-256.
    """

    faults: tuple[Fault, ...] = ()
    pipelining: bool = True
    pipelining_in_tls: bool = True
    esmtp: bool = True
    tls: str = "none"
    certificate: str | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    size: int = 0
    latency: float = 0.0
    seed: int = 0
    dribbles: bool = False
    data_anyway: bool = False
    keeps_unanswered: bool = True
    smtputf8: str = "never"
    folder: str | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Script":
        values = json.loads(text)
        values["faults"] = tuple(Fault(**fault) for fault in values.get("faults", ()))
        values["mechanisms"] = tuple(values.get("mechanisms", cls.mechanisms))
        return cls(**values)


class Oracle:
    """The server on loopback; a context manager. `port` is where it listens. `on_stall` is called, in a thread of the server, with the
    connection's number, again and again while it is silent on it: a test may let its clock leap."""

    def __init__(
        self,
        log: Path,
        script: Script | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        on_stall: Callable[[int], None] = lambda connection: None,
    ) -> None:
        self.on_stall = on_stall
        self.script: Script
        self.host, self.port = host, port
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._lock = threading.Lock()
        self._reached: Counter[str] = Counter()
        self._used: Counter[int] = Counter()
        self.tls: ssl.SSLContext | None = None
        self.follow(script or Script())
        self._open: set[Conversation] = set()
        self._threads: list[threading.Thread] = []
        self._ends = False

    def __enter__(self) -> "Oracle":
        self._listener = socket.create_server((self.host, self.port), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="oracle", daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ends = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        self.hang_up()
        for thread in self._threads:
            thread.join()
        os.close(self._log)

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            conversation = Conversation(self, connection, number)
            with self._lock:
                if self._ends:
                    conversation.close()
                    return
                self._open.add(conversation)
                self._threads = [thread for thread in self._threads if thread.is_alive()]
            thread = threading.Thread(target=self._serve, args=(conversation, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, conversation: Conversation, number: int) -> None:
        self.write("connected", number)
        try:
            with contextlib.suppress(OSError):  # the sender went away
                conversation.run()
        finally:
            with self._lock:
                self._open.discard(conversation)
            conversation.close()

    def hang_up(self) -> None:
        """End all conversations that are going on."""
        with self._lock:
            open_now = list(self._open)
        for conversation in open_now:
            conversation.hang_up()

    def wait_until_quiet(self, patience: float = 10.0) -> None:
        """Until no conversation is going on, as after faults that end it."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            with self._lock:
                if not self._open:
                    return
            time.sleep(0.002)
        raise TimeoutError("a conversation goes on")

    def follow(self, script: Script) -> None:
        """Behave like this from now on: conversations that begin wholly so, those under way as far as faults go. The counts of faults
        and their chance begin anew."""
        tls = server_context(Path(script.certificate)) if script.certificate else None
        with self._lock:
            self.script, self.tls = script, tls
            self._random = random.Random(script.seed)
            self._faults_at = {
                stage: [(index, fault) for index, fault in enumerate(script.faults) if fault.stage == stage]
                for stage in STAGES
            }
            self._reached.clear()
            self._used.clear()

    # What conversations ask

    def write(self, event: str, connection: int, **values: Any) -> None:
        """Add a line to the log, durable against the death of this process before anything is answered."""
        line = json.dumps({"event": event, "at": time.monotonic(), "connection": connection, **values})
        os.write(self._log, line.encode() + b"\n")

    def fault(self, stage: str, recipient: str | None) -> Fault | None:
        """What is to go wrong now that `stage` is reached."""
        with self._lock:
            self._reached[stage] += 1
            for index, fault in self._faults_at[stage]:
                if (
                    fault.nth in (None, self._reached[stage])
                    and fault.recipient in (None, recipient)
                    and (fault.times is None or self._used[index] < fault.times)
                    and (fault.probability >= 1 or self._random.random() < fault.probability)
                ):
                    self._used[index] += 1
                    return fault
        return None


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True, help="where to write what is received, as JSON lines")
    parser.add_argument("--script", type=Path, help="a Script as JSON")
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args(arguments)
    script = Script.from_json(chosen.script.read_text()) if chosen.script else Script()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with Oracle(chosen.log, script, chosen.port) as oracle:
        print(oracle.port, flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    sys.exit(0)


if __name__ == "__main__":
    main()
