"""Processor time of handing over one mail, SMTP alone: 10 KB that are ready, ten connections that pipeline, nothing rendered or recorded.

In it is everything from `take` to `settled`, the kernel's part included: on one machine that is mostly the copying of the mail to the other
side.
"""

import os
import resource
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median

from tests.benchmarks import postfix, render
from tests.benchmarks.figure import Figure
from webapp.adapters.smtp import SmtpMailer
from webapp.config import RelaySettings
from webapp.core.ports import NO_ROOMS, Mail, ReceiverConnections, Reply
from webapp.core.rules.relay_limits import NONE_KNOWN, RelayLimits

ROUNDS, MAILS = 7, 20_000
SHORT_ROUNDS, SHORT_MAILS = 2, 500
NAME, UNIT, GOAL = "SMTP alone, ten connections", "µs CPU/mail", 12


class Pile:
    """An exchange of mails that lie ready, all with the same content."""

    def __init__(self, mails: int, data: bytes) -> None:
        self._numbers = iter(range(1, mails + 1))
        self._data = data
        self._left = self.unsettled = mails
        self.accepted = 0
        self._never_read, self._never_written = os.pipe()

    def take(self, rooms: Mapping[int, int] = NO_ROOMS) -> Mail | None:
        number = next(self._numbers, None)
        if number is None:
            return None
        self._left -= 1
        return Mail(number, "news@example.com", f"client{number}@example.com", self._data)

    def at_hand(self, rooms: Mapping[int, int] = NO_ROOMS) -> int:
        return self._left

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
        return not self._left

    def wake_fileno(self) -> int:
        return self._never_read

    def woken(self) -> None:
        pass

    def body_starts(self, mail: Mail) -> bool:
        return True

    def settled(self, mail: Mail, reply: Reply) -> None:
        self.unsettled -= 1
        self.accepted += reply.code == 250

    def trouble(self, reply: Reply, after_s: float = 0.0) -> None:
        raise AssertionError(reply)

    def close(self) -> None:
        os.close(self._never_read)
        os.close(self._never_written)


def run(*, short: bool) -> Iterable[Figure]:
    try:
        programs = postfix.programs()
    except postfix.Missing as missing:
        yield Figure.missing(NAME, UNIT, GOAL, str(missing), bound="at most")
        return
    with tempfile.TemporaryDirectory(prefix="mm-") as folder, programs.receive(Path(folder)) as sink:
        mails = SHORT_MAILS if short else MAILS
        rounds, kernel, source = [], [], []
        data = _data()
        for _ in range(SHORT_ROUNDS if short else ROUNDS):
            user, system = _round(sink, data, mails)
            rounds.append(user + system)
            kernel.append(system)
            source.append(programs.send(sink.port, mails, len(data)))
        yield Figure.of(NAME, rounds, UNIT, GOAL, bound="at most")
        theirs, of_kernel = median(took.microseconds for took in source), median(took.of_kernel for took in source)
        print(
            f"  {median(kernel):.1f} of them in the kernel; smtp-source takes {theirs:.1f}, {of_kernel:.1f} in the kernel",
            flush=True,
        )


def _data() -> bytes:
    message = render.content(render.PARAGRAPH, 10_000)
    return message.render([render.COMMON[tag] for tag in message.tags], render.stamp(1))


def _round(sink: postfix.Sink, data: bytes, mails: int) -> tuple[float, float]:
    """Processor time of a mail in µs, this program's own and the kernel's for it."""
    pile, before = Pile(mails, data), sink.mails()
    mailer = SmtpMailer(RelaySettings(port=sink.port))
    began = resource.getrusage(resource.RUSAGE_SELF)
    mailer.run(pile)
    ended = resource.getrusage(resource.RUSAGE_SELF)
    mailer.close()
    pile.close()
    taken = sink.mails() - before
    assert pile.accepted == taken == mails, f"{pile.accepted} accepted, {taken} taken, {mails} sent"
    return (ended.ru_utime - began.ru_utime) / mails * 1e6, (ended.ru_stime - began.ru_stime) / mails * 1e6
