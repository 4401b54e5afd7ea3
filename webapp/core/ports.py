"""What the core asks of the outside world: a mailer, and the exchange through which it and the sender talk."""

from dataclasses import dataclass
from typing import Protocol

from webapp.core.rules.outcome import Cause, Reply, Stage

__all__ = ["Cause", "Exchange", "Mail", "Mailer", "Reply", "Stage"]


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail for one recipient. `data` is the whole message with CRLF line ends and no line that begins with a dot."""

    delivery_id: int
    mail_from: str
    rcpt_to: str
    data: bytes


class Exchange(Protocol):
    """What the sender offers a mailer. All calls come from the thread that called `Mailer.run`, and none of them blocks."""

    def take(self) -> Mail | None:
        """The next mail to hand to the relay; None when there is none at hand now. Asked only when a connection can carry it."""

    def at_hand(self) -> int:
        """How many mails `take` would give now. The mailer opens no more connections than that (a bound, need not be exact)."""

    def finished(self) -> bool:
        """True when `take` will never again return a mail: settle what is under way and return."""

    def wake_fileno(self) -> int:
        """A file descriptor that becomes readable when `take`, `at_hand` or `finished` may answer differently."""

    def woken(self) -> None:
        """The mailer has seen `wake_fileno` readable: drain it."""

    def body_starts(self, mail: Mail) -> bool:
        """The first byte of the mail's content is about to leave. Journalled before this returns True.

        False: it must not leave any more (the lease is over, the broadcast is paused). The mailer then ends the connection, which
        is the only way back once the relay has said 354, and settles the mail as not taken (Cause.WITHDRAWN).
        """

    def settled(self, mail: Mail, reply: Reply) -> None:
        """What became of a mail: exactly once for every mail taken."""

    def trouble(self, reply: Reply) -> None:
        """A connection failed with no mail on it (connect, banner, EHLO, STARTTLS, AUTH, or a drop before its first mail).

        An idle connection that the relay closes after it carried mail is no trouble: relays do that, and the mailer opens another.
        """


class Mailer(Protocol):
    """Hands mails to a relay, one recipient a transaction, over one or more connections that it keeps between runs."""

    def run(self, exchange: Exchange) -> None:
        """Send until the exchange is finished. Returns when every mail taken is settled.

        If a call of the exchange raises, all connections are cut and the exception goes on: mails under way stay unsettled.
        """

    def close(self) -> None:
        """End idle connections. Never changes an outcome."""
