"""A listener for bounces: LMTP (RFC 2033) or SMTP, for return paths of ours and nothing else.

A mail is answered with 250 when it is in the database, and with 451 when that cannot be reached: whoever brings it comes again. One
recipient a mail, since LMTP would want an answer for each, and a bounce has one.
"""

import asyncio
import logging
import socket
from collections.abc import Callable

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy.exc import SQLAlchemyError

from webapp.adapters.bounces.taking import BounceTaker

log = logging.getLogger(__name__)

LARGEST = 16 * 1024 * 1024
"""Octets of a mail. Some servers send the whole of ours back; what stands first in it is looked at."""
CONNECTIONS = 50
SILENT_S = 60.0

AWAY = "451 4.3.0 cannot be kept at present, try again later"


class BounceHandler:
    """aiosmtpd's handler. The database is asked in threads, so that a slow one holds up no other connection."""

    def __init__(self, taker: BounceTaker):
        self._taker = taker

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        try:
            if not await asyncio.to_thread(self._taker.is_ours, address):
                return "550 5.1.1 no such address"
        except SQLAlchemyError:
            log.warning("bounces cannot be taken: the database is away", exc_info=True, extra={"event": "bounces_away"})
            return AWAY
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        try:
            await asyncio.to_thread(self._taker.take, envelope.original_content or b"", list(envelope.rcpt_tos))
        except SQLAlchemyError:
            log.warning("a bounce cannot be kept: the database is away", exc_info=True, extra={"event": "bounces_away"})
            return AWAY
        return "250 2.0.0 kept"

    async def handle_exception(self, error: Exception) -> str:
        log.error("a connection that brings bounces failed", exc_info=error, extra={"event": "bounces_failed"})
        return AWAY


class BounceListener:
    """Serves bounces on a socket: LMTP where `is_lmtp`, else SMTP. Mails of more than `largest` octets are refused, and so are more
    `connections` at a time."""

    def __init__(self, taker: BounceTaker, *, is_lmtp: bool, largest: int = LARGEST, connections: int = CONNECTIONS):
        self._handler = BounceHandler(taker)
        self._is_lmtp, self._largest, self._most = is_lmtp, largest, connections
        self._open = 0

    async def serve(self, place: socket.socket, until: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Take mails that come to `place`, which is bound, until `until` is set; `ready` is called when it can be reached."""
        server = await asyncio.get_running_loop().create_server(self._connection, sock=place)
        ready()
        await until.wait()
        server.close()

    def _connection(self) -> SMTP:
        kind = _Lmtp if self._is_lmtp else _Smtp
        made = kind(
            self._handler,
            data_size_limit=self._largest,
            enable_SMTPUTF8=True,
            hostname=socket.gethostname(),
            ident="for bounces",
            timeout=SILENT_S,
            command_call_limit=1_000,
        )
        made.counted = self
        return made

    def admit(self, by: int) -> bool:
        """Count a connection that opens (1) or ends (-1). False when there are too many."""
        self._open += by
        return self._open <= self._most


class _CountedConnection(SMTP):
    """A connection that is refused when there are too many."""

    counted: BounceListener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        is_admitted = self.counted.admit(1)
        super().connection_made(transport)
        if not is_admitted and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.7.0 too many connections, try again later\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.counted.admit(-1)
        super().connection_lost(error)


class _Smtp(_CountedConnection):
    pass


class _Lmtp(_CountedConnection, LMTP):
    pass
