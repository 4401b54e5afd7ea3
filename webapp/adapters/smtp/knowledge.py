"""What a mailer knows about its relay's limits, by itself and from others through the exchange; the exchange hears each lesson."""

import logging
import re
from collections.abc import Collection
from dataclasses import replace

from webapp.adapters.smtp.limits import Carrier, ConnectionLimit, MailsLimit
from webapp.config import RelaySettings
from webapp.core.ports import Cause, Exchange, RelayLimits, Reply, Stage
from webapp.core.rules.relay_limits import NONE_KNOWN

log = logging.getLogger(__name__)

_ENOUGH = re.compile(
    r"\s*4\.(4\.5|5\.3)\b|\b(too many|maximum|max\.?|limit)\b.{0,40}\b(mails?|messages?|transactions?|deliveries)\b|"
    r"\b(mails?|messages?|transactions?)\b.{0,20}\bper (connection|session)\b",
    re.IGNORECASE | re.DOTALL,
)
"""A reply to MAIL with these words says that there were enough mails on this connection; mail servers commonly use 4.4.5 and 4.5.3."""

_OUT_OF_STEP = re.compile(
    r"5\.5\.[01]\b|pipelin|bad sequence|out of (sequence|order)|synchroni[sz]ation", re.IGNORECASE
)
"""A reply with these words says that a command came at the wrong time. 503 says so by its code."""

_NO_LIMIT = frozenset({Cause.CERTIFICATE, Cause.NOT_OFFERED, Cause.PLAINTEXT, Cause.WITHDRAWN})
_MAY_BE_FULL = frozenset({Stage.CONNECT, Stage.BANNER, Stage.EHLO})
"""Stages at which even a final refusal may mean that there are too many connections. At later stages it is about us."""


class Knowledge:
    """The limits in force for one mailer. `behind_dot`: whether commands may be written behind a final dot at present."""

    def __init__(self, settings: RelaySettings) -> None:
        self.connections, self.mails = ConnectionLimit(), MailsLimit()
        self.behind_dot = settings.behind_dot
        self._settings = settings
        self._seen = NONE_KNOWN
        self._is_trying_without = False
        self._tried_at = 0.0

    @property
    def is_unsettled(self) -> bool:
        """Whether `learns` should be asked."""
        return (
            self.connections.is_in_question
            or self.connections.is_trying
            or self.mails.is_in_question
            or self._is_trying_without
        )

    def adopt(self, limits: RelayLimits, now: float) -> bool:
        """Take over what the exchange knows. Returns whether it was new."""
        if limits is self._seen or limits == self._seen:
            return False
        before, self._seen = self._seen, limits
        if limits.connections != before.connections:
            self.connections.adopt(limits.connections, now)
        if limits.per_connection != before.per_connection:
            self.mails.adopt(limits.per_connection, now)
        if limits.behind_dot != before.behind_dot:
            self.behind_dot, self._is_trying_without = limits.behind_dot and self._settings.behind_dot, False
        return True

    def learns(self, exchange: Exchange, connections: Collection[Carrier], now: float) -> bool:
        """See whether a limit that was met is certain by now, and tell the exchange. Returns whether connections must change."""
        if self.connections.learns(connections, self._settings.connections, now):
            self.tell_connections(exchange, self.connections.most)
        if self._is_trying_without and any(one.mails > 1 and one.began_at >= self._tried_at for one in connections):
            self._is_trying_without = False
            self.refuses_behind_dot(exchange)
        if not self.mails.learns(connections, self._settings.mails_per_connection, now):
            return False
        self._tell(exchange, replace(exchange.relay_limits(), per_connection=self.mails.most))
        return True

    def tell_connections(self, exchange: Exchange, most: int | None) -> None:
        """Tell the exchange that this many connections of this mailer work, or that it wants to try one more; None: as many as it likes."""
        self._tell(exchange, replace(exchange.relay_limits(), connections=most))

    def refuses_behind_dot(self, exchange: Exchange) -> None:
        """The relay takes no commands behind a final dot."""
        self.behind_dot = False
        self._tell(exchange, replace(exchange.relay_limits(), behind_dot=False))

    def met(self, connection: Carrier, reply: Reply, now: float) -> bool:
        """The relay took no more mails on a connection that had carried some, or closed it. Returns whether connections must change."""
        says_so = reply.code is not None and _ENOUGH.search(reply.text) is not None
        was_in_question = self.mails.is_in_question
        self.mails.met(connection, now, says_so=says_so)
        if connection.mails > 1 or was_in_question or not self.mails.is_in_question:
            return False
        # Again one mail a connection. The cause may be the commands behind its dot: see whether the relay takes more without them.
        if self.behind_dot and not self._is_trying_without:
            self.behind_dot, self._is_trying_without, self._tried_at = False, True, now
            self.mails.forget_question()
            return True
        if self._is_trying_without:
            self.behind_dot, self._is_trying_without = True, False
            return True
        return False

    def ended(self, exchange: Exchange, connection: Carrier, now: float) -> bool:
        """A connection has ended. Returns whether the others must change."""
        self.connections.ended(connection)
        if self.mails.ended(connection, self._settings.mails_per_connection, now):
            self._tell(exchange, replace(exchange.relay_limits(), per_connection=self.mails.most))
            return True
        return False

    def is_ill(self) -> None:
        """The relay is ill: what it refused meanwhile teaches nothing."""
        self.connections.forget_question()
        self.mails.forget_question()
        if self._is_trying_without:
            self.behind_dot, self._is_trying_without = True, False

    def _tell(self, exchange: Exchange, limits: RelayLimits) -> None:
        log.info("the relay's limits: %s", limits, extra={"event": "relay_limits"})
        exchange.learned(limits)


def may_be_full(reply: Reply) -> bool:
    """Whether a new connection that ended with `reply` may have been one too many."""
    if reply.code is None:
        return reply.cause not in _NO_LIMIT
    return reply.code < 500 or reply.stage in _MAY_BE_FULL


def is_out_of_step(code: int, text: str) -> bool:
    """Whether a refusal says that the command came at the wrong time."""
    return code == 503 or (code >= 500 and _OUT_OF_STEP.search(text) is not None)
