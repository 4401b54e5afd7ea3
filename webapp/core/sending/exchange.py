"""The exchange: mails on their way from their claim through the mailer to their record. Two threads meet here.

The mailer's thread calls what `ports.Exchange` asks for; the recorder's thread puts claimed mails in and takes outcomes out.
"""

import contextlib
import logging
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

from webapp.core.ledger import Claimed, Settled, domain_of
from webapp.core.ports import NO_ROOMS, Journal, Mail, ReceiverConnections, Watch
from webapp.core.rules.evidence import Evidence
from webapp.core.rules.outcome import ACCEPTED, Cause, Reply, Stage, judge
from webapp.core.rules.refusal import Addressee
from webapp.core.rules.relay_limits import NONE_KNOWN, RelayLimits
from webapp.core.sending.declines import Declines, WhoDeclined
from webapp.core.sending.receiver_lines import ReceiverLines
from webapp.core.sending.signed import MailSource

log = logging.getLogger(__name__)
Mark = tuple[int, int]
GIVEN_TIME = Reply(Stage.MAIL, None, "", "the recipient's domain is given time", Cause.WITHDRAWN)
DECLINED = Reply(Stage.MAIL, None, "", "the recipient declined before it left", Cause.WITHDRAWN)
_DOT = Stage.DOT


class SendExchange:
    """`ports.Exchange` of one sending process.

    This process hands nothing over from `deadline` (ticks) on, a margin before its lease ends. Once `barred` it hands nothing over, ever;
    `hold` stops it for as long as the database takes no outcomes. `connections_allowed` is how many connections the recorder lets the
    mailer have, `connections_held` how many it has, `connections_opening` how many of these are not of use yet. `limits_known` are the
    known limits of the relay, `lesson` those that the mailer has learned since the recorder last asked. Mails to domains in `resting` are
    not handed over. `watches_domains`: the recorder wants to know the domains that took mails. `lines` has the mails whose receivers have
    limits, `receiver_connections` over how many connections these may be carried.
    """

    def __init__(
        self,
        content: MailSource,
        journal: Journal,
        evidence: Evidence,
        watch: Watch,
        ticks: Callable[[], float],
        group: int,
        who_declined: WhoDeclined | None = None,
    ) -> None:
        self.evidence = evidence
        self.barred: str | None = None
        self.on_hold = False
        self.deadline = 0.0
        self._lock = threading.RLock()  # a signal handler may need the lock that the interrupted code holds
        self.changed = threading.Condition(self._lock)
        self.connections_allowed: int | None = None
        self.connections_held = self.connections_opening = 0
        self.limits_known = NONE_KNOWN
        self.lesson: RelayLimits | None = None
        self.carried_elsewhere = False
        self.resting: Collection[str] = ()
        self.watches_domains = False
        self._content, self._journal = content, journal
        self._watch, self._ticks = watch, ticks
        self._declines = Declines(watch, who_declined) if who_declined else None
        self._group = group
        self._taken_at = ticks()
        self._queue: deque[tuple[float, Claimed]] = deque()
        self.lines = ReceiverLines()
        self.receiver_connections: Mapping[str, ReceiverConnections] = {}
        self._under_way: dict[int, Claimed] = {}
        self._begun: dict[int, int] = {}
        self._settled: deque[Settled] = deque()
        self._recording: list[Settled] = []
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    # The mailer's side

    def take(self, rooms: Mapping[int, int] = NO_ROOMS) -> Mail | None:
        queue, under_way, lines = self._queue, self._under_way, self.lines
        while (queue or lines) and not (self.barred or self.on_hold):
            now = self._ticks()
            source = queue
            if lines and (line := lines.open_at(now, rooms)) is not None:
                source = line
            elif not queue or queue[0][0] > now:
                return None
            most = self.evidence.most_under_way
            if most is not None and len(under_way) >= most:
                return None
            if now >= self.deadline or not self._watch.is_sending():
                self.bar("the lease ran out" if now >= self.deadline else "the broadcast is not sending any more")
                return None
            claimed = source.popleft()[1]
            under_way[claimed.delivery_id] = claimed
            if self.resting and domain_of(claimed.address) in self.resting:
                self._settle(claimed.delivery_id, GIVEN_TIME)
                continue
            if self._has_declined(claimed):
                self._settle(claimed.delivery_id, DECLINED)
                continue
            try:
                return self._content.mail(
                    claimed.delivery_id,
                    claimed.address,
                    claimed.stamped_at,
                    claimed.values,
                    language=claimed.language,
                )
            except Exception as error:
                kind = type(error).__name__  # its words may be about the client
                about = {"event": "not_rendered", "delivery": claimed.delivery_id, "why": kind}
                log.warning("delivery %s could not be rendered: %s", claimed.delivery_id, kind, extra=about)
                self._settle(claimed.delivery_id, Reply(Stage.RENDER, None, "", f"{type(error).__name__}: {error}"))
        return None

    def at_hand(self, rooms: Mapping[int, int] = NO_ROOMS) -> int:
        if self.barred or self.on_hold:
            return 0
        ready = self.lines.at_hand(self._ticks(), rooms) if self.lines else 0
        if self._queue:
            if self._queue[-1][0] == 0.0:
                ready += len(self._queue)
            else:
                now = self._ticks()
                ready += sum(1 for not_before, _ in list(self._queue) if not_before <= now)
        most = self.evidence.most_under_way
        return ready if most is None else max(min(ready, most - len(self._under_way)), 0)

    def most_connections(self) -> int | None:
        return self.connections_allowed

    def holds(self, connections: int, opening: int) -> None:
        self.connections_held, self.connections_opening = connections, opening

    def receivers(self) -> Mapping[str, ReceiverConnections]:
        return self.receiver_connections

    def relay_limits(self) -> RelayLimits:
        return self.limits_known

    def learned(self, limits: RelayLimits) -> None:
        self.limits_known = self.lesson = limits

    def is_carried_elsewhere(self) -> bool:
        return self.carried_elsewhere

    def finished(self) -> bool:
        return self.barred is not None

    def wake_fileno(self) -> int:
        return self._wake_read

    def woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)

    def body_starts(self, mail: Mail) -> bool:
        if self.evidence.verdict is not None:  # it came after the commands went out behind another mail's content
            return False
        delivery_id, journal = mail.delivery_id, self._journal
        attempt = self._under_way[delivery_id].attempt
        try:
            if journal.is_full:
                self._shorten_journal()
            journal.begins(delivery_id, attempt)
        except OSError as error:
            self.bar(f"the journal cannot be written: {error}")
            return False
        # Checked after the line is written: a process that was stopped in between, while others read its journal, must not send.
        if self._ticks() >= self.deadline:
            self.bar("the lease ran out")
            return False
        # Last of all, and on a new look: from here on nothing calls the content back.
        if self._declines is not None:
            self._watch.is_sending()
            if self._has_declined(self._under_way[delivery_id]):
                return False
        self._begun[delivery_id] = attempt
        return True

    def settled(self, mail: Mail, reply: Reply) -> None:
        self._settle(mail.delivery_id, reply)

    def trouble(self, reply: Reply, after_s: float = 0.0) -> None:
        self.evidence.saw(judge(reply), reply, after_s=after_s, quiet_s=self._ticks() - self._taken_at)
        self._heed_evidence()

    # The recorder's side

    def consent(self) -> object:
        """What is known now of who declined, at least; to be asked before a claim begins."""
        return self._watch.consent

    def add(self, mails: Iterable[Claimed], since: float, consent: object = None) -> None:
        """Add mails that are now claimed, after the commit. Their delays count from `since` (ticks). `consent` is the look of the watch
        as of which the claim has asked who declined."""
        if self._declines is not None:
            mails = list(mails)
            for mail in mails:
                mail.consent = consent
        for mail in mails:
            not_before = since + mail.delay if mail.delay else 0.0
            line = self._queue if mail.receiver is None else self.lines.of(mail.receiver)
            line.append((not_before, mail))
        self.wake()

    def held(self) -> int:
        """Mails claimed and not yet recorded."""
        return len(self._queue) + self.lines.mails + len(self._under_way) + len(self._settled) + len(self._recording)

    def queued(self) -> int:
        """Mails claimed and not yet taken by the mailer, but those that wait for their receiver."""
        return len(self._queue)

    def under_way(self) -> int:
        """Mails that the mailer has taken and not settled."""
        return len(self._under_way)

    def under_way_to(self, receiver: int) -> int:
        """How many of these go to the receiver of a limit."""
        return sum(1 for claimed in list(self._under_way.values()) if claimed.receiver == receiver)

    def to_record(self) -> list[Settled]:
        """The outcomes to record. They count as unrecorded until `recorded` is called; before that the next call returns the same ones."""
        with self.changed:
            if not self._recording:
                settled = self._settled
                self._recording = [settled.popleft() for _ in range(len(settled))]
            return self._recording

    def recorded(self) -> None:
        """The outcomes that `to_record` returned are in the database."""
        with self.changed:
            self._recording = []

    def unsettled(self) -> int:
        """How many outcomes wait to be recorded."""
        return len(self._settled) + len(self._recording)

    def waits_for_others(self) -> bool:
        """Whether nothing may be handed over before the other senders of the broadcast know what was refused here."""
        return self.evidence.most_under_way == 0 and self.evidence.verdict is None

    def is_opening(self) -> bool:
        """Whether connections are being opened and none is of use yet: ending now would throw them away."""
        return 0 < self.connections_opening == self.connections_held

    def next_release(self) -> float | None:
        """The next ticks at which the first mail of the queue, or of a line, may leave that may not leave yet; None where there is none."""
        now = self._ticks()
        first = self.lines.next_after(now)
        with contextlib.suppress(IndexError):
            if (not_before := self._queue[0][0]) > now:
                first = min(first, not_before)
        return first if first < math.inf else None

    def break_off(self, why: str) -> None:
        """The mailer ended with mails under way: those whose content had begun to leave are uncertain."""
        for claimed in list(self._under_way.values()):
            if claimed.delivery_id in self._begun:
                self._settle(claimed.delivery_id, Reply(Stage.DOT, None, "", why))

    def bar(self, why: str) -> None:
        """Hand nothing over any more. May be called from a signal handler."""
        if self.barred is None:
            self.barred = why
        self.wake()
        with self.changed:
            self.changed.notify_all()

    def allow(self, connections: int | None) -> None:
        """Let the mailer hold `connections` from now on; None: as many as it likes."""
        if connections != self.connections_allowed:
            self.connections_allowed = connections
            self.wake()

    def hold(self, on_hold: bool) -> None:
        if self.on_hold is not on_hold:
            self.on_hold = on_hold
            self.wake()

    def sync_journal(self) -> None:
        with self.changed:
            self._journal.sync()

    def wake(self) -> None:
        """Have the mailer look again."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"!")

    def close(self) -> None:
        os.close(self._wake_read)
        os.close(self._wake_write)

    # Both

    def _has_declined(self, claimed: Claimed) -> bool:
        """Whether this recipient has declined since the claim, as of the last look. The mail goes back then, and the next claim, which
        asks the same, gives it up."""
        if self._declines is None:
            return False
        try:
            return self._declines.hit(claimed, self._in_hand)
        except Exception as error:
            self.bar(f"nobody can say who declined: {type(error).__name__}")
            return True

    def _in_hand(self) -> list[Claimed]:
        return [*self._under_way.values(), *[claimed for _, claimed in list(self._queue)], *self.lines.waiting()]

    def _settle(self, delivery_id: int, reply: Reply) -> None:
        claimed, evidence = self._under_way[delivery_id], self.evidence
        self._journal.replied(delivery_id, claimed.attempt, reply)
        code, now = reply.code, self._ticks()
        if code is not None and 200 <= code <= 299 and reply.stage is _DOT:
            outcome = ACCEPTED
            domain = domain_of(claimed.address) if self.watches_domains else ""
            was_limited = evidence.most_under_way is not None
            self._taken_at = now
            evidence.took()
            if was_limited:
                self.wake()
        else:
            outcome = judge(reply)
            domain = domain_of(claimed.address)
            evidence.saw(outcome, reply, Addressee(delivery_id, domain, claimed.attempt))
            self._heed_evidence()
        del self._under_way[delivery_id]
        self._begun.pop(delivery_id, None)
        # Without the lock: appending is one step, and `to_record` takes no more outcomes than there were when it began.
        stamped_at, receiver = claimed.stamped_at, claimed.receiver
        self._settled.append(Settled(delivery_id, claimed.attempt, stamped_at, outcome, reply, now, domain, receiver))
        waiting = len(self._settled)
        if waiting == 1 or waiting == self._group or not self._under_way:
            with self.changed:
                self.changed.notify_all()

    def _heed_evidence(self) -> None:
        if self.evidence.verdict is not None:
            self.bar(self.evidence.verdict.words)

    def _shorten_journal(self) -> None:
        with self.changed:
            keep: dict[Mark, Reply | None] = dict.fromkeys(self._begun.items())
            keep |= {(one.delivery_id, one.attempt): one.reply for one in (*self._recording, *self._settled)}
            self._journal.shorten(keep)
