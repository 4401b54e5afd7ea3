"""What the core asks of the outside world: a mailer, and the exchange through which it and the sender talk."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """The step of an SMTP conversation (RFC 5321) in which it ended."""

    CONNECT = "connect"
    BANNER = "banner"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"
    RENDER = "render"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail for one recipient. `data` is the whole message with CRLF line ends and no line that begins with a dot."""

    delivery_id: int
    mail_from: str
    rcpt_to: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """How an exchange ended: the stage, the relay's code and text, or the error that took the reply's place.

    `code` is None when no reply came; `error` then says why in plain words ("connection lost", "no answer for 300 s").
    Only stage DOT with code None leaves open whether the mail was taken.
    """

    stage: Stage
    code: int | None
    text: str
    error: str | None = None


class Exchange(Protocol):
    """What the sender offers a mailer. All calls come from the thread that called `Mailer.run`, and none of them blocks."""

    def take(self) -> Mail | None:
        """The next mail to hand to the relay; None when there is none at hand now."""

    def finished(self) -> bool:
        """True when `take` will never again return a mail: settle what is under way and return."""

    def wake_fileno(self) -> int:
        """A file descriptor that becomes readable when `take` or `finished` may answer differently."""

    def woken(self) -> None:
        """The mailer has seen `wake_fileno` readable: drain it."""

    def body_starts(self, mail: Mail) -> None:
        """The first byte of the mail's content is about to leave. Journalled before this returns."""

    def settled(self, mail: Mail, reply: Reply) -> None:
        """What became of a mail: exactly once for every mail taken."""

    def trouble(self, reply: Reply) -> None:
        """A connection failed with no mail on it (connect, banner, EHLO, STARTTLS, AUTH, or a drop between mails)."""


class Mailer(Protocol):
    """Hands mails to a relay, one recipient a transaction, over one or more connections that it keeps between runs."""

    def run(self, exchange: Exchange) -> None:
        """Send until the exchange is finished. Returns when every mail taken is settled."""

    def close(self) -> None:
        """End idle connections. Never changes an outcome."""
