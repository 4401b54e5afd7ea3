"""The scripted mail server as the relay of a row: at one address, there or away, with certificates as they are asked for."""

import socket
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from tests import oracle_log
from tests.certificates import Authority
from tests.faults.relays_row import Row
from tests.smtp_oracle import Oracle
from tests.smtp_script import Fault, Script

QUIET_S = 0.7


class Relay:
    """The scripted server of a row, which can go away and come back at the same address; a context manager."""

    def __init__(self, row: Row, folder: Path, log: Path) -> None:
        self._log, self._host = log, row.host
        self._authority = Authority(folder)
        (folder / "other").mkdir()
        self._itself = Authority(folder / "other").itself()
        self.ca_file = self._authority.ca_file
        family = socket.AF_INET6 if ":" in row.host else socket.AF_INET
        with socket.create_server((row.host, 0), family=family) as free:
            self.port = free.getsockname()[1]
        self._script = self._told(row.script)
        self._server: Oracle | None = None

    def __enter__(self) -> "Relay":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.goes()

    def comes(self) -> None:
        """It listens."""
        self._server = Oracle(self._log, self._script, self.port, self._host)
        self._server.__enter__()

    def goes(self) -> None:
        """It is not there any more, and every connection to it ended; in the midst of a mail, perhaps."""
        server, self._server = self._server, None
        if server is not None:
            server.__exit__(None, None, None)

    def shuts_down(self) -> None:
        """The same in good order: it answers for the mails that it has, and takes no other."""
        assert self._server is not None
        bye = "421 4.3.2 shutting down"
        self._server.follow(
            replace(self._script, faults=tuple(Fault(stage, "421", reply=bye) for stage in ("banner", "mail")))
        )
        came, looked = -1, len(oracle_log.received(self._log))
        while came != looked:
            time.sleep(QUIET_S)
            came, looked = looked, len(oracle_log.received(self._log))
        self.goes()

    def follow(self, script: Script) -> None:
        """Behave like this from now on, and come back if it was gone."""
        self._script = self._told(script)
        if self._server is None:
            self.comes()
        else:
            self._server.follow(self._script)

    def wait_until_quiet(self) -> None:
        if self._server is not None:
            self._server.wait_until_quiet(60)

    def _told(self, script: Script) -> Script:
        if script.certificate is None:
            return script
        files = {
            "good": lambda: self._authority.server(self._host),
            "itself": lambda: self._itself,
            "expired": lambda: self._authority.server(self._host, until=datetime(2020, 1, 1, tzinfo=UTC)),
            "other": lambda: self._authority.server("relay.example.test"),
        }
        return replace(script, certificate=str(files[script.certificate]()))
