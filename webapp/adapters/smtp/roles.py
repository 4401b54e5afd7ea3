"""What the parts of the SMTP client know about each other: a conversation with the relay, and the pool of all conversations."""

import selectors
import ssl
from collections import deque
from typing import Protocol

from webapp.adapters.smtp.replies import ReplyReader
from webapp.adapters.smtp.wire import Wire
from webapp.config import RelaySettings
from webapp.core.ports import Exchange, Mail, Reply


class Conversation(Protocol):
    """What `opening` and `transactions` need from a connection; `Connection` explains the names."""

    settings: RelaySettings
    wire: Wire
    reader: ReplyReader
    features: dict[str, str]
    pipelining: bool
    mail: Mail | None
    following: Mail | None
    mails: int
    last_behind: int
    behind_dot: int
    worked_at: float
    has_answered: bool

    @property
    def pool(self) -> "Pool":
        """What all conversations share."""

    def take(self) -> Mail | None:
        """Take the next mail that this connection can carry."""

    def greeted(self, features: dict[str, str]) -> None:
        """The relay has announced its features."""

    def has_carried_enough(self, reply: Reply) -> None:
        """The relay takes no more mails on this connection, or closed it after one."""

    def is_one_too_many(self, reply: Reply) -> bool:
        """Whether the relay refused this connection, by `reply` before it was of any use, because there are enough others."""


class Pool(Protocol):
    """What all conversations of a mailer share. `now` is in monotonic seconds."""

    settings: RelaySettings
    selector: selectors.BaseSelector
    exchange: Exchange
    timeouts: dict[str, float]
    now: float
    mails_put_back: deque[Mail]

    def tls(self) -> ssl.SSLContext:
        """The TLS context."""

    def put_back(self, mail: Mail, reply: Reply) -> None:
        """The content of this mail never left, and not through its own fault: another connection carries it. If none can, `reply` settles
        it."""

    def refuses_behind_dot(self) -> None:
        """The relay refuses commands because they were written behind a final dot."""

    def has_too_many(self) -> bool:
        """Whether a connection should end after the mail it carries."""
