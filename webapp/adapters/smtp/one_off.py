"""One mail on a connection of its own: test sends and alerts."""

import os
from collections.abc import Mapping
from dataclasses import replace

from webapp.adapters.smtp.mailer import SmtpMailer
from webapp.config import RelaySettings
from webapp.core.ports import NO_ROOMS, Mail, ReceiverConnections, Reply
from webapp.core.rules.relay_limits import NONE_KNOWN, RelayLimits


def send_one(settings: RelaySettings, mail: Mail) -> Reply:
    """Hand one mail to the relay and say how it ended; `core.rules.outcome.judge` puts that in words. Blocks for the settings' time-outs at
    most. Tries once: a connection that fails is an answer, too."""
    mailer = SmtpMailer(replace(settings, connections=1))
    exchange = _Single(mail)
    try:
        mailer.run(exchange)
    finally:
        mailer.close()
        exchange.close()
    assert exchange.reply is not None
    return exchange.reply


class _Single:
    """An exchange that has one mail."""

    def __init__(self, mail: Mail) -> None:
        self.reply: Reply | None = None
        self._waiting: Mail | None = mail
        self._never_read, self._never_written = os.pipe()

    def take(self, rooms: Mapping[int, int] = NO_ROOMS) -> Mail | None:
        mail, self._waiting = self._waiting, None
        return mail

    def at_hand(self, rooms: Mapping[int, int] = NO_ROOMS) -> int:
        return 1 if self._waiting else 0

    def most_connections(self) -> int | None:
        return None

    def holds(self, connections: int, opening: int) -> None:
        pass

    def receivers(self) -> Mapping[str, ReceiverConnections]:
        return {}

    def relay_limits(self) -> RelayLimits:
        return NONE_KNOWN

    def learned(self, limits: RelayLimits) -> None:
        pass

    def is_carried_elsewhere(self) -> bool:
        return False

    def finished(self) -> bool:
        return self.reply is not None

    def wake_fileno(self) -> int:
        return self._never_read

    def woken(self) -> None:
        pass

    def body_starts(self, mail: Mail) -> bool:
        return True

    def settled(self, mail: Mail, reply: Reply) -> None:
        self.reply = reply

    def trouble(self, reply: Reply, after_s: float = 0.0) -> None:
        self._waiting, self.reply = None, reply

    def close(self) -> None:
        os.close(self._never_read)
        os.close(self._never_written)
