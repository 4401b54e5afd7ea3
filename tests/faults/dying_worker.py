"""Settings for `rq worker` (RQ_CONFIG=tests.faults.dying_worker): those of `jobs.worker`, and work-horses that die where a plan says so.

The program knows nothing of it: its functions are wrapped here, in the worker's process.
"""

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from jobs import runtime
from jobs.worker import QUEUES, REDIS_URL, SENTINEL
from tests.faults.points import PLAN, POINTS, Death, Plan, grave
from webapp.adapters import journal
from webapp.adapters.smtp.wire import Wire
from webapp.core import broadcasts, ledger
from webapp.core.ledger import freeze
from webapp.core.ports import Reply, Stage
from webapp.core.sending import SenderSettings, looking

__all__ = ["QUEUES", "REDIS_URL", "SENTINEL"]

PATH = Path(os.environ[PLAN])
DOT = b"\r\n.\r\n"
AFTER_COMMIT = "points after the commit"


class Fate:
    """What is to happen to this process. `plan` is read anew in every work-horse."""

    def __init__(self) -> None:
        self.plan = Plan()
        self._death: Death | None = None
        self._index = self._passed = 0

    def is_told(self) -> None:
        """Read the plan: this process has just been forked."""
        self.plan = Plan.read(PATH)
        happened = [index for index in range(len(self.plan.deaths)) if grave(PATH, index).exists()]
        self._index, self._passed = len(happened), 0
        self._death = self.plan.deaths[self._index] if self._index < len(self.plan.deaths) else None
        journal.RESERVE = self.plan.journal // 2
        app = runtime.own_app()
        app.config["RELAY"] = replace(app.config["RELAY"], connections=self.plan.connections)

    def passes(self, point: str, last: Callable[[], object] = lambda: None) -> None:
        """This process is at a point: it dies if that was planned, having done a `last` thing."""
        assert point in POINTS
        if self._death is None or self._death.point != point:
            return
        self._passed += 1
        if self._passed == self._death.nth:
            with contextlib.suppress(OSError):
                last()
            grave(PATH, self._index).write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)


fate = Fate()
os.register_at_fork(after_in_child=fate.is_told)


# The database: what is done in a transaction, and its commit


def then(session: Session, point: str) -> None:
    """The next commit of this session is such a point."""
    session.info.setdefault(AFTER_COMMIT, []).append(point)


@event.listens_for(Session, "after_commit")
def after_commit(session: Session) -> None:
    for point in session.info.pop(AFTER_COMMIT, ()):
        fate.passes(point)


@event.listens_for(Session, "after_rollback")
def after_rollback(session: Session) -> None:
    session.info.pop(AFTER_COMMIT, None)


def in_transaction(
    module: Any,
    name: str,
    *,
    before: str | None = None,
    after: str | None = None,
    committed: str | None = None,
    counts: Callable[[Any], bool] = lambda result: True,
) -> None:
    """Wrap a function whose first argument is a session: points before it, after it, and after the commit of what it did; the latter
    two if its result `counts`."""
    original = getattr(module, name)

    def wrapped(session: Session, *arguments: Any, **options: Any) -> Any:
        if before:
            fate.passes(before)
        result = original(session, *arguments, **options)
        if counts(result):
            if after:
                fate.passes(after)
            if committed:
                then(session, committed)
        return result

    setattr(module, name, wrapped)


freeze_chunk = ledger.freeze_chunk
ledger.freeze_chunk = lambda *arguments, **_: freeze_chunk(*arguments, chunk=fate.plan.chunk)
in_transaction(ledger, "freeze_chunk", committed="chunk-committed", counts=lambda is_complete: not is_complete)
in_transaction(freeze, "_insert", after="chunk-half")
in_transaction(broadcasts, "start", after="started", counts=bool)
in_transaction(ledger, "open_lease", committed="lease-opened")
in_transaction(
    ledger, "claim", after="claim-uncommitted", committed="claim-committed", counts=lambda claim: bool(claim.mails)
)
in_transaction(ledger, "record", after="record-uncommitted", committed="record-committed")
in_transaction(ledger, "end_lease", before="lease-ending", committed="lease-ended")
in_transaction(ledger, "recover", after="recovery-uncommitted", committed="recovery-committed", counts=bool)


# The journal

FileJournal = journal.FileJournal
allocate = journal._allocate


class MortalJournal(FileJournal):
    """A journal with points before and after each of its lines, and within its shortening."""

    def __init__(self, folder: Path) -> None:
        self.is_shortening = False
        super().__init__(folder, fate.plan.journal * 2)

    def begins(self, delivery_id: int, attempt: int) -> None:
        fate.passes("body-unannounced")
        super().begins(delivery_id, attempt)
        fate.passes("body-announced")

    def replied(self, delivery_id: int, attempt: int, reply: Reply) -> None:
        is_final = reply.stage is Stage.DOT and reply.code is not None
        if is_final:
            fate.passes("reply-read")
        super().replied(delivery_id, attempt, reply)
        if is_final:
            fate.passes("reply-written")

    def shorten(self, keep: Any) -> None:
        self.is_shortening = True
        super().shorten(keep)
        self.is_shortening = False

    def _open(self, lines: bytes) -> Any:
        if not self.is_shortening:
            return super()._open(lines)

        def half_made(fd: int, size: int) -> None:
            allocate(fd, size)
            fate.passes("journal-shortening")

        journal._allocate = half_made
        opened = super()._open(lines)
        journal._allocate = allocate
        fate.passes("journal-shortening")
        return opened


journal.FileJournal = MortalJournal


# The wire

write = Wire.write


def mortal_write(self: Wire, data: bytes) -> None:
    dot = data.find(DOT)
    if dot < 0:
        write(self, data)
        return
    fate.passes("body-half", last=lambda: self.socket.send(data[: dot // 2]))
    write(self, data)
    fate.passes("dot-left")
    fate.passes("worker", last=lambda: os.kill(os.getppid(), signal.SIGKILL))


Wire.write = mortal_write


# The sender

send = looking.send


def send_as_planned(*arguments: Any, settings: Any = None, **options: Any) -> Any:
    plan = fate.plan
    settings = replace(settings or SenderSettings(), group=plan.group, patience_s=plan.patience_s)
    return send(*arguments, settings=settings, **options)


looking.send = send_as_planned
