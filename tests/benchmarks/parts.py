"""Where the processor time of a mail goes: the two threads of a sender, each alone, by what it does.

The mailer's thread sends claimed mails to `smtp-sink` and records nothing; the recorder's claims and records mails, of which it is told at
once that they were taken. Both run in the main thread here, which a timer interrupts each time a millisecond of processor time is used, to
see in which part of the program it is. In a whole broadcast they cost more: there they also wait for each other, and the process starts.
"""

import os
import signal
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from sqlalchemy.orm import Session, joinedload

from jobs.runtime import runtime
from tests import engine
from tests.benchmarks import postfix, render
from tests.benchmarks.broadcasting import House, house
from tests.benchmarks.figure import Figure
from webapp.adapters import clock, database, journal
from webapp.adapters.smtp import SmtpMailer
from webapp.adapters.watch import DatabaseWatch
from webapp.config import RelaySettings
from webapp.core import ledger
from webapp.core.content import tag_catalogue
from webapp.core.content.compiling import CompiledContent, compiled
from webapp.core.ledger import Claimed, Lease, Settled
from webapp.core.ports import Reply, Stage
from webapp.core.rules.evidence import Evidence
from webapp.core.rules.outcome import ACCEPTED
from webapp.core.sending import SenderSettings
from webapp.core.sending.exchange import SendExchange
from webapp.core.sending.recorder import Recorder
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db

KINDS = ("SQLite", "PostgreSQL")
CLIENTS, SHORT_CLIENTS = 50_000, 1_000
GROUP = SenderSettings().group
EACH_S = 0.001
FUTURE = 1e18
TAKEN = Reply(Stage.DOT, 250, "2.0.0 Ok: queued as 4XyZ12")

PARTS: Sequence[tuple[str, str, str]] = (
    ("benchmarks/parts.py", "add", "standing in for the mailer"),
    ("smtp/wire.py", "write", "to the relay: writing to the socket"),
    ("smtp/wire.py", "", "to the relay: reading from the socket"),
    ("selectors.py", "", "to the relay: waiting for the socket"),
    ("webapp/adapters/smtp/", "", "to the relay: the dialogue"),
    ("core/rules/message/", "", "rendering"),
    ("core/content/compiling.py", "", "rendering"),
    ("adapters/watch.py", "", "whether it is still sending"),
    ("adapters/journal.py", "", "the journal"),
    ("core/content/tag_catalogue/", "", "values of the tags"),
    ("ledger/on_", "due", "the ledger: which mails are due"),
    ("ledger/on_both.py", "_due_rows", "the ledger: which mails are due"),
    ("ledger/on_both.py", "<listcomp>", "the ledger: which mails are due"),  # a function of its own up to Python 3.11
    ("ledger/on_", "claim", "the ledger: claim"),
    ("ledger/on_", "accept", "the ledger: accepted"),
    ("ledger/on_", "", "the ledger: lease, counts"),
    ("sqlalchemy/engine/default.py", "do_commit", "the ledger: commit"),
    ("core/ledger/", "", "the ledger: in Python"),
    ("core/sending/exchange.py", "", "the exchange"),
    ("core/sending/recorder.py", "", "the recorder's rounds"),
)
"""A part is found by the innermost function whose file and name are here; the first line that fits counts."""


class Sampler:
    """Counts in which part the main thread is, each time this process has used `EACH_S` of processor time."""

    def __init__(self) -> None:
        self.samples: Counter[str] = Counter()
        self._known: dict[tuple[str, str], str] = {}

    @contextmanager
    def looking(self) -> Iterator[None]:
        before = signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EACH_S, EACH_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        while frame is not None:
            place = frame.f_code.co_filename, frame.f_code.co_name
            if place not in self._known:
                self._known[place] = _part(*place)
            if part := self._known[place]:
                self.samples[part] += 1
                return
            frame = frame.f_back


def _part(file: str, function: str) -> str:
    return next((part for path, name, part in PARTS if path in file and name in ("", function)), "")


class NeverRecorded(SendExchange):
    """What the mailer sends is taken and forgotten; it ends with the last mail of the queue."""

    def finished(self) -> bool:
        if self.unsettled() >= GROUP:
            self.to_record()
            self.recorded()
        return not self._queue


class NeverSent(SendExchange):
    """Each mail that is claimed is taken at once, without being rendered or sent. Ends by itself when nothing is due any more."""

    recorder: Recorder

    def add(self, mails: Iterable[Claimed], since: float, consent: object = None) -> None:
        super().add(mails, since, consent)
        ticks = self._ticks()
        for mail in mails:
            self._settled.append(Settled(mail.delivery_id, mail.attempt, mail.stamped_at, ACCEPTED, TAKEN, ticks))
        self._queue.clear()

    def bar(self, why: str) -> None:
        was_barred = self.barred is not None
        super().bar(why)
        if not was_barred:
            self.recorder.mailer_has_ended()


def run(*, short: bool) -> Iterable[Figure]:
    clients = SHORT_CLIENTS if short else CLIENTS
    with tempfile.TemporaryDirectory(prefix="mm-") as name:
        folder = Path(name)
        for kind in KINDS:
            with house(kind, clients) as ours, ours.app.app_context():
                with Session(ours.engine) as session:
                    tag_catalogue.learn(session)
                if kind == KINDS[0]:
                    _mailer(ours, folder, clients)
                _recorder(kind, ours, folder)
    return ()


def _mailer(ours: House, folder: Path, mails: int) -> None:
    try:
        programs = postfix.programs()
    except postfix.Missing as missing:
        print(f"  the mailer's thread: not measured, {missing}")
        return
    broadcast = _broadcast(ours.frozen_broadcast())
    content = _compiled(broadcast.id)
    values = render.rows(render.COMMON, content.tags, iter(range(mails)), mails)
    now = clock.now()
    claimed = [Claimed(number, f"client{number}@example.com", own, now, 1) for number, own in enumerate(values, 1)]
    watch = DatabaseWatch(db.engine, broadcast.id)
    written = journal.FileJournal(folder)
    exchange = NeverRecorded(content, written, Evidence(), watch, clock.ticks, GROUP)
    exchange.deadline = FUTURE
    exchange.add(claimed, 0.0)
    with programs.receive(folder) as sink:
        before = sink.mails()
        mailer = SmtpMailer(RelaySettings(port=sink.port))
        _profile("the mailer's thread", mails, lambda: mailer.run(exchange))
        mailer.close()
        assert sink.mails() - before == mails
    watch.close()
    exchange.close()
    written.discard()


class Silent:
    """`ports.Watch` that sees nothing."""

    consent: object = None

    def is_sending(self) -> bool:
        return True

    def close(self) -> None:
        pass


def _compiled(broadcast_id: int) -> CompiledContent:
    with Session(db.engine) as session:
        return compiled(session, session.get_one(Broadcast, broadcast_id), engine.URL)


def _recorder(kind: str, ours: House, folder: Path) -> None:
    broadcast = _broadcast(ours.frozen_broadcast())
    content = _compiled(broadcast.id)
    written = journal.FileJournal(folder)
    given = runtime()
    lease = _lease(broadcast.id, written.name)
    exchange = NeverSent(content, written, Evidence(), Silent(), clock.ticks, GROUP)
    exchange.recorder = Recorder(given, SenderSettings(near_s=0.0), lease, broadcast, content, exchange)
    with Session(ours.engine) as session:
        pending = ledger.counts(session, broadcast.id)["pending"]
    _profile(f"the recorder's thread, {kind}", pending, exchange.recorder.run)
    if exchange.recorder.error is not None:
        raise exchange.recorder.error
    with Session(ours.engine) as session:
        assert ledger.counts(session, broadcast.id)["accepted"] == pending
    exchange.close()
    written.discard()


def _profile(whose: str, mails: int, work: Callable[[], object]) -> None:
    """Run it, and print what a mail takes, whole and by part."""
    sampler = Sampler()
    before = os.times()
    with sampler.looking():
        work()
    after = os.times()
    user, system = (spent / mails * 1e6 for spent in (after.user - before.user, after.system - before.system))
    print(f"  {whose}, alone: {user + system:.1f} µs CPU/mail, {system:.1f} of them in the kernel")
    each = (user + system) / max(sampler.samples.total(), 1)
    for part, samples in sampler.samples.most_common():
        print(f"    {samples * each:6.1f}  {part}")
    sys.stdout.flush()


def _broadcast(key: int) -> Broadcast:
    with Session(db.engine, expire_on_commit=False) as session:
        found = session.get_one(Broadcast, key, options=[joinedload(Broadcast.content)])
        session.expunge_all()
        return found


def _lease(broadcast_id: int, journal_name: str) -> Lease:
    with Session(db.engine) as session:
        database.will_write(session)
        host, pid = socket.gethostname(), os.getpid()
        lease = ledger.open_lease(
            session, broadcast_id, host=host, pid=pid, journal=journal_name, reading=clock.reading()
        )
        session.commit()
        return lease
