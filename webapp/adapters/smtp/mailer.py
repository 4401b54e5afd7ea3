"""The mailer of broadcasts: all connections to the relay under one selector, in one thread."""

import selectors
import socket
import ssl
import time
from collections.abc import Callable

from webapp.adapters.smtp.connection import Connection
from webapp.adapters.smtp.opening import tls_context
from webapp.adapters.smtp.transactions import IDLE, LONE_DOT, QUIT, RSET
from webapp.adapters.smtp.wire import READ, WRITE, Address
from webapp.config import RelaySettings
from webapp.core.ports import Cause, Exchange, Reply, Stage

IDLE_SECONDS = 60.0
"""An unused connection is closed after this; relays commonly hang up after one to five minutes."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between attempts to connect while the relay is ill: doubled from the first to the longest."""
GOODBYE_SECONDS = 2.0
ADDRESSES_KEPT_SECONDS = 60.0
TICK_SECONDS = 1.0
"""How late a time-out may be noticed."""


class SmtpMailer:
    """`ports.Mailer` over SMTP. Not for use by several threads, nor across a fork.

    Connections are opened as mails wait for them, up to `settings.connections`; as long as none has ever opened, or after one failed, one
    at a time, so that a relay that is down, or refuses the password, is asked once and not ten times.
    """

    def __init__(
        self,
        settings: RelaySettings,
        *,
        idle_seconds: float = IDLE_SECONDS,
        first_pause: float = FIRST_PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.exchange: Exchange
        self.selector: selectors.BaseSelector = selectors.DefaultSelector()
        self.timeouts = _timeouts(settings, idle_seconds)
        self._clock = clock
        self.now = clock()
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._tls: ssl.SSLContext | None = None
        self._addresses: list[Address] = []
        self._addresses_at = 0.0
        self._first_pause = self._pause = first_pause
        self._may_connect_at = 0.0
        self._is_proven = False
        self._most, self._told = settings.connections, 0
        self._tick = min(TICK_SECONDS, *(limit / 4 for limit in self.timeouts.values()))
        self._sweep_at = 0.0

    def run(self, exchange: Exchange) -> None:
        """Send until the exchange is finished; see `ports.Mailer`."""
        self.exchange, self._told = exchange, -1
        wake = exchange.wake_fileno()
        self.selector.register(wake, READ, None)
        try:
            self.now, self._sweep_at = self._clock(), 0.0
            self._listen(0)  # what the relay said or closed since the last run, and what grew too old
            while True:
                self._heed_limit()
                self._hand_out()
                self._open_more()
                if exchange.finished() and not any(c.mail or c.following for c in self._connections):
                    break
                self._listen(self._patience())
            self._keep_idle_ones()
        except BaseException:
            for connection in self._connections:
                connection.cut()
            self._connections.clear()
            self._idle.clear()
            raise
        finally:
            self.selector.unregister(wake)

    def close(self) -> None:
        """Say QUIT to idle connections, wait briefly for the answers, and let go of everything."""
        self._keep_idle_ones()
        for connection in self._connections:
            connection.leave()
        end = time.monotonic() + GOODBYE_SECONDS
        while self._connections and time.monotonic() < end:
            self._listen(GOODBYE_SECONDS / 10)
        for connection in self._connections:
            connection.cut()
        self._connections.clear()
        self._idle.clear()
        self.selector.close()

    # What connections call

    def tls(self) -> ssl.SSLContext:
        """The context of all connections; made when first needed."""
        if self._tls is None:
            self._tls = tls_context(self.settings.ca_file)
        return self._tls

    def is_idle(self, connection: Connection) -> None:
        """The connection can carry a mail now."""
        self._is_proven = True
        self._idle.append(connection)

    def has_ended(self, connection: Connection, failed: bool) -> None:
        """The connection is closed; `failed` before it was of any use."""
        self._connections.discard(connection)
        if failed:
            self._is_proven = False
            self._pause_before_connecting()
        elif connection.has_worked:
            self._pause = self._first_pause

    # The loop

    def _listen(self, patience: float) -> None:
        """Wait for the relay or the exchange and deal with what they say. What had expired before is ended only after that: an answer
        that lies there counts, also when this process was stopped for longer than the time-out."""
        before = self.now
        events = self.selector.select(patience)
        self.now = self._clock()
        for key, mask in events:
            if key.data is None:
                self.exchange.woken()
            else:
                key.data.ready(mask & WRITE)
        if before >= self._sweep_at:
            self._sweep_at = self.now + self._tick
            for connection in [c for c in self._connections if c.deadline <= before]:
                connection.expired()

    def _heed_limit(self) -> None:
        """Say how many connections there are, and say goodbye to idle ones beyond what is allowed; others become idle after their mail."""
        if len(self._connections) != self._told:
            self._told = len(self._connections)
            self.exchange.holds(self._told, 0)
        most = self.exchange.most_connections()
        self._most = self.settings.connections if most is None else min(most, self.settings.connections)
        for connection in self._idle:  # the one used longest ago comes first
            if not self.has_too_many():
                break
            if connection.awaiting is IDLE and not connection.is_closed:
                connection.leave()

    def has_too_many(self) -> bool:
        """Whether a connection should end after the mail it carries."""
        if len(self._connections) <= self._most:
            return False
        return sum(connection.awaiting is not QUIT for connection in self._connections) > self._most

    def _hand_out(self) -> None:
        while self._idle:
            connection = self._idle[-1]  # the one used last, so that those not needed grow old
            if connection.is_closed or connection.awaiting is not IDLE:
                self._idle.pop()
                continue
            mail = connection.take()
            if mail is None:
                return
            self._idle.pop()
            connection.begin(mail)

    def _open_more(self) -> None:
        room = self._most - len(self._connections)
        if room <= 0 or self.now < self._may_connect_at:
            return
        opening = sum(not connection.is_open for connection in self._connections)
        wanted = min(room, self.exchange.at_hand() - opening)
        if not self._is_proven:
            wanted = min(wanted, 1 - opening)
        if wanted <= 0 or not self._find_relay():
            return
        for _ in range(wanted):
            connection = Connection(self, self._addresses)
            if not connection.is_closed:
                self._connections.add(connection)

    def _find_relay(self) -> bool:
        """Look up the relay's addresses. That blocks, so known ones are kept while mails are under way."""
        is_old = self.now - self._addresses_at > ADDRESSES_KEPT_SECONDS
        if self._addresses and not (is_old and not any(c.mail for c in self._connections)):
            return True
        host, port = self.settings.host, self.settings.port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            if self._addresses:
                return True
            words = f"cannot find {host}: {getattr(error, 'strerror', None) or error}"
            self._pause_before_connecting()
            self.exchange.trouble(Reply(Stage.CONNECT, None, "", words, Cause.UNREACHABLE))
            return False
        self._addresses = [(family, target) for family, _, _, _, target in found]
        self._addresses_at = self.now
        return True

    def _pause_before_connecting(self) -> None:
        if self.now >= self._may_connect_at:  # several that fail together are one failure
            self._may_connect_at = self.now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _patience(self) -> float:
        """Seconds until the loop must look up even if nothing happens."""
        patience = self._tick
        if self.now < self._may_connect_at:
            patience = min(patience, self._may_connect_at - self.now)
        return patience

    def _keep_idle_ones(self) -> None:
        for connection in [c for c in self._connections if c.awaiting is not IDLE]:
            connection.cut()
            self._connections.discard(connection)


def _timeouts(settings: RelaySettings, idle_seconds: float) -> dict[str, float]:
    """Seconds for each thing a connection waits for; RFC 5321 section 4.5.3.2 gives DATA two minutes and each block of content three."""
    command = settings.command_timeout
    limits: dict[str, float] = dict.fromkeys((*Stage, RSET, LONE_DOT), command)
    limits |= {
        Stage.CONNECT: settings.connect_timeout,
        Stage.DATA: min(command, 120.0),
        Stage.BODY: min(command, 180.0),
        Stage.DOT: settings.dot_timeout,
        IDLE: idle_seconds,
        QUIT: min(command, GOODBYE_SECONDS),
    }
    return limits
