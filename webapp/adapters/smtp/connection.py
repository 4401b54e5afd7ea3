"""One connection to the relay, from connect to its end, and which mails are in doubt when it breaks."""

import ssl
from collections.abc import Mapping, Sequence
from typing import Protocol

from webapp.adapters.smtp import failures
from webapp.adapters.smtp.opening import Dialogue, Ended, opening, refused
from webapp.adapters.smtp.replies import Garbled, ReplyReader, as_text
from webapp.adapters.smtp.roles import Pool
from webapp.adapters.smtp.transactions import IDLE, QUIT, transactions, unsendable
from webapp.adapters.smtp.wire import Address, Wire
from webapp.config import RelaySettings
from webapp.core.ports import Cause, Mail, Reply, Stage


class Owner(Pool, Protocol):
    """What a connection needs from the mailer, and tells it."""

    def has_opened(self, connection: "Connection") -> None:
        """The relay lets the connection carry mails."""

    def is_idle(self, connection: "Connection") -> None:
        """The connection can carry a mail now."""

    def rooms_beside(self, connection: "Connection") -> Mapping[int, int]:
        """How many connections more may carry mails to each receiver that has a limit of them, besides all but this one."""

    def take_back(self, rooms: Mapping[int, int]) -> Mail | None:
        """The first of the mails that were put back for which there is room."""

    def is_one_too_many(self, connection: "Connection", reply: Reply) -> bool:
        """Whether the relay refused this connection, by `reply` before it was of any use, because there are enough others."""

    def has_carried_enough(self, connection: "Connection", reply: Reply) -> None:
        """The relay takes no more mails on this connection, or closed it after one."""

    def has_ended(self, connection: "Connection", failed: bool) -> None:
        """The connection is closed; `failed` before it was of any use."""


CARRIES_S = 60.0
"""Seconds. A connection on which nothing moved for longer does not prove that the relay works."""
AFTER_A_MAIL_S = 1.0
"""Seconds. A connection that the relay closes within this time after a mail had carried enough; later it was idle for too long."""


class Connection:
    """One conversation. `mail` is the mail under way; `following` is the mail whose commands were written behind the content of `mail`.
    The reply that it is `awaiting` must come before `deadline` (monotonic seconds). It leaves after `last` mails; it may write the next
    mail's commands behind a content until it has carried `last_behind` mails. `worked_at` is when the relay last answered a mail after it
    had taken the sender, 0 if it never did."""

    def __init__(self, pool: Owner, addresses: Sequence[Address]) -> None:
        self.pool = pool
        self.settings: RelaySettings = pool.settings
        self.wire = Wire(pool.selector, self)
        self.reader = ReplyReader()
        self.features: dict[str, str] = {}
        self.pipelining = False
        self.takes_smtputf8 = False
        self.size_limit = 0
        self.mail: Mail | None = None
        self.following: Mail | None = None
        self.mails = 0
        self.last = self.last_behind = 0
        self.behind_dot = 0
        self.began_at = pool.now
        self.worked_at = 0.0
        self.has_answered = False
        self.is_open = False
        self.is_closed = False
        self.awaiting: str = Stage.CONNECT
        self.deadline = 0.0
        self._may_write_behind = True
        self._is_quiet = True
        self._addresses = list(addresses)
        self._talk = self._conversation()
        next(self._talk)
        self._connect(None)

    # What the pool calls

    def ready(self, can_write: bool) -> None:
        """The selector says that the socket can be read or written."""
        if self._is_quiet:
            self._go_on_quietly()
            return
        wire = self.wire
        if data := wire.read():
            self._hear(data)
        if self.is_closed:
            return
        if wire.ended:
            stage = self._stage()
            words = failures.lost(stage, wire.ended, self.reader.rest, self.settings)
            self._end(Reply(stage, None, "", words, Cause.LOST))
        elif can_write and wire.unsent:
            wire.flush()
            self._set_deadline()

    def take(self) -> Mail | None:
        """Take the next mail that this connection can carry, mails put back first. Settles mails that it cannot carry."""
        exchange, rooms = self.pool.exchange, self.pool.rooms_beside(self)
        while (mail := self.pool.take_back(rooms) or exchange.take(rooms)) is not None:
            refusal = unsendable(mail, self.size_limit, self.takes_smtputf8)
            if refusal is None:
                return mail
            exchange.settled(mail, refusal)
        return None

    def limit_to(self, mails: int, behind_dot: bool) -> None:
        """Carry at most `mails` mails, and write commands behind a dot only if `behind_dot`."""
        self.last, self._may_write_behind = mails, behind_dot
        self.last_behind = mails if behind_dot and self.pipelining else 0

    def carries(self) -> bool:
        """Whether it proves that the relay takes mails: it carries one, or has carried some, and something moves."""
        if not self.is_open or self.awaiting is QUIT or not (self.mail or self.worked_at):
            return False
        return self.pool.now - (self.deadline - self._limit()) < CARRIES_S

    def begin(self, mail: Mail) -> None:
        """Carry a mail. Call it only while idle."""
        self._go_on(mail)

    def leave(self) -> None:
        """Say QUIT. Call it only while idle. The connection ends when the relay has answered, or after a short time-out."""
        self.awaiting = QUIT
        self.wire.write(b"QUIT\r\n")
        self._set_deadline()

    def expired(self) -> None:
        """The deadline has passed."""
        if self.awaiting is IDLE:
            self.leave()
            return
        stage = self._stage()
        words = failures.silence(stage, self._limit(), self.settings)
        if stage is Stage.CONNECT:
            self._connect(TimeoutError(0, words))
        else:
            self._end(Reply(stage, None, "", words, Cause.SILENT))

    def cut(self) -> None:
        """End at once, telling nobody."""
        self.is_closed = True
        self.mail = self.following = None
        self.wire.close()

    # How it goes on

    def greeted(self, features: dict[str, str]) -> None:
        """Remember the features that the relay announces; after STARTTLS it announces them anew (RFC 3207 section 4.2)."""
        self.features = features
        self.pipelining = "PIPELINING" in features
        self.limit_to(self.last, self._may_write_behind)
        # SMTPUTF8 requires 8BITMIME (RFC 6531 section 3.1): a relay that announces it alone is not trusted with it.
        self.takes_smtputf8 = "SMTPUTF8" in features and "8BITMIME" in features
        size = features.get("SIZE", "")
        self.size_limit = int(size) if size.isdecimal() else 0

    def has_carried_enough(self, reply: Reply) -> None:
        """The relay takes no more mails on this connection, or closed it after one."""
        self.pool.has_carried_enough(self, reply)

    def is_one_too_many(self, reply: Reply) -> bool:
        """Whether the relay refused this connection, by `reply` before it was of any use, because there are enough others."""
        return self.pool.is_one_too_many(self, reply)

    def _conversation(self) -> Dialogue:
        yield from opening(self)
        self.is_open = True
        self.pool.has_opened(self)
        yield from transactions(self)

    def _connect(self, failure: OSError | None) -> None:
        """Try the next of the relay's addresses. When none is left, the last failure is the trouble to tell."""
        while self._addresses:
            try:
                self.wire.connect(self._addresses.pop(0))
            except OSError as error:
                failure = error
            else:
                self._set_deadline()
                return
        words = f"cannot connect: {failure.strerror or failure}" if failure else "the relay has no address"
        self._end(Reply(Stage.CONNECT, None, "", words, Cause.UNREACHABLE))

    def _go_on_quietly(self) -> None:
        """Go on with a step that has no reply: the TCP connection, or the TLS handshake."""
        try:
            if self.awaiting is Stage.CONNECT:
                self.wire.connected()
            elif not self.wire.handshake():
                return
        except ssl.SSLCertVerificationError as error:
            words = f"the relay's certificate is not to be trusted: {error.verify_message}"
            self._end(Reply(Stage.STARTTLS, None, "", words, Cause.CERTIFICATE))
        except OSError as error:  # ssl.SSLError is one
            if self.awaiting is Stage.CONNECT:
                self._connect(error)
            else:
                words = failures.handshake(error, self.settings)
                self._end(Reply(Stage.STARTTLS, None, "", words, Cause.LOST))
        else:
            self._go_on(None)

    def _hear(self, data: bytes) -> None:
        """Octets have come from the relay: go on with every whole reply."""
        reader, wire = self.reader, self.wire
        reader.feed(data)
        try:
            while (answer := reader.next()) is not None:
                if self.awaiting is IDLE or self.awaiting is QUIT:
                    self._end(refused(Stage.MAIL, answer))
                elif wire.unsent and self._stage() is Stage.BODY:
                    self._end(refused(Stage.BODY, answer))  # an answer before the dot, which will never leave now
                else:
                    self._go_on(answer)
                if self.is_closed:
                    return
        except Garbled as error:
            stage, raw = self._stage(), error.args[0]
            words = failures.nonsense(stage, raw, self.settings)
            self._end(Reply(stage, None, as_text(raw), words, Cause.GARBLED))

    def _go_on(self, answer: object) -> None:
        try:
            awaiting = self.awaiting = self._talk.send(answer)
        except Ended as end:
            self._end(end.reply)
            return
        pool = self.pool
        self.deadline = pool.now + (self._limit() if self.wire.unsent else pool.timeouts[awaiting])
        if awaiting is IDLE:
            if self.mails >= self.last or pool.has_too_many():
                self.leave()
            else:
                pool.is_idle(self)
        elif self._is_quiet or awaiting is Stage.STARTTLS:
            self._is_quiet = self.wire.is_shaking_hands

    # How it ends

    def _end(self, reply: Reply | None) -> None:
        """Close, and settle the mails of this connection: `reply` is for the one under way; a mail whose content never left may go to
        another connection."""
        self.is_closed = True
        self.wire.close()
        mail, following = self.mail, self.following
        self.mail = self.following = None
        pool = self.pool
        is_trouble = False
        if reply is not None:
            if mail is not None:
                self._give_up(mail, reply)
            elif self._was_of_use():
                if self.awaiting is IDLE and pool.now - self.worked_at < AFTER_A_MAIL_S:
                    self.has_carried_enough(reply)
            else:
                is_trouble = not self.is_one_too_many(reply)
        pool.has_ended(self, failed=is_trouble)
        if is_trouble:
            assert reply is not None
            pool.exchange.trouble(reply, pool.now - self.began_at)
        if following is not None:
            words = "the connection ended before this mail was handed over"
            pool.put_back(following, Reply(Stage.MAIL, None, "", words, Cause.LOST))

    def _give_up(self, mail: Mail, reply: Reply) -> None:
        """The connection ended while it carried this mail."""
        pool = self.pool
        if reply.cause is Cause.LOST and reply.stage in (Stage.MAIL, Stage.RCPT, Stage.DATA):
            if self.worked_at:
                self.has_carried_enough(reply)
                pool.put_back(mail, reply)
                return
            if reply.stage is Stage.MAIL and not self.has_answered and self.is_one_too_many(reply):
                pool.put_back(mail, reply)
                return
        pool.exchange.settled(mail, reply)

    def _was_of_use(self) -> bool:
        return bool(self.worked_at) or self.has_answered or self.awaiting is QUIT

    def _stage(self) -> Stage:
        """The stage to which a failure at this moment belongs."""
        if self.awaiting is Stage.DOT and self.wire.unsent > self.behind_dot:
            return Stage.BODY
        return self.awaiting if isinstance(self.awaiting, Stage) else Stage.MAIL

    def _limit(self) -> float:
        return self.pool.timeouts[self._stage() if self.wire.unsent else self.awaiting]

    def _set_deadline(self) -> None:
        self.deadline = self.pool.now + self._limit()
