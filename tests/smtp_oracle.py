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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.certificates import server_context
from tests.smtp_conversation import Conversation
from tests.smtp_script import KINDS, STAGES, Fault, Moment, Script

__all__ = ["KINDS", "STAGES", "Fault", "Oracle", "Script"]


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
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=512)
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
            with self._lock:
                others = sum(not one.is_refused for one in self._open)
                conversation = Conversation(self, connection, number, others)
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

    def wait_until_quiet(self, patience: float = 60.0) -> None:
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
            self._began = self._period_began = time.monotonic()
            self._first_named: dict[str, float] = {}
            self._taken = self._in_period = 0

    # What conversations ask

    def write(self, event: str, connection: int, **values: Any) -> None:
        """Add a line to the log, durable against the death of this process before anything is answered."""
        line = json.dumps({"event": event, "at": time.monotonic(), "connection": connection, **values})
        os.write(self._log, line.encode() + b"\n")

    def took(self) -> None:
        """A mail was taken."""
        with self._lock:
            self._taken += 1

    def fault(
        self, conversation: Conversation, stage: str, recipient: str | None = None, mechanism: str | None = None
    ) -> Fault | None:
        """What is to go wrong now that `stage` is reached."""
        with self._lock:
            self._reached[stage] += 1
            now = self._moment(conversation, stage, recipient, mechanism)
            for index, fault in self._faults_at[stage]:
                if (
                    fault.is_meant(now)
                    and (fault.times is None or self._used[index] < fault.times)
                    and (fault.probability >= 1 or self._random.random() < fault.probability)
                ):
                    self._used[index] += 1
                    conversation.is_refused |= fault.beyond_connections is not None
                    return fault
        return None

    def _moment(self, conversation: Conversation, stage: str, recipient: str | None, mechanism: str | None) -> Moment:
        at = time.monotonic()
        if at - self._period_began >= self.script.period_s:
            self._period_began, self._in_period = at, 0
        if stage == "mail":
            self._in_period += 1
        return Moment(
            count=self._reached[stage],
            seconds=at - self._began,
            recipient=recipient,
            mechanism=mechanism,
            known_s=at - self._first_named.setdefault(recipient, at) if recipient else 0.0,
            connections=conversation.others,
            carried=conversation.carried,
            taken=self._taken,
            mails=self._in_period,
        )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True, help="where to write what is received, as JSON lines")
    parser.add_argument("--script", type=Path, help="a Script as JSON")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1", help="127.0.0.1, or ::1")
    chosen = parser.parse_args(arguments)
    script = Script.from_json(chosen.script.read_text()) if chosen.script else Script()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with Oracle(chosen.log, script, chosen.port, chosen.host) as oracle:
        print(oracle.port, flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    sys.exit(0)


if __name__ == "__main__":
    main()
