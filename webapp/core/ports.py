"""What the core asks of the outside world: a mailer, and the exchange through which it and the sender talk."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

from webapp.core.rules.outcome import Cause, Reply, Stage
from webapp.core.rules.relay_limits import RelayLimits
from webapp.core.rules.sender_domains.answers import DnsAnswer

__all__ = [
    "NO_ROOMS",
    "Cause",
    "Exchange",
    "Journal",
    "JournalFinding",
    "Journals",
    "Mail",
    "Mailer",
    "ReceiverConnections",
    "RelayLimits",
    "Reply",
    "Resolver",
    "Stage",
    "Watch",
]


class Mail(NamedTuple):
    """One mail for one recipient. `data` is the whole message with CRLF line ends and no line that begins with a dot; `tail` follows after
    it in a mail with enclosures: ASCII, in buffers that many mails share. Addresses are ASCII but for letters before the @ that have no
    other form."""

    delivery_id: int
    mail_from: str
    rcpt_to: str
    data: bytes
    tail: tuple[bytes, ...] = ()

    @property
    def size(self) -> int:
        """Octets of the whole message."""
        return len(self.data) + sum(map(len, self.tail))

    @property
    def whole(self) -> bytes:
        """The whole message in one piece."""
        return b"".join((self.data, *self.tail)) if self.tail else self.data

    @property
    def needs_smtputf8(self) -> bool:
        """True when an address can only be handed over as RFC 6531 describes it."""
        return not (self.rcpt_to.isascii() and self.mail_from.isascii())


class ReceiverConnections(NamedTuple):
    """At most so many `connections` of this mailer may carry mails at a time to the receiver of the limit with this id."""

    receiver: int
    connections: int


NO_ROOMS: Mapping[int, int] = MappingProxyType({})
"""No receiver has a limit of connections."""


class Exchange(Protocol):
    """What the sender offers a mailer. All calls come from the thread that called `Mailer.run`, and none of them blocks."""

    def take(self, rooms: Mapping[int, int] = NO_ROOMS) -> Mail | None:
        """The next mail to hand to the relay; None when there is none at hand now. Asked only when a connection can carry it. `rooms`: how
        many connections more may carry mails to a receiver, by the id of its limit; no mail to one with 0 is given."""

    def at_hand(self, rooms: Mapping[int, int] = NO_ROOMS) -> int:
        """How many connections more could carry mails that `take` would give now. The mailer opens no more than that (a bound, need not be
        exact)."""

    def receivers(self) -> Mapping[str, ReceiverConnections]:
        """The receivers with a limit of connections, by the domains of recipients. Cheap: asked in each round of the mailer's loop."""

    def most_connections(self) -> int | None:
        """How many connections the mailer may hold now: its share, where others use the relay too; None: as many as its own settings say.
        The mailer holds no more than that, and no more than it found the relay to take just now."""

    def holds(self, connections: int, opening: int) -> None:
        """The mailer holds so many connections now, of which so many are still being opened (TCP, TLS, greeting, sign-in). Told when either
        number changed. One that is being opened is left alone until it opens, fails, or its time is over; only `finished` cuts it."""

    def relay_limits(self) -> RelayLimits:
        """What is known of the relay now, by all sending processes together: `connections` is the number for all of them. Cheap: asked in
        each round of the mailer's loop, which looks at the values only when it gets another object than before. What the mailer found
        out itself about connections counts more for it than this number, until this becomes None."""

    def learned(self, limits: RelayLimits) -> None:
        """The mailer met a limit of the relay, or found that one is wider than was known: this is known from now on.

        News is what differs from `relay_limits()`. `connections` then counts those of this mailer alone that work, at least 1; whoever
        knows of other processes adds theirs. One more than it holds means that it would try one more, which its share does not let it:
        if the relay refuses that, the smaller number is told again. None: it holds all that its settings ask for. A refusal is not told
        at once, but when the relay took mails after it: one that is being stopped refuses, too.
        """

    def is_carried_elsewhere(self) -> bool:
        """Whether other sending processes have handed mails to the relay just now: then a connection that it refuses is one too many, and
        no illness."""

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
        """What became of a mail: exactly once for every mail taken.

        A mail whose content never left, and whose connection the relay ended or refused for the sake of a limit, is not settled but put
        back: the mailer carries it over another connection before it takes the next. If the exchange is finished meanwhile, it is
        settled with Cause.WITHDRAWN.
        """

    def trouble(self, reply: Reply, after_s: float = 0.0) -> None:
        """A connection failed with no mail on it (connect, banner, EHLO, STARTTLS, AUTH, or a drop before its first mail).

        An idle connection that the relay closes after it carried mail is no trouble: relays do that, and the mailer opens another. Nor is
        one that the relay refuses while others carry mail: that is a limit (`learned`). `reply` has the relay's words, or says what took
        their place and which setting may be wrong; the connection was tried for `after_s` seconds. The mailer tries again by itself,
        after a pause that grows from 0.5 to 30 s.
        """


class Mailer(Protocol):
    """Hands mails to a relay, one recipient a transaction, over one or more connections that it keeps between runs."""

    def run(self, exchange: Exchange) -> None:
        """Send until the exchange is finished. Returns when every mail taken is settled.

        If a call of the exchange raises, all connections are cut and the exception goes on: mails under way stay unsettled.
        """

    def close(self) -> None:
        """End idle connections. Never changes an outcome."""


class Journal(Protocol):
    """What a sending process writes down beside the database, so that after a kill at most one mail a connection is in doubt.

    A mail is named by its delivery and the number of the attempt. `is_full` is True when `shorten` is due.
    """

    name: str
    is_full: bool

    def begins(self, delivery_id: int, attempt: int) -> None:
        """The content of this mail is about to leave. Raises OSError when it cannot be written; the mail must not leave then."""

    def replied(self, delivery_id: int, attempt: int, reply: Reply) -> None:
        """What became of a mail. There is always room for it."""

    def shorten(self, keep: Mapping[tuple[int, int], Reply | None]) -> None:
        """Forget everything but these mails: begun (None), or replied to and not yet in the database. Raises OSError."""

    def sync(self) -> None:
        """Force what was written to the disk, because the database cannot take it at present. Raises OSError."""

    def discard(self) -> None:
        """Everything is in the database: remove the journal."""

    def leave(self) -> None:
        """Let go of the journal and let it lie for those who recover what it tells."""


@dataclass(frozen=True, slots=True)
class JournalFinding:
    """What is left of a journal. `is_here`: it can be read here; `is_held`: its process lives, which the lock tells for sure only during
    one boot; `boot`: during which it was written, None if this is a copy.

    `begun` are the mails (delivery, attempt) whose content had begun to leave, `replies` those that got an answer.
    """

    is_here: bool
    is_held: bool = False
    boot: str | None = None
    begun: Collection[tuple[int, int]] = frozenset()
    replies: Mapping[tuple[int, int], Reply] = field(default_factory=dict)


class Journals(Protocol):
    """The journals of this machine."""

    def open(self) -> Journal:
        """A new one."""

    def find(self, name: str) -> JournalFinding:
        """What is left of one."""

    def discard(self, name: str) -> None:
        """Remove one whose mails are settled."""


class Watch(Protocol):
    """Looks at one broadcast from beside the transactions of its sender. `consent` is another value after a look than before it whenever
    somebody declined or took that back meanwhile, and where that cannot be told."""

    consent: object

    def is_sending(self) -> bool:
        """Look: whether the broadcast is sending, as of the last commit of anybody. Cheap enough to be asked before each mail."""

    def close(self) -> None:
        """Let go of it."""


class Resolver(Protocol):
    """Asks DNS, for one look at a domain."""

    def look_up(self, name: str, kind: str) -> DnsAnswer:
        """The records of a name (in ASCII), of kind A, AAAA, MX, PTR or TXT. Never raises, and blocks for seconds at most: where DNS does
        not answer, or was asked for too much already, the answer says that nothing is known."""
