"""How long a connection waits for each thing (RFC 5321 section 4.5.3.2)."""

from webapp.adapters.smtp.transactions import IDLE, LONE_DOT, QUIT, RSET
from webapp.config import RelaySettings
from webapp.core.ports import Stage

GOODBYE_SECONDS = 2.0


def timeouts(settings: RelaySettings, idle_seconds: float) -> dict[str, float]:
    """Seconds for each thing that a connection waits for. RFC 5321 section 4.5.3.2 gives DATA two minutes and a block of content three."""
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
