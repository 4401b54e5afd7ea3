"""The mailer of broadcasts: all connections to the relay under one selector, in one thread."""

import selectors
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping

from webapp.adapters.smtp.addresses import RelayAddresses
from webapp.adapters.smtp.connection import Connection
from webapp.adapters.smtp.knowledge import Knowledge, may_be_full
from webapp.adapters.smtp.opening import tls_context
from webapp.adapters.smtp.receivers import first_with_room, rooms_beside
from webapp.adapters.smtp.timeouts import GOODBYE_SECONDS, timeouts
from webapp.adapters.smtp.transactions import IDLE, QUIT
from webapp.adapters.smtp.wire import READ, WRITE
from webapp.config import RelaySettings
from webapp.core.ports import NO_ROOMS, Cause, Exchange, Mail, ReceiverConnections, Reply, Stage
from webapp.core.rules.relay_limits import NONE_KNOWN

IDLE_SECONDS = 60.0
"""An unused connection is closed after this time; relays commonly hang up after one to five minutes."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between attempts to connect while the relay is ill; doubled from the first to the longest."""
SHORT_PAUSE = 0.02
"""Seconds between attempts to connect while other connections carry mails and the relay takes no more."""
STILL_COUNTED = 1.0
"""Seconds. A relay may still count a connection for this time after its end."""
RECENTLY = 2.0
"""Seconds after the last mail that the relay took. In this time a refused connection is not trouble yet."""
MOST_PUT_BACKS = 8
"""How often one mail is carried by yet another connection before its end counts as an answer to it, beside once for each connection that
there may be: all of them can have carried enough when it comes to them."""
TICK_SECONDS = 1.0
"""A time-out is noticed at most so late."""


class SmtpMailer:
    """`ports.Mailer` over SMTP. Not for use by several threads, nor across a fork.

    It opens connections while mails wait for them, up to `settings.connections`. Before the first one has opened, and after one failed, it
    opens them one at a time, so that a relay that is down, or refuses the password, is asked once and not ten times. When the relay refuses
    or ends a connection while it takes mails on others, that shows a limit (`Knowledge`): a mail on it whose content has not left is put
    back, and another connection carries it.
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
        self.timeouts = timeouts(settings, idle_seconds)
        self._clock = clock
        self.now = clock()
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._tls: ssl.SSLContext | None = None
        self._addresses = RelayAddresses(settings.host, settings.port)
        self._first_pause = self._pause = first_pause
        self._short_pause = SHORT_PAUSE
        self._may_connect_at = 0.0
        self._is_proven = False
        self._knows = Knowledge(settings)
        self.mails_put_back: deque[Mail] = deque()
        self._times_put_back: Counter[int] = Counter()
        self._worked_at = self._ended_at = -RECENTLY
        self._opening = 0
        self._limits = NONE_KNOWN
        self._receivers: Mapping[str, ReceiverConnections] = {}
        self._is_curious = False
        self._most, self._told, self._told_opening = settings.connections, -1, -1
        self._tick = min(TICK_SECONDS, *(limit / 4 for limit in self.timeouts.values()))
        self._sweep_at = 0.0

    def run(self, exchange: Exchange) -> None:
        """Send until the exchange is finished; see `ports.Mailer`."""
        self.exchange, self._told = exchange, -1
        self._times_put_back.clear()
        wake = exchange.wake_fileno()
        self.selector.register(wake, READ, None)
        try:
            self.now, self._sweep_at = self._clock(), 0.0
            self._listen(0)  # what the relay said or closed since the last run, and deadlines that have passed
            while True:
                self._heed_limits()
                self._hand_out()
                self._open_more()
                if exchange.finished():
                    self._withdraw()
                    if not any(c.mail or c.following for c in self._connections):
                        break
                self._listen(self._patience())
            self._keep_idle_ones()
        except BaseException:
            for connection in self._connections:
                connection.cut()
            self._forget_connections()
            self.mails_put_back.clear()
            raise
        finally:
            self.selector.unregister(wake)

    def close(self) -> None:
        """Say QUIT on idle connections, wait GOODBYE_SECONDS for the answers, and close everything."""
        self._keep_idle_ones()
        for connection in self._connections:
            connection.leave()
        end = time.monotonic() + GOODBYE_SECONDS
        while self._connections and time.monotonic() < end:
            self._listen(GOODBYE_SECONDS / 10)
        for connection in self._connections:
            connection.cut()
        self._forget_connections()
        self.selector.close()

    # What connections call

    def tls(self) -> ssl.SSLContext:
        """The context of all connections; made when first needed."""
        if self._tls is None:
            self._tls = tls_context(self.settings.ca_file)
        return self._tls

    def has_opened(self, connection: Connection) -> None:
        """The relay lets the connection carry mails."""
        self._opening -= 1

    def is_idle(self, connection: Connection) -> None:
        """The connection can carry a mail now."""
        self._is_proven = True
        self._short_pause = SHORT_PAUSE
        self._idle.append(connection)

    def has_ended(self, connection: Connection, failed: bool) -> None:
        """The connection is closed; `failed` before it was of any use."""
        if connection not in self._connections:
            self._opening += 1  # it failed while it was being made
        self._connections.discard(connection)
        if not connection.is_open:
            self._opening -= 1
        if connection.worked_at:
            self._ended_at = self.now
            self._worked_at = max(self._worked_at, connection.worked_at)
        if self._knows.ended(self.exchange, connection, self.now):
            self._apply_limits()
        if failed:
            self._is_proven = False
            self._knows.is_ill()
            self._pause_before_connecting()
        elif connection.worked_at or connection.has_answered:
            self._pause = self._first_pause

    def put_back(self, mail: Mail, reply: Reply) -> None:
        """The content of this mail never left, and not through its own fault: another connection carries it, or `reply` settles it."""
        self._times_put_back[mail.delivery_id] += 1
        if self._times_put_back[mail.delivery_id] > MOST_PUT_BACKS + self.settings.connections:
            self.exchange.settled(mail, reply)
        else:
            self.mails_put_back.append(mail)

    def is_one_too_many(self, connection: Connection, reply: Reply) -> bool:
        """Whether the relay refused this connection because there are enough others, of this mailer or of others."""
        if not may_be_full(reply):
            return False
        others = [one for one in self._connections if one is not connection and one.awaiting is not QUIT]
        if any(one.carries() for one in others):
            just_ended = self.now - self._ended_at < STILL_COUNTED
            self._is_curious = True
            self._knows.connections.refused(len(others), self._most, self.now, one_just_ended=just_ended)
            self._may_connect_at = max(self._may_connect_at, self.now + min(SHORT_PAUSE, self._first_pause))
            return True
        if not connection.is_open and self.now - self._worked_at < RECENTLY:
            self._is_proven = bool(others)
            self._may_connect_at = max(self._may_connect_at, self.now + self._short_pause)
            self._short_pause = min(self._short_pause * 2, self._first_pause)
            return True
        if not self.exchange.is_carried_elsewhere():
            return False
        if self.exchange.relay_limits().connections is None:
            self._knows.tell_connections(self.exchange, 1)
        self._is_proven = False
        self._pause_before_connecting()
        return True

    def has_carried_enough(self, connection: Connection, reply: Reply) -> None:
        """The relay takes no more mails on this connection, or closed it after one."""
        self._is_curious = True
        if self._knows.met(connection, reply, self.now):
            self._apply_limits()

    def rooms_beside(self, connection: Connection | None) -> Mapping[int, int]:
        """How many connections more may carry mails to each receiver that has a limit of them, besides all but this one."""
        return rooms_beside(connection, self._connections, self._receivers) if self._receivers else NO_ROOMS

    def take_back(self, rooms: Mapping[int, int]) -> Mail | None:
        """The first of the mails that were put back for which there is room."""
        return first_with_room(self.mails_put_back, rooms, self._receivers) if self.mails_put_back else None

    def refuses_behind_dot(self) -> None:
        """The relay refuses commands because they were written behind a final dot."""
        if self._knows.behind_dot:
            self._knows.refuses_behind_dot(self.exchange)
            self._apply_limits()

    # The loop

    def _listen(self, patience: float) -> None:
        """Wait for the relay or the exchange, and handle what they say. Only after that, connections end whose deadline had passed before:
        an answer that is there counts, also when this process was stopped for longer than the time-out."""
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

    def _heed_limits(self) -> None:
        """Tell the exchange how many connections there are, read what is known about the relay, and say QUIT on idle connections beyond the
        allowed number; busy ones end after their mail."""
        exchange, knows = self.exchange, self._knows
        self._receivers = exchange.receivers()
        if len(self._connections) != self._told or self._opening != self._told_opening:
            self._told, self._told_opening = len(self._connections), self._opening
            exchange.holds(self._told, self._opening)
        if (limits := exchange.relay_limits()) is not self._limits:
            self._limits = limits
            if knows.adopt(limits, self.now):
                self._apply_limits()
        if self._is_curious:
            if knows.learns(exchange, self._connections, self.now):
                self._apply_limits()
            self._is_curious = knows.is_unsettled
        most, own = exchange.most_connections(), knows.connections.most
        self._most = self.settings.connections if most is None else min(most, self.settings.connections)
        if own is not None:
            if self.now >= knows.connections.grow_at:
                own = self._grow(most)
            self._most = min(self._most, own)
        for connection in self._idle:  # the one used longest ago comes first
            if not self.has_too_many():
                break
            if connection.awaiting is IDLE and not connection.is_closed:
                connection.leave()

    def _grow(self, allowed: int | None) -> int:
        """Try one connection more than the relay was found to take, if it is of use."""
        knows, held = self._knows, len(self._connections)
        assert knows.connections.most is not None
        is_of_use = self._at_hand() > 0 and held < self.settings.connections
        if not is_of_use or held < min(self._most, knows.connections.most):
            return knows.connections.most
        if allowed is not None and allowed <= held and self.exchange.relay_limits().connections is not None:
            knows.tell_connections(self.exchange, held + 1)  # not allowed yet
        self._is_curious = True
        return knows.connections.grow(held, self.now)

    def _apply_limits(self) -> None:
        """Apply what was learned to existing connections, too; one that is on trial goes on."""
        knows = self._knows
        for connection in self._connections:
            connection.limit_to(knows.mails.for_old(connection, self.settings.mails_per_connection), knows.behind_dot)

    def _withdraw(self) -> None:
        """Nothing more may leave: mails that were put back go back to the exchange."""
        while self.mails_put_back:
            words = "called back before another connection could carry it"
            self.exchange.settled(self.mails_put_back.popleft(), Reply(Stage.MAIL, None, "", words, Cause.WITHDRAWN))

    def has_too_many(self) -> bool:
        """Whether a connection should end after the mail it carries."""
        if len(self._connections) <= self._most:
            return False
        return sum(connection.awaiting is not QUIT for connection in self._connections) > self._most

    def _hand_out(self) -> None:
        while self._idle:
            connection = self._idle[-1]  # the one used last, so that connections that are not needed grow old
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
        wanted = min(room, self._at_hand() - self._opening)
        if not self._is_proven:
            wanted = min(wanted, 1 - self._opening)
        if wanted <= 0 or not self._find_relay():
            return
        for _ in range(wanted):
            connection = Connection(self, self._addresses.known)
            if not connection.is_closed:
                self._opening += 1
                self._connections.add(connection)
                last = self._knows.mails.for_new(connection, self.settings.mails_per_connection, self.now)
                connection.limit_to(last, self._knows.behind_dot)

    def _at_hand(self) -> int:
        """How many connections more could carry a mail now."""
        return self.exchange.at_hand(self.rooms_beside(None)) + len(self.mails_put_back)

    def _find_relay(self) -> bool:
        failure = self._addresses.look_up(self.now, is_busy=any(c.mail for c in self._connections))
        if failure is None:
            return True
        self._knows.is_ill()
        self._pause_before_connecting()
        self.exchange.trouble(Reply(Stage.CONNECT, None, "", failure, Cause.UNREACHABLE))
        return False

    def _pause_before_connecting(self) -> None:
        if self.now >= self._may_connect_at:  # several that fail together are one failure
            self._may_connect_at = self.now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _patience(self) -> float:
        """Seconds until the loop must go round even if nothing happens."""
        patience = self._tick
        if self.now < self._may_connect_at:
            patience = min(patience, self._may_connect_at - self.now)
        return patience

    def _keep_idle_ones(self) -> None:
        for connection in [c for c in self._connections if c.awaiting is not IDLE]:
            connection.cut()
            self._opening -= not connection.is_open
            self._connections.discard(connection)

    def _forget_connections(self) -> None:
        self._connections.clear()
        self._idle.clear()
        self._opening = 0
