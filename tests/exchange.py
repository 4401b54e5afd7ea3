"""The sender's side of a mailer for tests: hands out mails, takes them again as the ledger would, and remembers everything."""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping

from webapp.adapters.smtp.receivers import first_with_room
from webapp.core.ports import NO_ROOMS, Cause, Mail, ReceiverConnections, Reply
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import judge
from webapp.core.rules.relay_limits import NONE_KNOWN, RelayLimits


def mail(number: int, *, recipient: str | None = None, body: bytes = b"hello\r\n") -> Mail:
    """A small whole message with its own Message-ID."""
    recipient = recipient or f"client{number}@example.test"
    head = f"From: console@example.test\r\nTo: {recipient}\r\nSubject: {number}\r\nMessage-ID: <{number}@example.test>\r\n\r\n"
    return Mail(number, "console@example.test", recipient, head.encode() + body)


class RecordingExchange:
    """`ports.Exchange` over a list of mails.

    A mail whose outcome is pending is handed out again, at most `tries` times in all. It is finished when every mail is settled for good,
    when `troubles_borne` troubles came, or when `stop` was called. `replies` has each mail's replies in order, `moments` everything.
    """

    def __init__(self, mails: Iterable[Mail], *, tries: int = 5, troubles_borne: int = 20) -> None:
        self.replies: dict[int, list[Reply]] = {}
        self.troubles: list[Reply] = []
        self.moments: list[tuple[str, int]] = []
        self.withdraws: Callable[[Mail], bool] = lambda mail: False
        self.on_settled: Callable[[Mail, Reply], None] = lambda mail, reply: None
        self._waiting = deque(mails)
        self._out: dict[int, Mail] = {}
        self._taken: Counter[int] = Counter()
        self._tries, self._troubles_borne = tries, troubles_borne
        self._stopped = False
        self.allowed: int | None = None
        self.held: list[int] = []
        self.limits = NONE_KNOWN
        self.limited: Mapping[str, ReceiverConnections] = {}
        self.lessons: list[RelayLimits] = []
        self.carried_elsewhere = False
        self._read, self._write = os.pipe()

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)

    def __enter__(self) -> "RecordingExchange":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wake(self) -> None:
        """Make the mailer look; from any thread."""
        os.write(self._write, b"!")

    def add(self, *mails: Mail) -> None:
        """More mails; the mailer notices at once when `wake` is called."""
        self._waiting.extend(mails)

    def stop(self) -> None:
        """Hand out no more."""
        self._stopped = True

    def last(self, number: int) -> DeliveryState:
        """The state in which a mail ended."""
        return judge(self.replies[number][-1]).state

    # ports.Exchange

    def take(self, rooms: Mapping[int, int] = NO_ROOMS) -> Mail | None:
        mail = None if self._stopped else first_with_room(self._waiting, rooms, self.limited)
        if mail is None:
            return None
        assert mail.delivery_id not in self._out, "taken twice"
        self._out[mail.delivery_id] = mail
        self._taken[mail.delivery_id] += 1
        self.moments.append(("taken", mail.delivery_id))
        return mail

    def at_hand(self, rooms: Mapping[int, int] = NO_ROOMS) -> int:
        return 0 if self._stopped else len(self._waiting)

    def most_connections(self) -> int | None:
        return self.allowed

    def holds(self, connections: int, opening: int) -> None:
        if not self.held or self.held[-1] != connections:
            self.held.append(connections)

    def receivers(self) -> Mapping[str, ReceiverConnections]:
        return self.limited

    def relay_limits(self) -> RelayLimits:
        return self.limits

    def learned(self, limits: RelayLimits) -> None:
        self.limits = limits
        self.lessons.append(limits)

    def is_carried_elsewhere(self) -> bool:
        return self.carried_elsewhere

    def finished(self) -> bool:
        return self._stopped or not (self._waiting or self._out)

    def wake_fileno(self) -> int:
        return self._read

    def woken(self) -> None:
        os.read(self._read, 4096)

    def body_starts(self, mail: Mail) -> bool:
        assert mail.delivery_id in self._out, "content of a mail that was not taken"
        if self.withdraws(mail):
            return False
        self.moments.append(("body", mail.delivery_id))
        return True

    def settled(self, mail: Mail, reply: Reply) -> None:
        assert self._out.pop(mail.delivery_id, None) is mail, "settled twice, or never taken"
        self.replies.setdefault(mail.delivery_id, []).append(reply)
        self.moments.append(("settled", mail.delivery_id))
        again = judge(reply).state is DeliveryState.PENDING and reply.cause is not Cause.WITHDRAWN
        if again and self._taken[mail.delivery_id] < self._tries:
            self._waiting.append(mail)
        self.on_settled(mail, reply)

    def trouble(self, reply: Reply, after_s: float = 0.0) -> None:
        self.troubles.append(reply)
        self.moments.append(("trouble", len(self.troubles)))
        if len(self.troubles) >= self._troubles_borne:
            self.stop()
